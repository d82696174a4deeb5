//! Delete.

use host_sdk::ErrorKind;
use serde_json::json;

use super::{Behaviour, behaviours};
use crate::support::{Bench, with_id};

pub(super) const BEHAVIOURS: &[Behaviour] = behaviours![
    deletes_relative_and_absolute,
    finds_a_missing_file_an_error,
    refuses_a_blank_id_and_goes_on,
    returns_refusals_as_documents_when_asked,
];

fn deletes_relative_and_absolute(bench: &Bench) {
    bench.place("upload/one.txt", b"1");
    assert_eq!(bench.delete("upload/one.txt").success(), []);
    assert!(bench.on_server("upload/one.txt").is_none());
    bench.place("upload/two.txt", b"2");
    let documents = bench.create(&json!({}), "upload/where.txt", b"").json();
    let directory = documents[0]["remoteDirectory"].as_str().unwrap();
    bench.delete(&format!("{directory}/two.txt")).success();
    assert!(bench.on_server("upload/two.txt").is_none());
}

fn finds_a_missing_file_an_error(bench: &Bench) {
    let error = bench.delete("upload/missing.txt").refusal();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.report().reply.is_some());
}

fn refuses_a_blank_id_and_goes_on(bench: &Bench) {
    bench.place("upload/next.txt", b"n");
    let host = host_sdk::conformance::MemoryHost::new();
    let blank = host.add_request(&[("id", "")]);
    let good = host.add_request(&[("id", "upload/next.txt")]);
    bench.execute(&json!({"operation": "delete"}), &host).unwrap();
    assert_eq!(host.answer(blank).unwrap().error().unwrap().kind(), ErrorKind::Document);
    assert!(host.answer(good).unwrap().error().is_none());
    assert!(bench.on_server("upload/next.txt").is_none());
}

fn returns_refusals_as_documents_when_asked(bench: &Bench) {
    let operation = json!({"operation": "delete", "options": {"returnApplicationErrors": true}});
    let results = bench.request(&operation, with_id("upload/missing.txt")).success();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0].outcome.error().unwrap().kind(), ErrorKind::NotFound);
}
