//! Delete.

use host_sdk::testing::MemoryHost;
use host_sdk::{ErrorKind, Outcome};
use serde_json::json;

use super::{Behaviour, parity};
use crate::support::Bench;

pub(super) const CASES: &[Behaviour] = parity! {
    "Delete", EveryRow => {
        "a relative ID is appended to the Remote Directory, an absolute one overrides it":
            deletes_relative_and_absolute,
        "a missing file is an error": finds_a_missing_file_an_error,
        "a blank ID is an error, and the next input goes on": refuses_a_blank_id_and_goes_on,
        "an invalid ID is an error": refuses_an_invalid_id,
        "one ID for each input document, and success yields no document":
            yields_no_document,
    }
};

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
    let host = MemoryHost::new();
    let blank = host.add_request(&[("id", "")]);
    let good = host.add_request(&[("id", "upload/next.txt")]);
    bench.execute(&json!({"operation": "delete"}), &host).unwrap();
    assert_eq!(host.answer(blank).unwrap().error().unwrap().kind(), ErrorKind::Document);
    assert!(host.answer(good).unwrap().error().is_none());
    assert!(bench.on_server("upload/next.txt").is_none());
}

fn refuses_an_invalid_id(bench: &Bench) {
    for id in ["upload/a\r\nDELE hello.txt", "upload/a\nb", "upload/a\0b", "upload/", "/"] {
        assert_eq!(bench.delete(id).refusal().kind(), ErrorKind::Document, "{id:?}");
    }
    assert!(bench.on_server("hello.txt").is_some());
}

fn yields_no_document(bench: &Bench) {
    let host = MemoryHost::new();
    let inputs: Vec<u64> = (1..=3)
        .map(|number| {
            let name = format!("upload/doomed/{number}.txt");
            bench.place(&name, b"x");
            host.add_request(&[("id", &name)])
        })
        .collect();
    bench.execute(&json!({"operation": "delete"}), &host).unwrap();
    assert!(inputs.iter().all(|input| host.answer(*input) == Some(Outcome::Success)));
    assert_eq!(host.results(), []);
    assert_eq!(bench.files_below("upload/doomed"), Vec::<String>::new());
}
