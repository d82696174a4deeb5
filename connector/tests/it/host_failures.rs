//! The host's own side fails in the middle: nothing half-done is left under its name, nothing is
//! tried again, and the next request works.

use host_sdk::testing::{Callback, Fault, MemoryHost};
use host_sdk::{Error, ErrorKind};
use serde_json::json;

use crate::support::{with_id, with_properties};
use crate::transcript::{Play, Transcript};

fn disk_full() -> Fault {
    Fault::Fail(Error::new(ErrorKind::Host, "disk full"))
}

#[test]
fn a_full_disk_ends_a_download_and_not_the_next_one() {
    let session = "otherwise SIZE * < 213 5\n@login\n> EPSV\npassive EPSV\n> RETR /a.txt\n\
                   < 150 Here.\ndata send \"hello\"\ndata close\n";
    let script = format!("{session}expect close\nconnection\n{session}< 226 Done.\n");
    let settings = json!({"retry": {"attempts": 3, "delay": 0}});
    let mut play = Play::start(&Transcript::parse(&script).script(), &settings);
    let host = MemoryHost::new().on(Callback::Write, disk_full());
    let input = host.add_input(with_id("a.txt"), Vec::new());
    let operation = play.connection().operation(&json!({"operation": "get"})).unwrap();
    let _ = host.execute(operation.as_ref());
    assert_eq!(host.answer(input).unwrap().error().unwrap().kind(), ErrorKind::Host);
    assert_eq!(host.results(), []);
    play.request("get", "a.txt");
    assert_eq!(play.take_last().results[0].body, b"hello");
    play.end().assert_matched();
}

#[test]
fn a_source_that_fails_publishes_nothing() {
    let script = "@login\n> EPSV\npassive EPSV\n> STOR {name}\n< 150 Go.\ndata receive\n\
                  expect close\nconnection\n@login\n> DELE /b.txt.*\n< 250 Done.\n";
    let settings = json!({"retry": {"attempts": 3, "delay": 0}});
    let play = Play::start(&Transcript::parse(script).script(), &settings);
    let host = MemoryHost::new().on_nth(Callback::Read, 2, disk_full());
    let input = host.add_input(with_properties(&[("fileName", "b.txt")]), "half of it");
    let operation = json!({"operation": "create", "options": {"actionIfFileExists": "overwrite"}});
    let operation = play.connection().operation(&operation).unwrap();
    let _ = host.execute(operation.as_ref());
    assert_eq!(host.answer(input).unwrap().error().unwrap().kind(), ErrorKind::Host);
    play.end().assert_matched();
}
