//! Steps one after the other.

use std::fs;

use serde_json::json;

use crate::support::{Place, echo, message};

#[test]
fn documents_flow_through_every_kind_of_step() {
    let place = Place::new();
    place.write("in/b.txt", "body of b");
    place.write("in/a.txt", "body of a");
    place.write("in/skipped.bin", "no");
    place.process(json!([
        {"name": "read", "type": "readFiles", "directory": "in", "include": "*.txt"},
        echo("there", json!({})),
        {"name": "rename", "type": "setProperties",
         "properties": {"fileName": "{basename}-{copy}.{extension}"}},
        {"name": "keep", "type": "writeFiles", "directory": "out"},
        echo("back", json!({})),
        {"name": "note", "type": "message",
         "documents": [{"content": {"name": "{fileName}", "fixed": 1}}]},
        {"name": "store", "type": "database", "url": "sqlite:a.db", "table": "notes"},
    ]));
    let answer = place.run();
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(answer.counts(), [2, 0, 0, 0]);
    assert_eq!(place.names("out"), ["a-1.txt", "b-1.txt"]);
    assert_eq!(fs::read_to_string(place.path("out/a-1.txt")).unwrap(), "body of a");
    for step in ["read", "there", "rename", "keep", "back", "note", "store"] {
        let mut documents: Vec<_> = answer
            .of_step(step)
            .iter()
            .map(|event| (event["document"].as_u64().unwrap(), event["status"].clone()))
            .collect();
        documents.sort_by_key(|(document, _)| *document);
        assert_eq!(documents, [(1, json!("success")), (2, json!("success"))], "{step}");
    }
    let last = &answer.of_step("store")[0];
    assert_eq!(last["json"], json!({"name": "a-1.txt", "fixed": 1}));
    assert!(answer.of_step("note")[0].get("json").is_none());
    assert!(last["properties"]["timestamp"].is_string());
}

#[test]
fn some_failed_documents_are_exit_code_6() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "1"), ("bad", "2"), ("c", "3")]),
        echo("there", json!({"refuse": "bad"})),
    ]));
    let answer = place.run();
    assert_eq!(answer.code, 6, "{answer:?}");
    assert_eq!(answer.counts(), [2, 0, 1, 0]);
    let summary = answer.summary();
    assert_eq!(summary["status"], "partial");
    assert_eq!(summary["errors"][0]["document"], 2);
    assert_eq!(summary["errors"][0]["error"]["reply"]["code"], 550);
}

#[test]
fn one_input_may_have_many_results_or_none() {
    let place = Place::new();
    place
        .process(json!([message(&[("a", "1"), ("b", "2")]), echo("three", json!({"copies": 3})),]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (0, [6, 0, 0, 0]), "{answer:?}");
    place.process(json!([message(&[("a", "1")]), echo("none", json!({"copies": 0}))]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (0, [0, 1, 0, 0]), "{answer:?}");
    assert_eq!(answer.of_step("none")[0]["status"], "empty");
}

#[test]
fn small_results_flow_on_one_by_one() {
    let place = Place::new();
    place.process(json!([
        {"name": "list", "type": "connector", "connection": "e", "operation": "list",
         "options": {"copies": 200}},
        {"name": "rename", "type": "setProperties", "properties": {"fileName": "{name}.json"}},
        echo("there", json!({})),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (0, [200, 0, 0, 0]), "{answer:?}");
    assert_eq!(place.names("out").len(), 200);
}

#[test]
fn an_unknown_property_is_that_documents_error() {
    let place = Place::new();
    // The one document has it: only the other one fails.
    place.process(json!([
        {"name": "make", "type": "message", "documents": [
            {"content": "1", "properties": {"fileName": "a"}},
            {"content": "2", "properties": {"filename": "b"}},
        ]},
        {"name": "set", "type": "setProperties", "properties": {"x": "{filename}"}},
    ]));
    let answer = place.run();
    assert_eq!((answer.code, answer.counts()), (6, [1, 0, 0, 1]), "{answer:?}");
    let events = answer.of_step("set");
    let failed = events.iter().find(|event| event["status"] == "failure").unwrap();
    let error = &failed["error"];
    assert_eq!(error["kind"], "document");
    assert!(error["message"].as_str().unwrap().contains("did you mean \"fileName\"?"));
}
