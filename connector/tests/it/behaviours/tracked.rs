//! The properties that documents carry in and out.

use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::support::{Answered, Bench, with_id, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Tracked properties", EveryRow => {
        "Remote Directory is an input of every operation": takes_remote_directory_everywhere,
        "File Name is an input of Create, and an output of Query and Get":
            takes_and_tells_file_names,
        "Remote Directory is an output of Query and Get": tells_remote_directories,
        "Timestamp is an output of Query, and of Get with Include all metadata": tells_timestamps,
        "a Timestamp reads yyyy-MM-dd HH:mm:ss.SSS wherever it is told": tells_times_in_one_form,
    }
};

/// Executes `operation` with the ID `id`.
fn directed(bench: &Bench, operation: &Value, id: &str, properties: &[(&str, &str)]) -> Answered {
    let mut header = with_id(id);
    header.properties = with_properties(properties).properties;
    bench.document(operation, header, "tracked")
}

fn takes_remote_directory_everywhere(bench: &Bench) {
    let bench = &bench.with(&json!({"remoteDirectory": "many"}));
    let inside = ("remoteDirectory", "upload/tracked");
    let create = json!({"operation": "create"});
    let created = directed(bench, &create, "", &[inside, ("fileName", "t.txt")]).json();
    assert_eq!(created[0]["remoteDirectory"], "/upload/tracked");
    let listed = directed(bench, &json!({"operation": "list"}), "", &[inside]).json();
    assert_eq!(listed[0]["fileName"], "t.txt");
    let queried = directed(bench, &json!({"operation": "query"}), "", &[inside]).single();
    assert_eq!(queried.body, b"tracked");
    let got = directed(bench, &json!({"operation": "get"}), "t.txt", &[inside]).single();
    assert_eq!(got.body, b"tracked");
    let deleted = directed(bench, &json!({"operation": "delete"}), "t.txt", &[inside]);
    assert_eq!(deleted.success(), []);
    assert_eq!(bench.files_below("upload/tracked"), Vec::<String>::new());
}

fn takes_and_tells_file_names(bench: &Bench) {
    bench.create(&json!({}), "upload/named/n.txt", b"n").single();
    assert!(bench.on_server("upload/named/n.txt").is_some());
    let got = bench.get(&json!({}), "upload/named/n.txt");
    let queried = bench.query(&json!({}), &Value::Null, "upload/named");
    assert_eq!(
        (got.names(), queried.names()),
        (vec!["n.txt".to_owned()], vec!["n.txt".to_owned()])
    );
}

fn tells_remote_directories(bench: &Bench) {
    let got = bench.get(&json!({}), "dir/sub/c.txt").single();
    let queried = bench.query(&json!({}), &Value::Null, "dir/sub").single();
    for result in [got, queried] {
        assert_eq!(result.properties.get("remoteDirectory"), Some("/dir/sub"));
    }
}

fn tells_timestamps(bench: &Bench) {
    let old = json!({"property": "fileName", "operator": "equals", "value": "old.txt"});
    let queried = bench.query(&json!({}), &old, "").single();
    assert!(queried.properties.get("timestamp").unwrap().starts_with("2001-02-03 "));
    let got = |options: Value| bench.get(&options, "old.txt").single().properties;
    assert_eq!(got(json!({})).get("timestamp"), None);
    let with_metadata = got(json!({"includeAllMetadata": true}));
    assert_eq!(with_metadata.get("timestamp"), Some("2001-02-03 04:05:06.000"));
}

fn tells_times_in_one_form(bench: &Bench) {
    let metadata = json!({"includeAllMetadata": true});
    let created = bench.create(&metadata, "upload/formed/t.txt", b"t").json();
    let listed = bench.list(&json!({}), &Value::Null, "upload/formed").json();
    let queried = bench.query(&json!({}), &Value::Null, "upload/formed").single();
    let got = bench.get(&metadata, "upload/formed/t.txt").single();
    let form = regex::Regex::new(r"^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}\.\d{3}$").unwrap();
    for told in [
        created[0]["timestamp"].as_str(),
        listed[0]["timestamp"].as_str(),
        queried.properties.get("timestamp"),
        got.properties.get("timestamp"),
    ] {
        assert!(form.is_match(told.unwrap()), "{told:?}");
    }
}
