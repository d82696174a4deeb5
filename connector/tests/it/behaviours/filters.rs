//! Filters, which Query and List share.

use std::time::{Duration, SystemTime};

use host_sdk::ErrorKind;
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::support::Bench;

pub(super) const CASES: &[Behaviour] = parity! {
    "Query", EveryRow => {
        "every operator on File Name selects files": selects_files_by_name,
        "every operator on Timestamp selects files": selects_files_by_time,
        "groups of AND and OR select files however they nest": selects_files_by_nested_groups,
        "a filter value with a directory in it matches nothing": matches_no_directories,
        "a Timestamp value in another form is an error": refuses_files_by_other_times,
        "wildcard and regular expression work on the Timestamp's text":
            matches_the_text_of_times,
    }
    "List", EveryRow => {
        "every operator on File Name selects entries": selects_entries_by_name,
        "every operator on Timestamp selects entries": selects_entries_by_time,
        "groups of AND and OR select entries however they nest":
            selects_entries_by_nested_groups,
        "every operator on File Type selects entries": selects_entries_by_type,
        "a Timestamp value that is no time is an error": refuses_entries_by_other_times,
    }
};

/// Files with the day of March 2001 that they are dated with, at midnight: listings tell no more
/// about files so old.
const FILES: [(&str, u64); 3] = [("a.txt", 2), ("b.csv", 3), ("c.txt", 4)];

/// The last second of February 2001, in seconds since 1970.
const BEFORE_MARCH: u64 = 983_404_800;

const FOLDER: &str = "upload/filters";

/// Asks a filter, for the names that it selects.
type Ask = fn(&Bench, &Value) -> Vec<String>;

fn queried(bench: &Bench, filter: &Value) -> Vec<String> {
    bench.query(&json!({}), filter, FOLDER).names()
}

