//! The examples and the demonstration, with the FTP connector.

use std::fs;
use std::path::Path;

use crate::support::{Answer, Place, ftp_connector};

#[test]
fn every_example_is_valid() {
    let place = Place::new();
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut files: Vec<String> = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path().into_os_string().into_string().unwrap())
        .collect();
    files.sort();
    assert_eq!(files.len(), 3);
    let arguments: Vec<&str> =
        ["validate"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let mut command = place.program_with(ftp_connector(), &arguments);
    command.env("PARTNER_PASSWORD", "x").env("BACKUP_PASSWORD", "x");
    let answer = Answer::of(&mut command);
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.stdout.lines().count(), 3);
}

#[test]
fn the_processes_of_the_papers_are_valid() {
    let place = Place::new();
    let paper = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/processes.md");
    let text = fs::read_to_string(paper).unwrap();
    let blocks = text.split("```json\n").skip(1).filter_map(|rest| rest.split("```").next());
    let processes: Vec<&str> = blocks.filter(|block| block.contains("\"process\"")).collect();
    assert!(!processes.is_empty());
    for process in processes {
        place.write("process.json", process);
        let mut command = place.program_with(ftp_connector(), &["validate", "process.json"]);
        let answer = Answer::of(command.env("PARTNER_PASSWORD", "x"));
        assert_eq!((answer.code, &*answer.stderr), (0, ""), "{process}");
    }
}

#[cfg(feature = "demo")]
#[test]
fn the_demonstration_proves_every_row() {
    let place = Place::new();
    // Twice: the second one replaces what the first one left.
    for _ in 0..2 {
        let answer = Answer::of(&mut place.program_with(ftp_connector(), &["demo"]));
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(answer.stdout.starts_with("files    200 of 200 proven"), "{answer:?}");
    }
    let connection = rusqlite::Connection::open(place.path("demo.db")).unwrap();
    let rows: i64 =
        connection.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 200);
}

#[cfg(feature = "demo")]
#[test]
fn the_demonstration_leaves_what_is_not_its_own() {
    let place = Place::new();
    place.write("mine.db", "precious");
    let arguments = ["demo", "--database", "mine.db"];
    let answer = Answer::of(&mut place.program_with(ftp_connector(), &arguments));
    assert_eq!(answer.code, 2, "{answer:?}");
    assert_eq!(fs::read_to_string(place.path("mine.db")).unwrap(), "precious");
}
