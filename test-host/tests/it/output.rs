//! Results that cannot be written.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::json;

use crate::support::{Place, echo, message};

/// A disk that is full.
fn full() -> File {
    OpenOptions::new().write(true).open("/dev/full").unwrap()
}

/// A place with a process that keeps a document, and whether it was kept.
fn place() -> Place {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "1")]),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    place
}

#[test]
fn results_on_a_full_disk_are_no_success() {
    for output in ["json", "text"] {
        let place = place();
        let mut command = place.program(&["run", "process.json", "--output", output]);
        let answer = command.stdout(full()).output().unwrap();
        let told = String::from_utf8(answer.stderr).unwrap();
        assert_eq!(answer.status.code(), Some(1), "{output}: {told}");
        assert_eq!(told.matches("the results could not be written").count(), 1, "{told}");
        // Documents in flight are still completed.
        assert_eq!(fs::read_to_string(place.path("out/a")).unwrap(), "1");
    }
}

#[test]
fn no_command_succeeds_on_a_full_disk() {
    let place = place();
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["describe", "echo"],
        &["describe", "echo", "--format", "xml"],
        &["connectors"],
        &["validate", "process.json"],
        &["completions", "bash"],
    ] {
        let answer = place.program(arguments).stdout(full()).output().unwrap();
        assert_eq!(answer.status.code(), Some(1), "{arguments:?}: {answer:?}");
    }
}

#[test]
fn a_failure_keeps_its_code_on_a_full_disk() {
    let place = Place::new();
    place.process(json!([
        message(&[("bad", "1"), ("a", "2")]),
        echo("e", json!({"refuse": "bad"}))
    ]));
    let mut command = place.program(&["run", "process.json", "--output", "json"]);
    assert_eq!(command.stdout(full()).status().unwrap().code(), Some(6));
}

#[test]
fn a_reader_that_leaves_gets_the_work_done_and_no_success() {
    for output in ["json", "text"] {
        let place = Place::new();
        let names: Vec<String> = (0..3_000).map(|number| format!("file-{number}")).collect();
        let documents: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "x")).collect();
        place.process(json!([
            message(&documents), {"name": "keep", "type": "writeFiles", "directory": "out"},
        ]));
        let mut command = place.program(&["run", "process.json", "--output", output]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(!line.is_empty());
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(1), "{told}");
        assert!(!told.contains("error"), "{told}");
        assert_eq!(place.names("out").len(), 3_000);
    }
}
