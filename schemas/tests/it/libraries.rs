//! The connectors as a host loads them.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use host_sdk::{HostServices, LogRecord, SearchPath};
use serde_json::Value;
use tempfile::TempDir;
use test_host::connectors::Connectors;

/// The FTP connector and the echo connector, and no other.
pub(crate) fn connectors() -> Connectors {
    Connectors::new(SearchPath::new(vec![directory().to_owned()]), Arc::new(Silence))
}

/// The connectors as libraries, alone in a directory.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    let directory = DIRECTORY.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        for (name, arguments) in [
            ("ftp_connector", &["--package", "ftp-connector", "--lib"][..]),
            ("echo_connector", &["--package", "host-sdk", "--example", "echo_connector"]),
        ] {
            let file = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
            fs::copy(build(arguments, &file), directory.path().join(file)).unwrap();
        }
        directory
    });
    directory.path()
}

/// Has cargo build the library `file`, and answers the path it reports: a guess would find what an earlier
/// build left.
fn build(arguments: &[&str], file: &str) -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--message-format=json"]).args(arguments);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|path| path.as_str().map(PathBuf::from))
        .find(|path| path.ends_with(file))
        .unwrap()
}

/// Services that want no records.
struct Silence;

impl HostServices for Silence {
    fn max_level(&self) -> log::LevelFilter {
        log::LevelFilter::Off
    }

    fn log(&self, _: &LogRecord<'_>) {}
}
