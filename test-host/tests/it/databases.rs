//! Rows and the ledger.

use std::fs::{File, FileTimes};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Place, message};

fn store() -> Value {
    json!({"name": "store", "type": "database", "url": "sqlite:a.db", "table": "files"})
}

fn rows(place: &Place) -> i64 {
    let connection = Connection::open(place.path("a.db")).unwrap();
    connection.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap()
}

#[test]
fn a_document_that_comes_again_is_stored_once() {
    let place = Place::new();
    place.write("in/small", "abc");
    place.write("in/large", vec![7; 3_000_000]);
    place.write("in/empty", "");
    place.process(json!([
        {"name": "read", "type": "readFiles", "directory": "in"}, store()
    ]));
    for _ in 0..2 {
        let answer = place.answer(&["run", "process.json", "--output", "json", "-v"]);
        assert_eq!((answer.code, answer.counts()), (0, [3, 0, 0, 0]), "{answer:?}");
        assert_eq!(rows(&place), 3);
    }
    let answer = place.answer(&["run", "process.json", "--output", "json", "-v"]);
    let known = answer.lines().iter().filter(|line| line["event"] == "log").count();
    assert_eq!(known, 3, "{answer:?}");
    let connection = Connection::open(place.path("a.db")).unwrap();
    let (process, source, size, sha256, content, properties): (
        String,
        String,
        i64,
        String,
        Vec<u8>,
        String,
    ) = connection
        .query_row(
            "SELECT process, source, size, sha256, content, properties FROM files
             WHERE file_name = 'large'",
            [],
            |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
            },
        )
        .unwrap();
    assert_eq!((&*process, &*source, size), ("test", "read", 3_000_000));
    assert_eq!(content, vec![7; 3_000_000]);
    assert_eq!(sha256.len(), 64);
    let properties: Value = serde_json::from_str(&properties).unwrap();
    assert_eq!(properties["fileName"], "large");
}

#[test]
fn a_changed_file_is_another_document() {
    let place = Place::new();
    place.write("in/a", "one");
    place.process(json!([
        {"name": "read", "type": "readFiles", "directory": "in"}, store()
    ]));
    assert_eq!(place.run().code, 0);
    place.write("in/a", "two");
    let later = SystemTime::now() + Duration::from_secs(60);
    let times = FileTimes::new().set_modified(later);
    File::options().write(true).open(place.path("in/a")).unwrap().set_times(times).unwrap();
    assert_eq!(place.run().code, 0);
    assert_eq!(rows(&place), 2);
}

#[test]
fn documents_without_a_time_always_get_a_row() {
    let place = Place::new();
    place.process(json!([message(&[("a", "x")]), store()]));
    assert_eq!(place.run().code, 0);
    assert_eq!(place.run().code, 0);
    assert_eq!(rows(&place), 2);
}

#[test]
fn a_database_that_cannot_be_opened_is_a_wrong_setting() {
    let place = Place::new();
    let mut store = store();
    store["url"] = json!("sqlite:missing/a.db");
    place.process(json!([message(&[("a", "x")]), store]));
    let answer = place.run();
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("$.steps[1].url"), "{answer:?}");
}

/// Pairs of processes, then five at once.
#[test]
fn runs_that_start_together_on_a_new_file_all_work() {
    for round in 0..12 {
        let place = Place::new();
        let started = if round < 8 { 2 } else { 5 };
        place.process(json!([message(&[("a.txt", "abc")]), store()]));
        let children: Vec<_> = (0..started)
            .map(|_| {
                let mut program = place.program(&["run", "process.json", "--output", "json"]);
                program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
        assert_eq!(rows(&place), started, "round {round}");
    }
}
