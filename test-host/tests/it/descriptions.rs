//! The commands that look at connectors.

use serde_json::json;

use crate::support::{Place, echo, message};

#[test]
fn connectors_are_listed_and_described() {
    let place = Place::new();
    let listed = place.answer(&["connectors", "--output", "json"]);
    assert_eq!(listed.lines()[0]["manifest"]["id"], "echo", "{listed:?}");
    let described = place.answer(&["describe", "echo", "--format", "json"]);
    let descriptor: serde_json::Value = serde_json::from_str(&described.stdout).unwrap();
    assert_eq!(descriptor["id"], "echo");
    let text = place.answer(&["describe"]);
    assert!(text.stdout.contains("Operation echo: Echo"), "{text:?}");
    let xml = place.answer(&["describe", "echo", "--format", "xml"]);
    assert!(xml.stdout.contains("<GenericConnectorDescriptor"), "{xml:?}");
    let unknown = place.answer(&["describe", "ecoh"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean \"echo\"?"), "{unknown:?}");
}

#[test]
fn connections_are_checked_and_browsed() {
    let place = Place::new();
    place.process(json!([message(&[("a", "1")]), echo("there", json!({}))]));
    let checked = place.answer(&["check", "process.json", "--output", "json"]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(checked.lines()[0]["usable"], true);
    assert_eq!(place.answer(&["check", "process.json", "f"]).code, 2);
    let browsed = place.answer(&["browse", "process.json", "e", "echo", "--output", "json"]);
    assert_eq!(browsed.lines()[0]["id"], "document", "{browsed:?}");
    assert_eq!(place.answer(&["browse", "process.json", "e", "frobnicate"]).code, 2);
}

#[test]
fn wrong_usage_is_exit_code_2_and_help_is_none() {
    let place = Place::new();
    assert_eq!(place.answer(&["frobnicate"]).code, 2);
    assert_eq!(place.answer(&["run"]).code, 2);
    let help = place.answer(&["--help"]);
    assert_eq!((help.code, help.stderr.is_empty()), (0, true));
    assert!(place.answer(&["completions", "bash"]).stdout.contains("test-host"));
}

#[test]
fn the_environment_names_directories_of_connectors() {
    let place = Place::new();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_test-host"));
    let paths = [place.path("nothing"), crate::support::connectors().to_owned()];
    command.env("CONNECTOR_PATH", std::env::join_paths(paths).unwrap());
    let output = command.args(["connectors"]).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("echo\t"));
}
