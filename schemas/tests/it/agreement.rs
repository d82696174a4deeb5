//! The code gives every example the same verdict as its schema, at the same place.

use host_sdk::{ConnectorDescriptor, Error};
use serde_json::{Value, json};
use test_host::cancellation::Cancellation;
use test_host::pipeline::{Prepared, Refusal};
use test_host::process::Process;

use crate::libraries::connectors;
use crate::support::{invalid_examples, is_same_place, valid_examples};

/// What the test host says to `process` before it runs it.
pub(crate) fn prepare(process: &Value) -> Result<Prepared, Error> {
    let process = Process::parse(&without_references(process).to_string())?;
    Prepared::new(process, &connectors(), &Cancellation::new()).map_err(|refusal| {
        match refusal.rooted() {
            Refusal::Process(error) => error,
            other => panic!("{other}"),
        }
    })
}

/// `process` with texts for the references to secrets: whether they can be followed is another
/// matter.
fn without_references(process: &Value) -> Value {
    let mut process = process.clone();
    if let Some(connections) = process.get_mut("connections") {
        replace_references(connections);
    }
    process
}

fn replace_references(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let is_reference = object.len() == 1
                && object.keys().all(|key| ["env", "file", "command"].contains(&key.as_str()))
                && object.values().all(|value| value.is_string() || value.is_array());
            if is_reference {
                *value = json!("secret");
            } else {
                object.values_mut().for_each(replace_references);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(replace_references),
        _ => {}
    }
}

/// The pointer of an error's path: `$.steps[0].name` is `/steps/0/name`.
fn pointer(error: &Error) -> String {
    let path = error.report().path.as_deref().unwrap_or_default();
    path.trim_start_matches('$').replace('[', ".").replace(']', "").replace('.', "/")
}

fn connection_in_process(connection: &Value) -> Value {
    let steps = json!([{"name": "s", "type": "message", "documents": [{"content": ""}]}]);
    json!({"process": "p", "connections": {"c": connection}, "steps": steps})
}

fn operation_in_process(operation: &Value) -> Value {
    let mut step = operation.clone();
    step["name"] = json!("s");
    step["type"] = json!("connector");
    step["connection"] = json!("c");
    // Alone, an operation stores nothing of what it removes.
    step["discard"] = json!(true);
    let connection = json!({"connector": "ftp", "host": "localhost"});
    let mut steps = vec![step];
    if operation.to_string().contains("{fileName}") {
        // What a template names comes from an earlier step.
        let document = json!({"content": "", "properties": {"fileName": "a"}});
        steps.insert(0, json!({"name": "m", "type": "message", "documents": [document]}));
    }
    json!({"process": "p", "connections": {"c": connection}, "steps": steps})
}

/// Makes sure that the code thinks of the examples of `schema` what the schema does; an example is
/// at `prefix` of the process that `wrap` makes.
fn agrees(schema: &str, prefix: &str, wrap: fn(&Value) -> Value) {
    for (name, example) in valid_examples(schema) {
        if let Err(error) = prepare(&wrap(&example)) {
            panic!("{schema}/{name} is refused at {}: {error}", pointer(&error));
        }
    }
    for example in invalid_examples(schema) {
        let place = format!("{prefix}{}", example.place);
        match prepare(&wrap(&example.instance)) {
            Ok(_) => panic!("{} is taken", example.name),
            Err(error) => assert!(
                is_same_place(&pointer(&error), &place),
                "{} is refused at {}, not {place}: {error}",
                example.name,
                pointer(&error)
            ),
        }
    }
}

#[test]
fn connections_are_taken_and_refused_alike() {
    agrees("connection", "/connections/c", connection_in_process);
}

#[test]
fn operations_are_taken_and_refused_alike() {
    agrees("operation", "/steps/0", operation_in_process);
}

#[test]
fn processes_are_taken_and_refused_alike() {
    agrees("process", "", Value::clone);
}

#[test]
fn descriptors_are_read_and_refused_alike() {
    for (name, example) in valid_examples("descriptor") {
        let read: ConnectorDescriptor = serde_json::from_value(example.clone()).unwrap();
        let again = serde_json::to_value(&read).unwrap();
        let back: ConnectorDescriptor = serde_json::from_value(again).unwrap();
        assert_eq!(back, read, "{name}");
    }
    for example in invalid_examples("descriptor") {
        let read = serde_json::from_value::<ConnectorDescriptor>(example.instance);
        assert!(read.is_err(), "{} is read", example.name);
    }
}
