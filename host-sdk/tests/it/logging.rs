//! Records of a loaded connector arrive at its host, tied to their execution.

use host_sdk::Connector;
use host_sdk::loader::load;
use host_sdk::testing::MemoryHost;
use log::{Level, LevelFilter};
use serde_json::json;

use crate::support::{Recorded, Recorder, echo_copy, echo_with};

/// What a host with `level` hears of an execution with the number 42.
fn records(copy: &str, level: LevelFilter) -> Vec<Recorded> {
    let recorder = Recorder::new(level);
    // A library has one logger, so other tests must not share it.
    let loaded = load(&echo_copy(copy), recorder.clone()).unwrap();
    let connection = loaded.connect(&json!({}), MemoryHost::new().context()).unwrap();
    let operation = connection.operation(&echo_with(json!({"log": "hello"}))).unwrap();
    MemoryHost::for_execution(42).execute(operation.as_ref()).unwrap();
    recorder.records()
}

#[test]
fn the_host_hears_its_level_tied_to_the_execution_from_every_thread() {
    let records = records("log_info", LevelFilter::Info);
    let levels: Vec<Level> = records.iter().map(|record| record.level).collect();
    assert_eq!(levels, [Level::Error, Level::Warn, Level::Info, Level::Info]);
    assert_eq!(records[3].target, "worker");
    for record in &records {
        assert_eq!(record.execution, Some(42));
        assert_eq!(record.message, "hello");
        assert!(record.file.as_deref().is_some_and(|file| file.ends_with("echo_connector.rs")));
        assert!(record.line.is_some());
    }
}

#[test]
fn a_silenced_target_is_heard_at_no_level() {
    let records = records("log_trace", LevelFilter::Trace);
    assert!(records.iter().any(|record| record.level == Level::Trace));
    for record in &records {
        assert!(!record.message.contains("secret"), "{record:?}");
        assert!(!record.target.starts_with("chatty"), "{record:?}");
    }
}

#[test]
fn a_host_that_wants_silence_hears_nothing() {
    assert_eq!(records("log_off", LevelFilter::Off), []);
}
