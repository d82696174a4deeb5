//! How a runtime and the connector talk with each other.

use std::collections::BTreeSet;
use std::net::TcpListener;

use host_sdk::testing::{Callback, Fault, MemoryHost};
use host_sdk::{BrowseRequest, CheckStatus, ErrorKind, Outcome, Status};
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::support::{Bench, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Runtime contract", EveryRow => {
        "every input is answered exactly once: by results, by none, or by a refusal":
            answers_every_input_once,
        "after a refused document the others go on": goes_on_after_refusals,
        "one input can have one result, many, or none": gives_one_or_many_or_none,
        "results arrive as a stream, before the last one is there": streams_results,
        "properties belong to their own input": takes_properties_of_each_input,
        "browse tells the one object type of every operation": browses_object_types,
        "browse tells the profile of output documents, and they keep to it":
            keeps_to_the_profiles,
        "the connection test tells that all is well": finds_a_good_connection_good,
        "the connection test explains what is wrong": explains_a_bad_connection,
    }
};

fn answers_every_input_once(bench: &Bench) {
    let host = MemoryHost::new();
    let ids = ["hello.txt", "missing.txt", "", "many/f01.dat", "a\nb"];
    let inputs = ids.map(|id| host.add_request(&[("id", id)]));
    // Executing checks that nothing was answered twice and no result came after its answer.
    bench.execute(&json!({"operation": "get"}), &host).unwrap();
    assert_eq!(host.unanswered(), Vec::<u64>::new());
    assert_eq!(host.calls(Callback::InputDone), ids.len());
    let answers = inputs.map(|input| {
        let results = host.results().iter().filter(|result| result.input == input).count();
        (host.answer(input).unwrap().status(), results)
    });
    let refused = (Status::ApplicationError, 0);
    let (found, empty) = ((Status::Success, 1), (Status::Success, 0));
    assert_eq!(answers, [found, empty, refused, found, refused]);
}

fn goes_on_after_refusals(bench: &Bench) {
    for (operation, id, bad) in
        [("get", "id", "\n"), ("delete", "id", "upload/nothing"), ("create", "fileName", " ")]
    {
        bench.place("upload/on/good.txt", b"good");
        let host = MemoryHost::new();
        let inputs = [bad, "upload/on/good.txt"].map(|value| {
            let mut header = with_properties(&[(id, value)]);
            header.parameters = [(id.to_owned(), value.to_owned())].into();
            host.add_input(header, "body")
        });
        bench.execute(&json!({"operation": operation}), &host).unwrap();
        let statuses = inputs.map(|input| host.answer(input).unwrap().status());
        assert_eq!(statuses, [Status::ApplicationError, Status::Success], "{operation}");
    }
}

fn gives_one_or_many_or_none(bench: &Bench) {
    assert_eq!(bench.create(&json!({}), "upload/count.txt", b"c").success().len(), 1);
    assert_eq!(bench.query(&json!({}), &Value::Null, "many").success().len(), 25);
    assert_eq!(bench.list(&json!({}), &Value::Null, "many").success().len(), 25);
    assert_eq!(bench.delete("upload/count.txt").success().len(), 0);
    assert_eq!(bench.get(&json!({}), "upload/count.txt").success().len(), 0);
}

fn streams_results(bench: &Bench) {
    let host = MemoryHost::new().on_nth(Callback::BeginResult, 3, Fault::Cancel);
    let input = host.add_input(with_properties(&[("remoteDirectory", "many")]), "");
    let error = bench.execute(&json!({"operation": "query"}), &host).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(host.results().len(), 2);
    assert!(!matches!(host.answer(input), Some(Outcome::Success)));
}

