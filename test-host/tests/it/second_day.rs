//! The same process again: what is known is not stored twice, and what is new is.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;
use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, require};

use crate::servers::run;
use crate::support::{Answer, Place, connection};

/// A process that stores the files of `in`.
fn process(server: &Server, options: &Value) -> Value {
    json!({
        "process": "triggers",
        "connections": {"partner": connection(server, &json!({"remoteDirectory": "in"}))},
        "steps": [
            {"name": "fetch", "type": "connector", "connection": "partner", "operation": "query",
             "options": options},
            {"name": "store", "type": "database", "url": "sqlite:rows.db", "table": "files"},
        ],
    })
}

fn rows(place: &Place) -> i64 {
    let database = Connection::open(place.path("rows.db")).unwrap();
    database.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap()
}

/// Writes a trigger file so many seconds after the beginning of a minute some days ago.
fn trigger(server: &Server, seconds: u64) {
    server.place("in/go.txt", b"go").unwrap();
    let days_ago = SystemTime::now() - Duration::from_secs(3 * 24 * 60 * 60);
    let since = days_ago.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(since - since % 3600 + seconds);
    let file = File::options().append(true).open(server.root().join("in/go.txt")).unwrap();
    file.set_modified(at).unwrap();
}

#[test]
fn equal_files_of_one_minute_are_two() {
    for (flavour, extra) in [
        (Flavour::VsFtpd, json!({})),
        (Flavour::ProFtpd, json!({"listing": "list"})),
        (Flavour::PureFtpd, json!({})),
    ] {
        let Some(server) = require(&Options::new(flavour)) else { return };
        let place = Place::new();
        let mut process = process(&server, &json!({}));
        let partner = process["connections"]["partner"].as_object_mut().unwrap();
        partner.extend(extra.as_object().unwrap().clone());
        for (seconds, stored) in [(5, 1), (5, 1), (35, 2), (35, 2)] {
            trigger(&server, seconds);
            let answer = run(&place, &process);
            assert_eq!(answer.code, 0, "{answer:?}");
            assert_eq!(rows(&place), stored, "{flavour:?}, {seconds}");
        }
    }
}

#[test]
fn a_file_that_cannot_be_removed_is_a_failure_and_stored_once() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    server.place("in/a.txt", b"a").unwrap();
    let directory = server.root().join("in");
    std::os::unix::fs::chown(&directory, Some(0), Some(0)).unwrap();
    std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    let place = Place::new();
    for options in [json!({"deleteAfterReading": true}), json!({"moveAfterReading": "done"})] {
        for _ in 0..2 {
            let answer: Answer = run(&place, &process(&server, &options));
            assert_eq!(answer.code, 6, "{answer:?}");
            assert!(server.root().join("in/a.txt").exists());
            assert_eq!(rows(&place), 1, "{options}");
        }
    }
}

/// The failure beside a document has its name, and does not touch its file.
#[test]
fn a_failure_beside_a_document_leaves_its_file_alone() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| (n >> 7) as u8).collect();
    server.place("in/a.bin", &large).unwrap();
    let directory = server.root().join("in");
    std::os::unix::fs::chown(&directory, Some(0), Some(0)).unwrap();
    std::fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
    let place = Place::new();
    let mut process = process(&server, &json!({"deleteAfterReading": true}));
    process["steps"][1] = json!({"name": "write", "type": "writeFiles", "directory": "out"});
    for _ in 0..2 {
        let answer = run(&place, &process);
        assert_eq!(answer.code, 6, "{answer:?}");
        assert_eq!(std::fs::read(place.path("out/a.bin")).unwrap(), large);
        assert_eq!(place.names("out"), ["a.bin"]);
    }
}
