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
    lists_in_the_order_asked_for,
    leaves_out_files_that_are_too_young,
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

fn lists_in_the_order_asked_for(bench: &Bench) {
    bench.place("upload/sorted/b.txt", b"333");
    bench.place("upload/sorted/c.txt", b"1");
    bench.place("upload/sorted/a.txt", b"22");
    let order = |by: &str, maximum: i64| -> Vec<String> {
        let options = json!({"sortBy": by, "maximumResults": maximum});
        let documents = bench.list(&options, &Value::Null, "upload/sorted").json();
        documents.iter().map(|one| one["fileName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(order("fileName", -1), ["a.txt", "b.txt", "c.txt"]);
    assert_eq!(order("size", 2), ["c.txt", "a.txt"]);
}

fn leaves_out_files_that_are_too_young(bench: &Bench) {
    bench.place("upload/aged/directory/x.txt", b"x");
    bench.place("upload/aged/young.txt", b"young");
    bench.place("upload/aged/old.txt", b"old");
    bench.age("upload/aged/old.txt", std::time::Duration::from_secs(3600));
    let options = json!({"minimumAge": 600_000});
    let documents = bench.list(&options, &Value::Null, "upload/aged").json();
    assert_eq!(names(&documents), ["directory", "old.txt"]);
}