fn takes_properties_of_each_input(bench: &Bench) {
    let host = MemoryHost::new();
    for directory in ["dir", "", "dir/sub"] {
        host.add_input(with_properties(&[("remoteDirectory", directory)]), "");
    }
    let filter = json!({"property": "fileName", "operator": "regex", "value": "[ac].txt|old.txt"});
    bench.execute(&json!({"operation": "query", "filter": filter}), &host).unwrap();
    let names: Vec<(u64, String)> = host
        .results()
        .iter()
        .map(|result| (result.input, result.properties.get("fileName").unwrap().to_owned()))
        .collect();
    let expected = [(1, "a.txt"), (2, "old.txt"), (3, "c.txt")];
    assert_eq!(names, expected.map(|(input, name)| (input, name.to_owned())));
}

/// The answer to a question about the operation's files.
fn browse(bench: &Bench, operation: &str, object_type: Option<&str>) -> host_sdk::BrowseAnswer {
    let operation = operation.to_owned();
    let request = BrowseRequest { operation, object_type: object_type.map(str::to_owned) };
    bench.connection.browse(&request, MemoryHost::new().context()).unwrap()
}

fn browses_object_types(bench: &Bench) {
    for operation in ["create", "query", "get", "list", "delete"] {
        let answer = browse(bench, operation, None);
        let types: Vec<(&str, &str)> =
            answer.object_types.iter().map(|it| (it.id.as_str(), it.label.as_str())).collect();
        assert_eq!(types, [("file", "File")], "{operation}");
        let has_profile = browse(bench, operation, Some("file")).output_profile.is_some();
        assert_eq!(has_profile, matches!(operation, "create" | "list"), "{operation}");
    }
    let request = BrowseRequest { operation: "upload".to_owned(), object_type: None };
    let error = bench.connection.browse(&request, MemoryHost::new().context()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

fn keeps_to_the_profiles(bench: &Bench) {
    let metadata = json!({"includeAllMetadata": true});
    let documents = [
        ("create", bench.create(&json!({}), "upload/profile.txt", b"p").json()),
        ("create", bench.create(&metadata, "upload/profile.txt", b"p").json()),
        ("list", bench.list(&json!({}), &Value::Null, "dir").json()),
    ];
    for (operation, documents) in documents {
        let profile = browse(bench, operation, Some("file")).output_profile.unwrap();
        assert_eq!(profile["$schema"], "https://json-schema.org/draft/2020-12/schema");
        let declared: BTreeSet<&String> =
            profile["properties"].as_object().unwrap().keys().collect();
        let required = profile["required"].as_array().unwrap();
        for document in documents {
            let keys: BTreeSet<&String> = document.as_object().unwrap().keys().collect();
            assert!(keys.is_subset(&declared), "{document}");
            assert!(required.iter().all(|id| document.get(id.as_str().unwrap()).is_some()));
        }
    }
}

fn finds_a_good_connection_good(bench: &Bench) {
    let report = bench.connection.test(MemoryHost::new().context()).unwrap();
    assert!(report.is_usable(), "{report:#?}");
    for name in ["tcp", "login", "listing"] {
        let found = report.findings.iter().find(|finding| finding.name == name);
        assert_eq!(found.unwrap().status, CheckStatus::Ok, "{report:#?}");
    }
}

fn explains_a_bad_connection(bench: &Bench) {
    let failed = |changes: &Value| {
        let report = bench.with(changes).connection.test(MemoryHost::new().context()).unwrap();
        assert!(!report.is_usable(), "{report:#?}");
        let failed = report.findings.into_iter().find(|it| it.status == CheckStatus::Failed);
        (report.error.unwrap().kind(), failed.unwrap())
    };
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (kind, finding) = failed(&json!({"port": closed, "retry": {"attempts": 1}}));
    assert_eq!((kind, finding.name.as_str()), (ErrorKind::Connection, "tcp"), "{finding:?}");
    assert!(finding.advice.is_some(), "{finding:?}");
    let (kind, finding) = failed(&json!({"remoteDirectory": "no such directory"}));
    assert_eq!((kind, finding.name.as_str()), (ErrorKind::NotFound, "remoteDirectory"));
    assert!(finding.advice.unwrap().contains("remoteDirectory"));
}
