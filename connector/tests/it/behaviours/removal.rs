//! Deleting what was read.

use host_sdk::testing::{Callback, Fault, MemoryHost};
use host_sdk::{ErrorKind, Outcome};
use log::Level;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::logs;
use crate::support::{Answered, Bench, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Delete after reading", EveryRow => {
        "Get deletes the file after it was read": deletes_what_get_has_read,
        "Query deletes each file after it was read": deletes_what_query_has_read,
        "what cannot be deleted is a document of Get all the same, and a failure follows it":
            outputs_what_get_cannot_delete,
        "what cannot be deleted is a document of Query all the same, and a failure follows it":
            outputs_what_query_cannot_delete,
        "with Fail if unable to delete, Get withholds what the server says cannot be deleted":
            withholds_what_get_cannot_delete,
        "with Fail if unable to delete, Query withholds what the server says cannot be deleted":
            withholds_what_query_cannot_delete,
    }
    "Beyond", EveryRow => {
        "Get keeps the file when the host did not take its document":
            keeps_the_file_when_the_host_did_not_take_it,
        "Query deletes only what the host has taken": deletes_only_what_was_acknowledged,
    }
};

/// A file that may be read, in a directory that may not be written to.
const FIXED: &str = "readonly/inside.txt";

fn deletes_what_get_has_read(bench: &Bench) {
    for fail in [false, true] {
        bench.place("upload/take.txt", b"take me");
        let options = json!({"deleteAfterReading": true, "failIfUnableToDelete": fail});
        assert_eq!(bench.get(&options, "upload/take.txt").single().body, b"take me");
        assert!(bench.on_server("upload/take.txt").is_none());
    }
}

fn deletes_what_query_has_read(bench: &Bench) {
    let selected = json!({"property": "fileName", "operator": "wildcard", "value": "*.txt"});
    for fail in [false, true] {
        for name in ["a.txt", "b.txt", "other.csv"] {
            bench.place(&format!("upload/taken/{name}"), name.as_bytes());
        }
        let options = json!({"deleteAfterReading": true, "failIfUnableToDelete": fail});
        let read = bench.query(&options, &selected, "upload/taken");
        assert_eq!(read.names(), ["a.txt", "b.txt"]);
        assert_eq!(bench.files_below("upload/taken"), ["other.csv"]);
    }
}

/// What a document that stays on the server comes to: it is output, a failure follows it, and a
/// warning names its file.
fn is_output(bench: &Bench, options: &Value, read: impl FnOnce(&Value) -> Answered) {
    let (answered, records) = logs::heard(|| read(options));
    let [document, failure] = &answered.results[..] else { panic!("{answered:?}") };
    assert_eq!((&*document.body, &document.outcome), (&b"readable"[..], &Outcome::Success));
    assert_eq!(
        (&*failure.body, matches!(failure.outcome, Outcome::Failure(_))),
        (&b""[..], true),
        "{failure:?}"
    );
    let warned = records.iter().any(|record| {
        record.level == Level::Warn && record.message.contains("/readonly/inside.txt")
    });
    assert!(warned, "{records:?}");
    assert!(bench.on_server(FIXED).is_some());
}

fn outputs_what_get_cannot_delete(bench: &Bench) {
    is_output(bench, &json!({"deleteAfterReading": true}), |options| bench.get(options, FIXED));
}

fn outputs_what_query_cannot_delete(bench: &Bench) {
    is_output(bench, &json!({"deleteAfterReading": true}), |options| {
        bench.query(options, &Value::Null, "readonly")
    });
}

/// Whether the server says beforehand that the file cannot be deleted.
fn is_denied_beforehand(bench: &Bench) -> bool {
    let listed = bench.list(&json!({}), &Value::Null, "readonly").json();
    let file = listed.iter().find(|entry| entry["fileName"] == "inside.txt").unwrap();
    file["perm"].as_str().is_some_and(|perm| perm.contains('r') && !perm.contains('d'))
}

fn withholds_what_get_cannot_delete(bench: &Bench) {
    let options = json!({"deleteAfterReading": true, "failIfUnableToDelete": true});
    if !is_denied_beforehand(bench) {
        return is_output(bench, &options, |options| bench.get(options, FIXED));
    }
    let error = bench.get(&options, FIXED).refusal();
    assert_eq!(error.kind(), ErrorKind::Permission);
    assert!(bench.on_server(FIXED).is_some());
}

fn withholds_what_query_cannot_delete(bench: &Bench) {
    let options = json!({"deleteAfterReading": true, "failIfUnableToDelete": true});
    if !is_denied_beforehand(bench) {
        return is_output(bench, &options, |options| {
            bench.query(options, &Value::Null, "readonly")
        });
    }
    let answered = bench.query(&options, &Value::Null, "readonly");
    assert_eq!(answered.results.len(), 1);
    let told = &answered.results[0];
    assert_eq!(told.body, b"");
    assert_eq!(told.outcome.error().unwrap().kind(), ErrorKind::Permission);
    assert!(matches!(told.outcome, Outcome::Failure(_)), "{told:?}");
    assert!(bench.on_server(FIXED).is_some());
}

fn keeps_the_file_when_the_host_did_not_take_it(bench: &Bench) {
    bench.place("upload/keep.txt", b"keep me");
    let failure = host_sdk::Error::new(ErrorKind::Host, "disk full");
    let host = MemoryHost::new().on(Callback::Finish, Fault::Fail(failure));
    let input = host.add_request(&[("id", "upload/keep.txt")]);
    let operation = json!({"operation": "get", "options": {"deleteAfterReading": true}});
    bench.execute(&operation, &host).unwrap();
    assert_eq!(host.answer(input).unwrap().error().unwrap().kind(), ErrorKind::Host);
    assert_eq!(bench.on_server("upload/keep.txt").unwrap(), b"keep me");
}

fn deletes_only_what_was_acknowledged(bench: &Bench) {
    for number in 1..=3 {
        bench.place(&format!("upload/inbox/{number}.txt"), b"x");
    }
    let failure = host_sdk::Error::new(ErrorKind::Host, "refused");
    let host = MemoryHost::new().on_nth(Callback::Finish, 2, Fault::Fail(failure));
    let header = with_properties(&[("remoteDirectory", "upload/inbox")]);
    host.add_input(header, "");
    let operation = json!({"operation": "query", "options": {"deleteAfterReading": true}});
    bench.execute(&operation, &host).unwrap();
    assert_eq!(host.results().len(), 2);
    let left = std::fs::read_dir(bench.server.root().join("upload/inbox")).unwrap().count();
    assert_eq!(left, 1);
}
