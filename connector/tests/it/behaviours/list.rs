//! List.

use host_sdk::ErrorKind;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::quirks;
use crate::support::Bench;

pub(super) const CASES: &[Behaviour] = parity! {
    "List", EveryRow => {
        "each entry becomes one JSON document of its six fields, and how exact the time is": tells_its_fields,
        "the Remote Directory of an entry is absolute": tells_absolute_directories,
        "an entry is a regular_file, a directory or a symbolic_link": tells_types,
        "the link path is null unless the entry is a link": tells_where_links_lead,
        "-1 and nothing as the maximum are all entries": lists_all_without_a_maximum,
        "a positive maximum is kept": limits_its_results,
        "0 as the maximum is an error": refuses_a_maximum_of_no_entries,
        "an empty directory has no documents": finds_an_empty_directory_empty,
        "a missing directory is an error": refuses_to_list_a_missing_directory,
    }
    "Beyond", EveryRow => {
        "entries have their size": tells_every_entry_of_a_directory,
        "directories below are listed as deep as asked": lists_directories_below_as_deep_as_asked,
        "entries are told in the order that is asked for": lists_in_the_order_asked_for,
        "files that are too young are left out": leaves_out_files_that_are_too_young,
    }
};

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

/// The document of the entry `name` of the server's root.
fn entry(bench: &Bench, name: &str) -> Value {
    let documents = bench.list(&json!({}), &Value::Null, "").json();
    let found = documents.into_iter().find(|document| document["fileName"] == name);
    found.unwrap_or_else(|| panic!("{name} is not listed"))
}

fn tells_its_fields(bench: &Bench) {
    let documents = bench.list(&json!({}), &Value::Null, "dir").json();
    assert_eq!(names(&documents), ["a.txt", "b.csv", "sub"]);
    for document in documents {
        let keys: Vec<&str> = document
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            // What only some servers tell.
            .filter(|key| !["perm", "permissions", "unique"].contains(key))
            .collect();
        let expected = [
            "fileName",
            "fileType",
            "linkPath",
            "remoteDirectory",
            "size",
            "timestamp",
            "timestampPrecision",
            "timestampUtc",
        ];
        assert_eq!(keys, expected);
    }
    assert!(entry(bench, "old.txt")["timestamp"].as_str().unwrap().starts_with("2001-02-03"));
}

fn tells_absolute_directories(bench: &Bench) {
    let based = bench.with(&json!({"remoteDirectory": "dir"}));
    let below = |directory: &str| based.list(&json!({}), &Value::Null, directory).json();
    assert!(below("").iter().all(|document| document["remoteDirectory"] == "/dir"));
    assert!(below("dir/sub").iter().all(|document| document["remoteDirectory"] == "/dir/sub"));
    assert_eq!(names(&below("dir/sub")), ["c.txt"]);
}

fn tells_types(bench: &Bench) {
    assert_eq!(entry(bench, "dir")["fileType"], "directory");
    assert_eq!(entry(bench, " lead.txt")["fileType"], "regular_file");
    let link = entry(bench, "link-file");
    let shown = if quirks::shows_links(bench) { "symbolic_link" } else { "regular_file" };
    assert_eq!(link["fileType"], shown);
}

fn tells_where_links_lead(bench: &Bench) {
    for name in ["dir", "hello.txt"] {
        assert_eq!(entry(bench, name)["linkPath"], Value::Null, "{name}");
    }
    let expected = if quirks::tells_link_targets(bench) { json!("hello.txt") } else { Value::Null };
    assert_eq!(entry(bench, "link-file")["linkPath"], expected);
}

fn lists_all_without_a_maximum(bench: &Bench) {
    for options in [json!({}), json!({"maximumResults": -1}), json!({"maximumResults": 1000})] {
        let documents = bench.list(&options, &Value::Null, "many").json();
        assert_eq!(documents.len(), 25, "{options}");
    }
}

fn refuses_a_maximum_of_no_entries(bench: &Bench) {
    for maximum in [0, -2] {
        let operation = json!({"operation": "list", "options": {"maximumResults": maximum}});
        let error = bench.refused(&operation);
        assert_eq!(error.report().path.as_deref(), Some("options.maximumResults"), "{error:?}");
    }
}

fn lists_directories_below_as_deep_as_asked(bench: &Bench) {
    let listed = |depth: i64| bench.list(&json!({"recursive": depth}), &Value::Null, "dir").json();
    assert_eq!(names(&listed(0)), ["a.txt", "b.csv", "sub"]);
    assert_eq!(names(&listed(-1)), ["a.txt", "b.csv", "c.txt", "sub"]);
}

fn limits_its_results(bench: &Bench) {
    let documents = bench.list(&json!({"maximumResults": 3}), &Value::Null, "many").json();
    assert_eq!(documents.len(), 3);
}

fn finds_an_empty_directory_empty(bench: &Bench) {
    assert_eq!(bench.list(&json!({}), &Value::Null, "empty").json(), Vec::<Value>::new());
}

fn refuses_to_list_a_missing_directory(bench: &Bench) {
    let error = bench.list(&json!({}), &Value::Null, "no such directory").refusal();
    assert_eq!(error.kind(), ErrorKind::NotFound);
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
