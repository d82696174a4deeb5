//! Query.

use host_sdk::testing::MemoryResult;
use host_sdk::{ErrorKind, Outcome};
use serde_json::{Value, json};

use super::{Behaviour, parity};
use crate::quirks;
use crate::support::Bench;

pub(super) const CASES: &[Behaviour] = parity! {
    "Query", EveryRow => {
        "each matching file becomes one document, its content the body":
            reads_every_file_of_a_directory,
        "documents carry File Name, Remote Directory and Timestamp, and how exact that is":
            carries_name_directory_and_time,
        "directories below are left out": leaves_directories_below_out,
        "-1 and nothing as the maximum are all files": reads_all_without_a_maximum,
        "a positive maximum is kept": limits_its_files,
        "0 as the maximum is an error": refuses_a_maximum_of_zero,
        "an empty directory is an empty success": finds_an_empty_directory_an_empty_success,
        "a missing directory is an error": refuses_a_missing_directory,
        "links are followed only when asked": follows_links_when_asked,
        "a link whose target is inaccessible is an error when links are followed":
            refuses_a_link_to_nowhere,
        "a file that cannot be read is told, and the others go on":
            goes_on_after_a_file_it_cannot_read,
    }
    "Beyond", EveryRow => {
        "directories below are read as deep as asked": reads_directories_below_as_deep_as_asked,
        "files are read in the order asked for": reads_in_the_order_asked_for,
        "polling leaves files alone that are too young": leaves_files_that_are_too_young,
        "a file is moved after reading, and none is lost by it":
            moves_after_reading_without_losing_what_is_there,
        "several files are read at once": reads_several_at_once,
    }
};

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

fn carries_name_directory_and_time(bench: &Bench) {
    for result in bench.query(&json!({}), &Value::Null, "dir").success() {
        let ids: Vec<&str> = result.properties.iter().map(|(id, _)| id).collect();
        let expected = [
            "fileName",
            "relativeDirectory",
            "remoteDirectory",
            "timestamp",
            "timestampPrecision",
            "timestampUtc",
        ];
        assert_eq!(ids, expected);
        assert_eq!(result.properties.get("remoteDirectory"), Some("/dir"));
    }
}

fn leaves_directories_below_out(bench: &Bench) {
    assert_eq!(bench.query(&json!({}), &Value::Null, "dir").names(), ["a.txt", "b.csv"]);
}

fn reads_all_without_a_maximum(bench: &Bench) {
    let count = |options: Value, directory: &str| {
        bench.query(&options, &Value::Null, directory).names().len()
    };
    assert_eq!(count(json!({"maximumFiles": -1}), "many"), 25);
    assert_eq!(count(json!({"maximumFiles": 1000}), "dir"), 2);
    assert_eq!(count(json!({}), "dir"), 2);
}

fn refuses_a_maximum_of_zero(bench: &Bench) {
    for maximum in [0, -2] {
        let operation = json!({"operation": "query", "options": {"maximumFiles": maximum}});
        let error = bench.refused(&operation);
        assert_eq!(error.report().path.as_deref(), Some("options.maximumFiles"), "{error:?}");
    }
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

/// The filter that selects `name` alone.
fn named(name: &str) -> Value {
    json!({"property": "fileName", "operator": "equals", "value": name})
}

fn follows_links_when_asked(bench: &Bench) {
    let target = bench.server.root().join("hello.txt");
    bench.place("upload/links/plain.txt", b"plain");
    std::os::unix::fs::symlink("../../hello.txt", bench.server.root().join("upload/links/link"))
        .unwrap();
    let linked = named("link");
    if quirks::shows_links(bench) {
        let left = bench.query(&json!({}), &linked, "upload/links");
        assert_eq!(left.names(), Vec::<String>::new());
    }
    let options = json!({"followSymbolicLinks": true});
    let followed = bench.query(&options, &linked, "upload/links");
    if !quirks::lists_but_does_not_read(bench, "link-file") {
        assert_eq!(followed.single().body, std::fs::read(target).unwrap());
    }
    let plain = bench.query(&options, &named("plain.txt"), "upload/links");
    assert_eq!(plain.single().body, b"plain");
}

fn refuses_a_link_to_nowhere(bench: &Bench) {
    bench.place("upload/nowhere/plain.txt", b"plain");
    std::os::unix::fs::symlink("missing", bench.server.root().join("upload/nowhere/link")).unwrap();
    let answered = |options: Value| bench.query(&options, &Value::Null, "upload/nowhere");
    if quirks::shows_dangling_links(bench) {
        let results = answered(json!({"followSymbolicLinks": true})).success();
        let errors: Vec<_> = results.iter().filter_map(|result| result.outcome.error()).collect();
        assert_eq!(errors.len(), 1, "{results:?}");
        assert_eq!(errors[0].kind(), ErrorKind::NotFound);
        assert!(results.iter().any(|result| result.body == b"plain"), "{results:?}");
        let strict = json!({"followSymbolicLinks": true, "strictListing": true});
        assert_eq!(answered(strict).refusal().kind(), ErrorKind::NotFound);
    }
    let results = answered(json!({})).success();
    let plain: Vec<&MemoryResult> =
        results.iter().filter(|result| result.outcome == Outcome::Success).collect();
    assert_eq!(plain.len(), 1);
    assert_eq!(plain[0].body, b"plain");
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
