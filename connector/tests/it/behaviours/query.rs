//! Query.

use host_sdk::conformance::MemoryResult;
use host_sdk::{ErrorKind, Outcome};
use serde_json::{Value, json};

use super::{Behaviour, behaviours};
use crate::quirks;
use crate::support::Bench;

pub(super) const BEHAVIOURS: &[Behaviour] = behaviours![
    reads_every_file_of_a_directory,
    filters_by_name_and_time,
    limits_its_files,
    finds_an_empty_directory_an_empty_success,
    refuses_a_missing_directory,
    deletes_only_what_was_acknowledged,
    goes_on_after_a_file_it_cannot_read,
];

fn reads_every_file_of_a_directory(bench: &Bench) {
    let results = bench.query(&json!({}), &Value::Null, "many").success();
    assert_eq!(results.len(), 25);
    for result in results {
        let name = result.properties.get("fileName").unwrap();
        assert_eq!(Some(result.body), bench.on_server(&format!("many/{name}")), "{name}");
        assert!(result.properties.get("remoteDirectory").unwrap().ends_with("/many"));
        assert!(result.properties.get("timestamp").is_some());
    }
}

fn filters_by_name_and_time(bench: &Bench) {
    let filter = json!({"or": [
        {"property": "fileName", "operator": "wildcard", "value": "f0?.dat"},
        {"property": "fileName", "operator": "regex", "value": r"f2[0-2]\.dat"},
    ]});
    assert_eq!(bench.query(&json!({}), &filter, "many").names().len(), 9 + 3);
    let filter = json!({"and": [
        {"property": "timestamp", "operator": "lessThan", "value": "2002-01-01 00:00:00.000"},
        {"property": "fileName", "operator": "notEquals", "value": "x"},
    ]});
    assert_eq!(bench.query(&json!({}), &filter, "").names(), ["old.txt"]);
    let filter = json!({"property": "fileName", "operator": "equals", "value": "many/f01.dat"});
    assert_eq!(bench.query(&json!({}), &filter, "").names(), Vec::<String>::new());
}

fn limits_its_files(bench: &Bench) {
    assert_eq!(bench.query(&json!({"maximumFiles": 2}), &Value::Null, "many").names().len(), 2);
}

fn finds_an_empty_directory_an_empty_success(bench: &Bench) {
    assert_eq!(bench.query(&json!({}), &Value::Null, "empty").success(), []);
}

fn refuses_a_missing_directory(bench: &Bench) {
    let error = bench.query(&json!({}), &Value::Null, "no such directory").refusal();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

fn deletes_only_what_was_acknowledged(bench: &Bench) {
    use host_sdk::conformance::{Callback, MemoryHost, Reaction};
    for number in 1..=3 {
        bench.place(&format!("upload/inbox/{number}.txt"), b"x");
    }
    let failure = host_sdk::Error::new(ErrorKind::Host, "refused");
    let host = MemoryHost::new().on_nth(Callback::Finish, 2, Reaction::Fail(failure));
    let header = crate::support::with_properties(&[("remoteDirectory", "upload/inbox")]);
    host.add_input(header, "");
    let operation = json!({"operation": "query", "options": {"deleteAfterReading": true}});
    bench.execute(&operation, &host).unwrap();
    assert_eq!(host.results().len(), 2);
    let left = std::fs::read_dir(bench.server.root().join("upload/inbox")).unwrap().count();
    assert_eq!(left, 1);
}

fn goes_on_after_a_file_it_cannot_read(bench: &Bench) {
    let results = bench.query(&json!({}), &Value::Null, "").success();
    let (good, bad): (Vec<&MemoryResult>, Vec<&MemoryResult>) =
        results.iter().partition(|result| result.outcome == Outcome::Success);
    for name in ["hello.txt", "one-mib.bin", " lead.txt", "old.txt"] {
        assert!(
            good.iter().any(|result| result.properties.get("fileName") == Some(name)),
            "{name}"
        );
    }
    let forbidden = "noread.txt";
    let (expected, unexpected): (Vec<&MemoryResult>, Vec<&MemoryResult>) = bad
        .iter()
        .copied()
        .partition(|result| result.properties.get("fileName") == Some(forbidden));
    for result in &expected {
        assert_eq!(result.outcome.error().unwrap().kind(), ErrorKind::Permission);
    }
    assert_eq!(expected.is_empty(), quirks::reads_everything(bench), "{bad:?}");
    for result in unexpected {
        let name = result.properties.get("fileName").unwrap();
        assert!(quirks::lists_but_does_not_read(bench, name), "{name}: {:?}", result.outcome);
    }
}
