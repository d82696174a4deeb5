//! What the test host prints fits the event schema, and the schema knows all of it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use host_sdk::{Error, ErrorKind, Properties, Status};
use serde_json::{Map, Value, json};
use test_host::cancellation::Cancellation;
use test_host::pipeline::Prepared;
use test_host::process::Process;
use test_host::report::events::{
    DocumentCounts, DocumentEvent, ErrorEntry, Event, LeftOut, LogEvent, LogLevel, RunStatus,
    SummaryEvent, Work,
};
use test_host::report::{JsonLines, QuotedJson, Reporter, RunIdentity, Verbosity};

use crate::libraries::connectors;
use crate::support::{misfits, package, read, validator};

/// An error with everything that one can have.
fn error() -> Error {
    Error::new(ErrorKind::Permission, "denied")
        .with_reply(550, "no")
        .with_command("RETR a")
        .with_path("/a")
        .with_attempts(2)
        .with_hint("ask")
        .with_outcome_unknown()
}

fn document(status: Status, error: Option<Error>) -> DocumentEvent {
    DocumentEvent {
        step: "fetch".to_owned(),
        document: 1,
        status,
        bytes: 3,
        sha256: Some("ab".repeat(32)),
        properties: Properties::new().with("fileName", "a"),
        refused_earlier: error.is_some(),
        error,
        json: QuotedJson::from_body(b"{\"a\": null}".to_vec()),
    }
}

fn every_event() -> Vec<Event> {
    let mut events = vec![
        Event::Document(document(Status::Success, None)),
        Event::Document(document(Status::Empty, None)),
        Event::Document(document(Status::ApplicationError, Some(error()))),
        Event::Document(DocumentEvent {
            sha256: None,
            json: None,
            ..document(Status::Failure, Some(Error::internal("a defect")))
        }),
    ];
    for (level, step) in [
        (LogLevel::Error, Some("fetch")),
        (LogLevel::Warn, None),
        (LogLevel::Info, None),
        (LogLevel::Debug, None),
        (LogLevel::Trace, None),
    ] {
        events.push(Event::Log(LogEvent {
            level,
            step: step.map(str::to_owned),
            target: "ftp".to_owned(),
            message: "words".to_owned(),
        }));
    }
    for status in [RunStatus::Success, RunStatus::Partial, RunStatus::Failure] {
        let entry = |document| ErrorEntry { step: "fetch".to_owned(), document, error: error() };
        events.push(Event::Summary(SummaryEvent {
            status,
            documents: DocumentCounts { success: 1, ..DocumentCounts::default() },
            bytes: 3,
            seconds: 0.5,
            work: Work { unchanged: 1, ..Work::default() },
            left_out: Some(LeftOut { hidden: 2, ..LeftOut::default() }),
            errors: vec![entry(Some(1)), entry(None)],
        }));
    }
    events
}

#[test]
fn every_event_fits_and_is_described() {
    let validator = validator("event");
    let known = known_keys(&read(&package().join("event.schema.json")));
    for event in every_event() {
        let event = serde_json::to_value(&event).unwrap();
        let misfits = misfits(&validator, &event);
        assert!(misfits.is_empty(), "{event}: {misfits:#?}");
        for key in keys(&event) {
            assert!(known.contains_key(&key), "the schema does not know \"{key}\" of {event}");
        }
    }
}

/// The keys of `value` and of what it holds; what is in properties and in bodies is free.
fn keys(value: &Value) -> Vec<String> {
    match value {
        Value::Object(object) => object
            .iter()
            .flat_map(|(key, value)| {
                let below =
                    if key == "properties" || key == "json" { Vec::new() } else { keys(value) };
                [key.clone()].into_iter().chain(below)
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(keys).collect(),
        _ => Vec::new(),
    }
}

/// Every property that `schema` describes anywhere.
fn known_keys(schema: &Value) -> Map<String, Value> {
    let mut known = Map::new();
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                known.extend(properties.clone());
            }
            object.values().for_each(|value| known.extend(known_keys(value)));
        }
        Value::Array(items) => items.iter().for_each(|item| known.extend(known_keys(item))),
        _ => {}
    }
    known
}

/// A place to write to that can be read afterwards.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn the_lines_of_a_run_fit() {
    let directory = tempfile::tempdir().unwrap();
    let process = json!({
        "process": "test",
        "connections": {"echo": {"connector": "echo"}},
        "steps": [
            {"name": "make", "type": "message", "documents": [
                {"content": {"n": 1}, "properties": {"fileName": "good.json"}},
                {"content": "b", "properties": {"fileName": "../bad.txt"}},
                {"content": "c", "properties": {"name": "unwanted", "fileName": "c.txt"}},
            ]},
            {"name": "send", "type": "connector", "connection": "echo", "operation": "echo",
             "options": {"refuse": "unwanted", "log": "words"}},
            {"name": "keep", "type": "writeFiles", "directory": directory.path()},
        ],
    });
    let process = Process::parse(&process.to_string()).unwrap();
    let cancellation = Cancellation::new();
    let prepared = Prepared::new(process, &connectors(), &cancellation).unwrap();
    let page = Page::default();
    let verbosity = Verbosity { quiet: false, verbose: 3 };
    let reporter: Arc<dyn Reporter> =
        Arc::new(JsonLines::new(page.clone(), verbosity).of_run(RunIdentity::new("test")));
    prepared.run(&reporter, &cancellation).unwrap();
    reporter.finish().unwrap();

    let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let validator = validator("event");
    for line in &lines {
        let misfits = misfits(&validator, line);
        assert!(misfits.is_empty(), "{line}: {misfits:#?}");
        assert_eq!(line["process"], "test");
        assert!(line["time"].as_str().unwrap().ends_with('Z') && line["run"].is_string(), "{line}");
    }
    let counts = &lines.last().unwrap()["documents"];
    let expected = json!({"success": 1, "empty": 0, "applicationError": 1, "failure": 1});
    assert_eq!(*counts, expected, "{text}");
}
