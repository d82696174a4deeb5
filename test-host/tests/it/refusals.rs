//! Processes and libraries that are refused before anything is done.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Place, echo, message};

/// A process that is right.
fn right() -> Value {
    json!({
        "$schema": "schemas/process.schema.json",
        "process": "test",
        "connections": {"e": {"connector": "echo", "prefix": "x"}},
        "steps": [
            message(&[("a", "1")]),
            echo("there", json!({"copies": 1})),
            {"name": "store", "type": "database", "url": "sqlite:a.db", "table": "files"},
        ],
    })
}

/// The right process with `value` at `pointer`.
fn with(pointer: &str, value: Value) -> Value {
    let mut process = right();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    match process.pointer_mut(parent).unwrap() {
        Value::Array(items) => items[key.parse::<usize>().unwrap()] = value,
        object => object[key] = value,
    }
    process
}

fn without(pointer: &str) -> Value {
    let mut process = right();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    process.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(key);
    process
}

#[test]
fn every_misfit_is_placed_and_explained() {
    let cases: Vec<(Value, &str, &str)> = vec![
        (with("/procss", json!(1)), "$.procss", "did you mean \"process\"?"),
        (without("/process"), "$.process", "is missing"),
        (with("/process", json!(" ")), "$.process", "is blank"),
        (with("/steps", json!([])), "$.steps", "is empty"),
        (with("/steps", json!({})), "$.steps", "expected an array, found an object"),
        (with("/connections", json!([])), "$.connections", "expected an object"),
        (without("/connections/e/connector"), "$.connections.e.connector", "is missing"),
        (
            with("/connections/e/connector", json!("ecoh")),
            "$.connections.e.connector",
            "did you mean \"echo\"?",
        ),
        (
            with("/connections/e/prefx", json!("x")),
            "$.connections.e.prefx",
            "did you mean \"prefix\"?",
        ),
        (with("/connections/e/prefix", json!(1)), "$.connections.e.prefix", "expected text"),
        (with("/steps/1/connection", json!("f")), "$.steps[1].connection", "did you mean \"e\"?"),
        (with("/steps/1/operation", json!("ehco")), "$.steps[1].operation", "mean \"echo\"?"),
        (with("/steps/1/options/copies", json!("x")), "$.steps[1].options.copies", "an integer"),
        (with("/steps/1/options/copies", json!(-1)), "$.steps[1].options.copies", "0 to 1000"),
        (with("/steps/1/options/cpies", json!(1)), "$.steps[1].options.cpies", "\"copies\""),
        (with("/steps/1/optoins", json!({})), "$.steps[1].optoins", "did you mean \"options\"?"),
        (with("/steps/1/filter", json!({"and": []})), "$.steps[1].filter", "takes no filter"),
        (
            with("/steps/1/parameters", json!({"id": "x"})),
            "$.steps[1].parameters.id",
            "has no parameter \"id\"",
        ),
        (with("/steps/1/parameters", json!({"id": 1})), "$.steps[1].parameters.id", "text"),
        (with("/steps/1/continueOnError", json!("no")), "$.steps[1].continueOnError", "true or"),
        (with("/steps/1/name", json!("make")), "$.steps[1].name", "earlier step"),
        (without("/steps/1/name"), "$.steps[1].name", "is missing"),
        (without("/steps/1/type"), "$.steps[1].type", "\"connector\""),
        (with("/steps/1/type", json!("databse")), "$.steps[1].type", "did you mean \"database\"?"),
        (with("/steps/1", json!("x")), "$.steps[1]", "expected an object, found text"),
        (with("/steps/2/url", json!("postgres://h/d")), "$.steps[2].url", "not supported yet"),
        (with("/steps/2/url", json!("mysql://h/d")), "$.steps[2].url", "sqlite:"),
        (with("/steps/2/table", json!("a; drop")), "$.steps[2].table", "letters"),
        (with("/steps/0", right()["steps"][2].clone()), "$.steps[2].name", "earlier step"),
        (
            with("/steps/0/documents/0/content", json!("{fileName")),
            "$.steps[0].documents[0].content",
            "without \"}\"",
        ),
        (
            with("/steps/0/documents/0/properties/x", json!("{nwo:yyyy}")),
            "$.steps[0].documents[0].properties.x",
            "did you mean \"now\"?",
        ),
        (with("/steps/0/documents/0/contnt", json!("x")), "$.steps[0].documents[0].contnt", "mean"),
    ];
    let place = Place::new();
    place.write("right.json", right().to_string());
    assert_eq!(place.answer(&["validate", "right.json"]).code, 0);
    for (number, (process, _, _)) in cases.iter().enumerate() {
        place.write(&format!("{number}.json"), process.to_string());
    }
    let names: Vec<String> = (0..cases.len()).map(|number| format!("{number}.json")).collect();
    let arguments: Vec<&str> = ["validate", "--output", "json"]
        .into_iter()
        .chain(names.iter().map(String::as_str))
        .collect();
    let answer = place.answer(&arguments);
    assert_eq!(answer.code, 2, "{answer:?}");
    for ((process, path, part), line) in cases.iter().zip(answer.lines()) {
        let message = line["message"].as_str().unwrap_or_else(|| panic!("valid: {process}"));
        assert!(message.contains(&format!(": {path}: ")), "{path}: {message}");
        assert!(message.contains(part), "{part}: {message}");
    }
    let first = place.answer(&["run", "0.json"]);
    assert_eq!((first.code, &*first.stdout), (2, ""));
    assert!(
        first.stderr.contains("error: 0.json:1:")
            && first.stderr.contains(": $.procss: unknown field"),
        "{first:?}"
    );
    assert!(!place.path("a.db").exists());
}

#[test]
fn what_is_not_json_is_placed_by_line_and_column() {
    let place = Place::new();
    place.write("process.json", "{\n  \"process\": \"p\",\n  oops\n}");
    let answer = place.run();
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("process.json:3:3: "), "{answer:?}");
    assert_eq!(place.answer(&["run", "missing.json"]).code, 2);
}

#[test]
fn the_first_step_must_produce_documents() {
    let place = Place::new();
    place.process(json!([{"name": "store", "type": "database", "url": "sqlite:a", "table": "t"}]));
    let answer = place.run();
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("$.steps[0].type"), "{answer:?}");
    place.process(json!([
        message(&[("a", "1")]), {"name": "read", "type": "readFiles", "directory": "."}
    ]));
    let answer = place.run();
    assert_eq!(answer.code, 2);
    assert!(answer.stderr.contains("$.steps[1].type"), "{answer:?}");
}

#[test]
fn a_library_that_is_no_connector_is_exit_code_7() {
    let place = Place::new();
    place.process(json!([message(&[("a", "1")]), echo("there", json!({}))]));
    let name = crate::support::connectors().read_dir().unwrap().next().unwrap().unwrap();
    let library = place.path("lib").join(name.file_name());
    fs::create_dir(place.path("lib")).unwrap();
    fs::write(&library, "not a library").unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_test-host"));
    command.arg("--connector-path").arg(place.path("lib"));
    let output = command.arg("run").arg(place.path("process.json")).output().unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(stderr.contains(library.to_str().unwrap()), "{stderr}");
}
