//! The connector as hosts load it.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};

use host_sdk::loader::load;
use host_sdk::{HostServices, LoadedConnector, LogRecord};
use log::LevelFilter;
use serde_json::Value;

/// The library, built by cargo, which says where: a guess would find what an earlier build left.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--package", "ftp-connector", "--lib"]);
        command.arg("--message-format=json");
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let file = format!(
            "{}ftp_connector{}",
            std::env::consts::DLL_PREFIX,
            std::env::consts::DLL_SUFFIX
        );
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
            .filter_map(|path| path.as_str().map(PathBuf::from))
            .find(|path| path.ends_with(&file))
            .unwrap()
    })
}

/// Loads a copy of the library, which has statics of its own: a library has one logger.
pub(crate) fn load_copy(name: &str, services: Arc<Recorder>) -> LoadedConnector {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&directory).unwrap();
    let copy = directory.join(library().file_name().unwrap());
    // A copy that another run has loaded must not change under it.
    let _ = std::fs::remove_file(&copy);
    std::fs::copy(library(), &copy).unwrap();
    load(&copy, services).unwrap()
}

/// A host that keeps every record at every level.
#[derive(Default)]
pub(crate) struct Recorder {
    records: Mutex<Vec<String>>,
}

impl Recorder {
    /// What was logged so far, a record a line.
    pub(crate) fn text(&self) -> String {
        self.records.lock().unwrap().join("\n")
    }
}

impl HostServices for Recorder {
    fn max_level(&self) -> LevelFilter {
        LevelFilter::Trace
    }

    fn log(&self, record: &LogRecord<'_>) {
        self.records.lock().unwrap().push(format!("{record:?}"));
    }
}