fn listed(bench: &Bench, filter: &Value) -> Vec<String> {
    let documents = bench.list(&json!({}), filter, FOLDER).json();
    let mut names: Vec<String> =
        documents.iter().map(|entry| entry["fileName"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

/// Each filter selects what is written beside it; at least one selects nothing.
fn prove(bench: &Bench, ask: Ask, cases: &[(Value, &[&str])]) {
    for (name, day) in FILES {
        let path = format!("{FOLDER}/{name}");
        bench.place(&path, name.as_bytes());
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(BEFORE_MARCH + (day - 1) * 86_400);
        let file = std::fs::File::options().append(true).open(bench.server.root().join(path));
        file.unwrap().set_modified(time).unwrap();
    }
    for (filter, expected) in cases {
        assert_eq!(ask(bench, filter), *expected, "{filter}");
    }
}

fn name(operator: &str, value: &str) -> Value {
    json!({"property": "fileName", "operator": operator, "value": value})
}

fn time(operator: &str, value: &str) -> Value {
    json!({"property": "timestamp", "operator": operator, "value": value})
}

fn by_name(bench: &Bench, ask: Ask) {
    let cases: [(Value, &[&str]); 10] = [
        (name("equals", "b.csv"), &["b.csv"]),
        (name("equals", "B.csv"), &[]),
        (name("notEquals", "b.csv"), &["a.txt", "c.txt"]),
        (name("lessThan", "b.csv"), &["a.txt"]),
        (name("greaterThan", "b.csv"), &["c.txt"]),
        (name("wildcard", "*.txt"), &["a.txt", "c.txt"]),
        (name("wildcard", "?.csv"), &["b.csv"]),
        (name("wildcard", "a"), &[]),
        (name("regex", r"[ab]\..+"), &["a.txt", "b.csv"]),
        (name("regex", "txt"), &[]),
    ];
    prove(bench, ask, &cases);
}

fn by_time(bench: &Bench, ask: Ask) {
    let third = "2001-03-03 00:00:00.000";
    let cases: [(Value, &[&str]); 6] = [
        (time("equals", third), &["b.csv"]),
        (time("notEquals", third), &["a.txt", "c.txt"]),
        (time("lessThan", third), &["a.txt"]),
        (time("greaterThan", third), &["c.txt"]),
        (time("wildcard", "2001-03-0? 00:*"), &["a.txt", "b.csv", "c.txt"]),
        (time("regex", r"2001-03-0[23] .*\.000"), &["a.txt", "b.csv"]),
    ];
    prove(bench, ask, &cases);
}

fn by_nested_groups(bench: &Bench, ask: Ask) {
    let (a, b, c) = (name("equals", "a.txt"), name("equals", "b.csv"), name("equals", "c.txt"));
    let text = name("wildcard", "*.txt");
    let late = time("greaterThan", "2001-03-02 12:00:00.000");
    let cases: [(Value, &[&str]); 6] = [
        (json!({"and": [text, late]}), &["c.txt"]),
        (json!({"or": [text, late]}), &["a.txt", "b.csv", "c.txt"]),
        (json!({"and": [{"or": [a, b]}, {"or": [b, c]}]}), &["b.csv"]),
        (json!({"or": [{"and": [text, late]}, {"and": [a, text]}]}), &["a.txt", "c.txt"]),
        (json!({"and": [{"or": [{"and": [a, late]}, {"or": [{"and": [b]}]}]}]}), &["b.csv"]),
        (json!({"and": [a, b]}), &[]),
    ];
    prove(bench, ask, &cases);
}

/// Every operator that compares times wants one in its form, whichever operation asks.
fn refuses_other_times(bench: &Bench, operation: &str) {
    for value in ["yesterday", "03.03.2001", "2001-03-03T00:00:00.000", "2001-03-33 00:00:00.000"] {
        for operator in ["equals", "notEquals", "lessThan", "greaterThan"] {
            let filter = json!({"and": [time(operator, value)]});
            let error = bench.refused(&json!({"operation": operation, "filter": filter}));
            let path = error.report().path.as_deref();
            assert_eq!(path, Some("filter.and[0].value"), "{operator} {value}: {error:?}");
            assert!(error.message().contains("yyyy-MM-dd HH:mm:ss.SSS"), "{error:?}");
        }
    }
}

fn selects_files_by_name(bench: &Bench) {
    by_name(bench, queried);
}

fn selects_files_by_time(bench: &Bench) {
    by_time(bench, queried);
}

fn selects_files_by_nested_groups(bench: &Bench) {
    by_nested_groups(bench, queried);
}

fn selects_entries_by_name(bench: &Bench) {
    by_name(bench, listed);
}

fn selects_entries_by_time(bench: &Bench) {
    by_time(bench, listed);
}

fn selects_entries_by_nested_groups(bench: &Bench) {
    by_nested_groups(bench, listed);
}

fn refuses_files_by_other_times(bench: &Bench) {
    refuses_other_times(bench, "query");
}

fn refuses_entries_by_other_times(bench: &Bench) {
    refuses_other_times(bench, "list");
}

fn matches_no_directories(bench: &Bench) {
    for value in ["many/f01.dat", "/many/f01.dat", "./f01.dat"] {
        for operator in ["equals", "wildcard", "regex"] {
            let filter = name(operator, value);
            for directory in ["", "many"] {
                let found = bench.query(&json!({}), &filter, directory).names();
                assert_eq!(found, Vec::<String>::new(), "{filter} in {directory:?}");
            }
        }
    }
}

fn matches_the_text_of_times(bench: &Bench) {
    let cases: [(Value, &[&str]); 4] = [
        (time("wildcard", "*-03-03 *"), &["b.csv"]),
        (time("wildcard", "yesterday"), &[]),
        (time("regex", r"\d{4}-\d\d-0[24] \d\d:\d\d:\d\d\.\d{3}"), &["a.txt", "c.txt"]),
        (time("regex", "2001"), &[]),
    ];
    prove(bench, queried, &cases);
    let error = bench.refused(&json!({"operation": "query", "filter": time("regex", "(")}));
    assert_eq!(error.kind(), ErrorKind::Configuration);
}

fn selects_entries_by_type(bench: &Bench) {
    let kind = |operator: &str, value: &str| -> Value {
        json!({"property": "fileType", "operator": operator, "value": value})
    };
    let cases: [(Value, &[&str]); 6] = [
        (kind("equals", "directory"), &["sub"]),
        (kind("equals", "regular_file"), &["a.txt", "b.csv"]),
        (kind("equals", "symbolic_link"), &[]),
        (kind("notEquals", "regular_file"), &["sub"]),
        (kind("wildcard", "d*y"), &["sub"]),
        (kind("regex", "(regular|other)_file"), &["a.txt", "b.csv"]),
    ];
    for (filter, expected) in cases {
        let documents = bench.list(&json!({}), &filter, "dir").json();
        let mut names: Vec<&str> =
            documents.iter().map(|entry| entry["fileName"].as_str().unwrap()).collect();
        names.sort_unstable();
        assert_eq!(names, expected, "{filter}");
    }
}
