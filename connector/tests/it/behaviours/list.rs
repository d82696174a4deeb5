//! List.

use host_sdk::ErrorKind;
use serde_json::{Value, json};

use super::{Behaviour, behaviours};
use crate::support::Bench;

pub(super) const BEHAVIOURS: &[Behaviour] = behaviours![
    tells_every_entry_of_a_directory,
    tells_types_and_links,
    limits_its_results,
    finds_an_empty_directory_empty,
    refuses_a_missing_directory,
    filters_by_type,
];

fn names(documents: &[Value]) -> Vec<&str> {
    let mut names: Vec<&str> =
        documents.iter().map(|document| document["fileName"].as_str().unwrap()).collect();
    names.sort_unstable();
    names
}

fn tells_every_entry_of_a_directory(bench: &Bench) {
    let documents = bench.list(&json!({}), &Value::Null, "many").json();
    let expected: Vec<String> = (1..=25).map(|n| format!("f{n:02}.dat")).collect();
    assert_eq!(names(&documents), expected);
    for document in &documents {
        assert_eq!(document["size"], 2);
        assert_eq!(document["fileType"], "regular_file");
        assert!(document["remoteDirectory"].as_str().unwrap().ends_with("/many"));
    }
}

fn tells_types_and_links(bench: &Bench) {
    let documents = bench.list(&json!({}), &Value::Null, "").json();
    let find = |name: &str| {
        documents
            .iter()
            .find(|document| document["fileName"] == name)
            .unwrap_or_else(|| panic!("{name}"))
    };
    assert_eq!(find("dir")["fileType"], "directory");
    assert_eq!(find("hello.txt")["size"], 12);
    assert_eq!(find(" lead.txt")["fileType"], "regular_file");
    assert!(find("old.txt")["timestamp"].as_str().unwrap().starts_with("2001-02-03"));
}

fn limits_its_results(bench: &Bench) {
    let documents = bench.list(&json!({"maximumResults": 3}), &Value::Null, "many").json();
    assert_eq!(documents.len(), 3);
}

fn finds_an_empty_directory_empty(bench: &Bench) {
    assert_eq!(bench.list(&json!({}), &Value::Null, "empty").json(), Vec::<Value>::new());
}

fn refuses_a_missing_directory(bench: &Bench) {
    let error = bench.list(&json!({}), &Value::Null, "no such directory").refusal();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn filters_by_type(bench: &Bench) {
    let filter = json!({"property": "fileType", "operator": "equals", "value": "directory"});
    let documents = bench.list(&json!({}), &filter, "dir").json();
    assert_eq!(names(&documents), ["sub"]);
}
