//! Connectors that panic.

use serde_json::json;

use crate::support::{Place, echo, message};

#[test]
fn a_panic_in_a_connector_is_an_error_and_the_host_goes_on() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "1"), ("b", "2")]),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
        echo("there", json!({"panic": "execute"})),
    ]));
    let answer = place.run();
    assert_eq!(answer.code, 1, "{answer:?}");
    assert_eq!(answer.counts(), [0, 0, 0, 2]);
    let summary = answer.summary();
    assert_eq!(summary["status"], "failure");
    assert!(
        summary["errors"].as_array().unwrap().iter().any(|entry| {
            entry["error"]["kind"] == "internal"
                && entry["error"]["message"].as_str().unwrap().contains("asked to panic")
        }),
        "{answer:?}"
    );
}

#[test]
fn a_panic_while_settings_are_checked_is_internal() {
    let place = Place::new();
    place.process(json!([message(&[("a", "1")]), echo("there", json!({"panic": "operation"}))]));
    let process = std::fs::read_to_string(place.path("process.json")).unwrap();
    let panics =
        process.replace("\"connector\":\"echo\"", "\"connector\":\"echo\",\"panic\":\"connect\"");
    assert_ne!(panics, process);
    place.write("process.json", panics);
    let answer = place.run();
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.stderr.contains("asked to panic in connect"), "{answer:?}");
}
