//! Reading local files: what is read, what is left out, and that both are reported.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Answer, Place, connectors};

/// Runs `process.json` for events; what hangs is killed and has no exit code.
fn run(place: &Place, output: &str) -> Answer {
    let mut command = Command::new("timeout");
    command.args(["-s", "KILL", "60"]).arg(env!("CARGO_BIN_EXE_test-host"));
    command.arg("--connector-path").arg(connectors()).current_dir(place.path("."));
    command.args(["run", "process.json", "--output", output]);
    Answer::of(&mut command)
}

/// Reads the directory `in` with these settings.
fn read(place: &Place, settings: &Value) -> Answer {
    let mut step = json!({"name": "read", "type": "readFiles", "directory": "in"});
    step.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    place.process(json!([step]));
    run(place, "json")
}

/// The directories and names of the documents that were read.
fn files(answer: &Answer) -> Vec<String> {
    let text = |event: &Value, id: &str| event["properties"][id].as_str().unwrap().to_owned();
    answer
        .of_step("read")
        .iter()
        .filter(|event| event["status"] == "success")
        .map(|event| format!("{}/{}", text(event, "directory"), text(event, "fileName")))
        .collect()
}

fn pipe(place: &Place, name: &str) {
    assert!(Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

#[test]
fn only_regular_files_are_read_and_the_rest_is_counted() {
    let place = Place::new();
    place.write("in/a.txt", "a");
    pipe(&place, "in/b.pipe");
    symlink("b.pipe", place.path("in/c.link")).unwrap();
    let _socket = UnixListener::bind(place.path("in/d.socket")).unwrap();
    // Its end never comes.
    symlink("/dev/zero", place.path("in/e.zero")).unwrap();
    symlink("a.txt", place.path("in/f.txt")).unwrap();
    place.write("in/sub/g.txt", "g");
    let answer = read(&place, &json!({}));
    assert_eq!((answer.code, answer.counts()), (0, [2, 0, 0, 0]), "{answer:?}");
    assert_eq!(files(&answer), ["./a.txt", "./f.txt"]);
    assert_eq!(
        answer.summary()["leftOut"],
        json!({"notIncluded": 0, "hidden": 0, "directories": 1, "emptyDirectories": 0, "loops": 0, "special": 4})
    );
    let answer = run(&place, "text");
    let told = "left out: 1 directory, 4 neither files nor directories";
    assert!(answer.stderr.contains(told), "{answer:?}");
}

#[test]
fn directories_are_read_to_their_ends_and_not_in_circles() {
    let place = Place::new();
    for name in ["in/a.txt", "in/x/a.txt", "in/x/y/b.txt", "elsewhere/c.txt"] {
        place.write(name, name);
    }
    fs::create_dir(place.path("in/x/empty")).unwrap();
    symlink("..", place.path("in/x/up")).unwrap();
    symlink("../../x", place.path("in/x/y/again")).unwrap();
    symlink("../elsewhere", place.path("in/z")).unwrap();
    let answer = read(&place, &json!({"recursive": true}));
    assert_eq!((answer.code, answer.counts()), (0, [4, 0, 0, 0]), "{answer:?}");
    assert_eq!(files(&answer), ["./a.txt", "x/a.txt", "x/y/b.txt", "z/c.txt"]);
    let left_out = &answer.summary()["leftOut"];
    assert_eq!((&left_out["loops"], &left_out["emptyDirectories"]), (&json!(2), &json!(1)));
}

#[test]
fn what_is_not_included_or_hidden_is_counted() {
    let place = Place::new();
    for name in ["a.txt", "b.bin", ".env", ".git/config", "sub/.keep", "sub/c.txt"] {
        place.write(&format!("in/{name}"), name);
    }
    let answer = read(&place, &json!({"recursive": true, "include": "*.txt"}));
    assert_eq!(files(&answer), ["./a.txt", "sub/c.txt"]);
    let left_out = &answer.summary()["leftOut"];
    assert_eq!((&left_out["hidden"], &left_out["notIncluded"]), (&json!(3), &json!(1)));
    // A pattern may name the dot; directories have to be asked for.
    let answer = read(&place, &json!({"recursive": true, "include": ".*"}));
    assert_eq!(files(&answer), ["./.env", "sub/.keep"]);
    let answer = read(&place, &json!({"recursive": true, "includeHidden": true}));
    assert_eq!(
        files(&answer),
        ["./.env", ".git/config", "./a.txt", "./b.bin", "sub/.keep", "sub/c.txt"]
    );
    assert!(answer.summary().get("leftOut").is_none(), "{answer:?}");
}

#[test]
fn what_cannot_be_read_fails_and_the_rest_is_read() {
    use std::os::unix::ffi::OsStrExt;
    let place = Place::new();
    place.write("in/a.txt", "a");
    place.write("in/z.txt", "z");
    symlink("nowhere", place.path("in/dangling")).unwrap();
    let bad = std::ffi::OsStr::from_bytes(b"in/\xff");
    fs::create_dir(place.path(".").join(bad)).unwrap();
    let mut deep = place.path("in/d");
    for _ in 0..300 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    fs::write(deep.join("too-deep.txt"), "x").unwrap();
    let answer = read(&place, &json!({"recursive": true}));
    assert_eq!((answer.code, answer.counts()), (6, [2, 0, 0, 3]), "{answer:?}");
    assert_eq!(files(&answer), ["./a.txt", "./z.txt"]);
}

#[test]
fn files_of_one_name_in_two_directories_are_two_rows() {
    let place = Place::new();
    for name in ["in/a", "in/x/a", "in/y/a"] {
        place.write(name, "same");
        let touched =
            Command::new("touch").args(["-d", "2026-01-01"]).arg(place.path(name)).status();
        assert!(touched.unwrap().success());
    }
    place.process(json!([
        {"name": "read", "type": "readFiles", "directory": "in", "recursive": true},
        {"name": "store", "type": "database", "url": "sqlite:a.db", "table": "files"},
    ]));
    for _ in 0..2 {
        assert_eq!(run(&place, "json").code, 0);
        let connection = rusqlite::Connection::open(place.path("a.db")).unwrap();
        let rows: i64 =
            connection.query_row("SELECT count(*) FROM files", [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 3);
    }
}
