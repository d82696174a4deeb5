//! What `run` prints.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::support::{Place, echo, message};

#[test]
fn every_line_has_its_shape() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "{{\"n\":1}}"), ("bad", "2")]),
        echo("there", json!({"refuse": "bad", "log": "noted"})),
    ]));
    let answer = place.run();
    let hex = |value: &Value| value.as_str().is_some_and(|text| text.len() == 64);
    for line in answer.lines() {
        match line["event"].as_str().unwrap() {
            "document" => {
                assert!(line["step"].is_string() && line["document"].is_u64(), "{line}");
                assert!(line["bytes"].is_u64() && line["properties"].is_object(), "{line}");
                assert_eq!(hex(&line["sha256"]), line["status"] == "success", "{line}");
                assert_eq!(line["error"].is_object(), line["status"] != "success", "{line}");
            }
            "log" => {
                assert!(line["level"].is_string() && line["target"].is_string(), "{line}");
                assert_eq!((&line["step"], &line["message"]), (&json!("there"), &json!("noted")));
            }
            "summary" => {
                assert!(line["bytes"].is_u64() && line["seconds"].is_f64(), "{line}");
                assert!(line["errors"].is_array(), "{line}");
            }
            other => panic!("unknown event {other}"),
        }
    }
    assert_eq!(answer.of_step("there")[0]["json"], json!({"n": 1}));
    assert!(answer.lines().iter().any(|line| line["event"] == "log"));
    assert_eq!(answer.summary()["status"], "partial");
}

#[test]
fn text_goes_to_people_and_results_to_standard_output() {
    let place = Place::new();
    place.process(json!([message(&[("a", "x"), ("b", "{{\"n\":1}}")]), echo("there", json!({}))]));
    let answer = place.answer(&["run", "process.json"]);
    assert_eq!(answer.stdout, "1\t1 B\ta\n{\"n\":1}\n", "{answer:?}");
    assert!(answer.stderr.starts_with("2 documents; 8 B in "), "{answer:?}");
    let quiet = place.answer(&["run", "process.json", "--quiet"]);
    assert_eq!((quiet.code, &*quiet.stdout, &*quiet.stderr), (0, "", ""));
}

#[test]
#[cfg(unix)]
fn an_interruption_cancels_cleanly() {
    let place = Place::new();
    let wait = json!({"name": "wait", "type": "connector", "connection": "e",
                      "operation": "wait", "options": {"log": "waiting"}});
    place.process(json!([wait]));
    let mut child = place
        .program(&["run", "process.json", "--output", "json"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The handler is set before the first connector is loaded.
    assert!(lines.next().unwrap().unwrap().contains("waiting"));
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
    assert_eq!(last["status"], "failure");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_deadline_ends_what_does_not_end() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "1")]),
        {"name": "wait", "type": "connector", "connection": "e", "operation": "wait"},
    ]));
    let arguments = ["run", "process.json", "--deadline", "1", "--output", "json"];
    let answer = place.answer(&arguments);
    assert_eq!(answer.code, 5, "{answer:?}");
    assert_eq!(answer.summary()["status"], "failure");
}
