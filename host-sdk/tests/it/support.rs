//! Libraries to load, and services that remember.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use host_sdk::loader::load;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connection, Connector, HostServices, LoadedConnector, LogRecord};
use log::{Level, LevelFilter};
use serde_json::{Value, json};

/// How long anything may take before a test calls it stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The echo connector's library.
pub(crate) fn echo() -> &'static Path {
    static ECHO: OnceLock<PathBuf> = OnceLock::new();
    ECHO.get_or_init(|| {
        let built = cargo_build(&["--example", "echo_connector"]);
        library_among(&built, "echo_connector")
    })
}

/// A copy of the echo connector's library, which has statics of its own.
pub(crate) fn echo_copy(name: &str) -> PathBuf {
    let copy = scratch(name).join(echo().file_name().unwrap());
    fs::copy(echo(), &copy).unwrap();
    copy
}

/// A fresh directory for the test `name`.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Has cargo build parts of this package, and answers the files it reports: a guess would find
/// what an earlier build left.
pub(crate) fn cargo_build(arguments: &[&str]) -> Vec<PathBuf> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--package", "host-sdk", "--message-format=json"]);
    command.args(arguments);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["reason"] == "compiler-artifact")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .collect()
}

/// The library `name` among what cargo built.
pub(crate) fn library_among(built: &[PathBuf], name: &str) -> PathBuf {
    let file = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    built.iter().find(|path| path.ends_with(&file)).cloned().unwrap()
}

/// Services that keep every record.
pub(crate) struct Recorder {
    level: LevelFilter,
    records: Mutex<Vec<Recorded>>,
}

/// A record that was kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) execution: Option<u64>,
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) message: String,
}

impl Recorder {
    pub(crate) fn new(level: LevelFilter) -> Arc<Self> {
        Arc::new(Self { level, records: Mutex::default() })
    }

    pub(crate) fn records(&self) -> Vec<Recorded> {
        self.records.lock().unwrap().clone()
    }
}

impl HostServices for Recorder {
    fn max_level(&self) -> LevelFilter {
        self.level
    }

    fn log(&self, record: &LogRecord<'_>) {
        self.records.lock().unwrap().push(Recorded {
            execution: record.execution,
            level: record.level,
            target: record.target.to_owned(),
            file: record.file.map(str::to_owned),
            line: record.line,
            message: record.message.to_owned(),
        });
    }
}

/// The echo connector, loaded, with services that want no records.
pub(crate) fn load_echo() -> LoadedConnector {
    load(echo(), Recorder::new(LevelFilter::Off)).unwrap()
}

/// A connection of a loaded echo connector.
pub(crate) fn connect(settings: &Value) -> Arc<dyn Connection> {
    load_echo().connect(settings, MemoryHost::new().context()).unwrap()
}

/// Settings of the operation `echo` with these options.
pub(crate) fn echo_with(options: Value) -> Value {
    json!({"operation": "echo", "options": options})
}
