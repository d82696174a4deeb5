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
    reads_directories_below_as_deep_as_asked,
    follows_links_when_asked,
    reads_in_the_order_asked_for,
    leaves_files_that_are_too_young,
    moves_after_reading_without_losing_what_is_there,
    reads_several_at_once,
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

fn reads_directories_below_as_deep_as_asked(bench: &Bench) {
    let names = |depth: i64| bench.query(&json!({"recursive": depth}), &Value::Null, "dir").names();
    assert_eq!(names(0), ["a.txt", "b.csv"]);
    assert_eq!(names(1), ["a.txt", "b.csv", "c.txt"]);
    assert_eq!(names(-1), ["a.txt", "b.csv", "c.txt"]);
    let results = bench.query(&json!({"recursive": -1}), &Value::Null, "dir").success();
    let deep = results.iter().find(|result| result.properties.get("fileName") == Some("c.txt"));
    let directory = deep.unwrap().properties.get("remoteDirectory").unwrap();
    assert!(directory.ends_with("/dir/sub"), "{directory}");
}

fn follows_links_when_asked(bench: &Bench) {
    let linked = json!({"property": "fileName", "operator": "equals", "value": "link-file"});
    let options = json!({"followSymbolicLinks": true});
    if quirks::shows_links(bench) {
        assert_eq!(bench.query(&json!({}), &linked, "").names(), Vec::<String>::new());
    }
    if quirks::shows_dangling_links(bench) {
        let answered = bench.query(&options, &linked, "");
        assert_eq!(answered.refusal().kind(), ErrorKind::NotFound);
    }
    let dangling = bench.server.root().join("link-dangling");
    std::fs::remove_file(&dangling).unwrap();
    let followed = bench.query(&options, &linked, "");
    std::os::unix::fs::symlink("nowhere", dangling).unwrap();
    if !quirks::lists_but_does_not_read(bench, "link-file") {
        assert_eq!(followed.single().body, b"hello\nworld\n");
    }
}

fn reads_in_the_order_asked_for(bench: &Bench) {
    bench.place("upload/order/b.txt", b"333");
    bench.place("upload/order/c.txt", b"1");
    bench.place("upload/order/a.txt", b"22");
    let order = |by: &str, maximum: i64| -> Vec<String> {
        let options = json!({"sortBy": by, "maximumFiles": maximum});
        let results = bench.query(&options, &Value::Null, "upload/order").success();
        results.iter().map(|result| result.properties.get("fileName").unwrap().to_owned()).collect()
    };
    assert_eq!(order("fileName", -1), ["a.txt", "b.txt", "c.txt"]);
    assert_eq!(order("size", 2), ["c.txt", "a.txt"]);
}

fn leaves_files_that_are_too_young(bench: &Bench) {
    bench.place("upload/ages/young.txt", b"young");
    bench.place("upload/ages/old.txt", b"old");
    bench.age("upload/ages/old.txt", std::time::Duration::from_secs(3600));
    let options = json!({"minimumAge": 600_000});
    assert_eq!(bench.query(&options, &Value::Null, "upload/ages").names(), ["old.txt"]);
}

fn moves_after_reading_without_losing_what_is_there(bench: &Bench) {
    bench.place("upload/moving/m.txt", b"second");
    bench.place("upload/moving/done/m.txt", b"first");
    let options = json!({"moveAfterReading": "done", "failIfUnableToDelete": true});
    let read = bench.query(&options, &Value::Null, "upload/moving").single();
    assert_eq!(read.body, b"second");
    assert!(bench.on_server("upload/moving/m.txt").is_none());
    assert_eq!(bench.on_server("upload/moving/done/m.txt").unwrap(), b"first");
    assert_eq!(bench.on_server("upload/moving/done/m1.txt").unwrap(), b"second");
}

fn reads_several_at_once(bench: &Bench) {
    let results = bench.query(&json!({"parallelTransfers": 3}), &Value::Null, "many").success();
    assert_eq!(results.len(), 25);
    for result in results {
        let name = result.properties.get("fileName").unwrap();
        assert_eq!(Some(result.body), bench.on_server(&format!("many/{name}")), "{name}");
    }
}
