//! What every operation has: how refused documents go on.

use host_sdk::testing::MemoryHost;
use host_sdk::{ErrorKind, InputHeader, Outcome};
use serde_json::json;

use super::{Behaviour, parity};
use crate::support::{Bench, with_id, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Shared fields", EveryRow => {
        "without Return Application Error Responses a refused document is an error":
            refuses_documents,
        "with Return Application Error Responses a refused document flows on":
            lets_refused_documents_flow_on,
        "the document that flows on tells the error's code and message":
            tells_code_and_message_of_a_refusal,
        "with Return Application Error Responses Query tells each file that is refused":
            lets_refused_files_flow_on,
    }
};

/// A request that each operation refuses, with the kind of the refusal.
fn refusals() -> [(&'static str, InputHeader, ErrorKind); 6] {
    let nowhere = || with_properties(&[("remoteDirectory", "no such directory")]);
    [
        ("create", with_properties(&[("fileName", " ")]), ErrorKind::Document),
        ("query", nowhere(), ErrorKind::NotFound),
        ("get", with_id(""), ErrorKind::Document),
        ("list", nowhere(), ErrorKind::NotFound),
        ("delete", with_id("upload/no such file"), ErrorKind::NotFound),
        ("delete", with_id("a\nb"), ErrorKind::Document),
    ]
}

fn refuses_documents(bench: &Bench) {
    for options in [json!({}), json!({"returnApplicationErrors": false})] {
        for (id, header, kind) in refusals() {
            let operation = json!({"operation": id, "options": options});
            let error = bench.request(&operation, header).refusal();
            assert_eq!(error.kind(), kind, "{id}: {error:?}");
        }
    }
}

fn lets_refused_documents_flow_on(bench: &Bench) {
    let options = json!({"returnApplicationErrors": true});
    for (id, header, kind) in refusals() {
        let operation = json!({"operation": id, "options": options});
        let results = bench.request(&operation, header).success();
        assert_eq!(results.len(), 1, "{id}");
        let Outcome::ApplicationError(error) = &results[0].outcome else {
            panic!("{id}: {:?}", results[0])
        };
        assert_eq!(error.kind(), kind, "{id}: {error:?}");
    }
}

fn tells_code_and_message_of_a_refusal(bench: &Bench) {
    let host = MemoryHost::new();
    host.add_request(&[("id", "upload/no such file")]);
    host.add_request(&[("id", " ")]);
    let operation = json!({"operation": "delete", "options": {"returnApplicationErrors": true}});
    bench.execute(&operation, &host).unwrap();
    let results = host.results();
    let told = |at: usize| {
        let error = results[at].outcome.error().unwrap();
        (error.code(), error.message().to_owned())
    };
    assert_eq!(results.len(), 2);
    assert_eq!(told(0).0, "550");
    assert!(told(0).1.contains("no such file"), "{}", told(0).1);
    assert_eq!(told(1).0, "document");
    assert!(told(1).1.contains("ID is blank"), "{}", told(1).1);
}

fn lets_refused_files_flow_on(bench: &Bench) {
    let forbidden = json!({"property": "fileName", "operator": "equals", "value": "noread.txt"});
    let told = |returned: bool| {
        let options = json!({"returnApplicationErrors": returned});
        let results: Vec<Outcome> = bench
            .query(&options, &forbidden, "")
            .results
            .into_iter()
            .map(|result| result.outcome)
            .collect();
        results
    };
    let (on, off) = (told(true), told(false));
    assert_eq!((on.len(), off.len()), (1, 1));
    assert!(matches!(&on[0], Outcome::ApplicationError(e) if e.kind() == ErrorKind::Permission));
    assert!(matches!(&off[0], Outcome::Failure(e) if e.kind() == ErrorKind::Permission));
}
