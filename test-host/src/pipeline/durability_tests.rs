//! Processes that take documents from their source and store them nowhere.

use host_sdk::descriptor::{Field, FieldScope, InputKind};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::scripted::{Scripted, prepare};
use crate::cancellation::Cancellation;

fn connector() -> Scripted {
    Scripted::default()
        .with("query", InputKind::None, |_| Ok(()))
        .with("get", InputKind::Id, |_| Ok(()))
        .with("create", InputKind::Document, |_| Ok(()))
        .taking(vec![
            Field::boolean("delete", "Delete", false, "").consuming_source(),
            Field::text("move", "Move", "").consuming_source(),
            Field::boolean("compress", "Compress", false, ""),
        ])
}

fn connector_step(operation: &str, options: &Value) -> Value {
    json!({"name": operation, "type": "connector", "connection": "c", "operation": operation,
           "options": options})
}

/// Why `steps` are refused, if they are.
fn refusal(connector: Scripted, steps: &Value) -> Option<String> {
    let refusal = prepare(connector, steps, &Cancellation::new()).err()?;
    let Refusal::Process(error) = refusal else { panic!("{refusal}") };
    let path = error.report().path.clone().unwrap_or_default();
    Some(format!("{path}: {}", error.message()))
}

fn consuming() -> Value {
    connector_step("query", &json!({"delete": true}))
}

fn set() -> Value {
    json!({"name": "set", "type": "setProperties", "properties": {"a": "b"}})
}

fn note() -> Value {
    json!({"name": "note", "type": "message", "documents": [{"content": "x"}]})
}

fn keep() -> Value {
    json!({"name": "keep", "type": "writeFiles", "directory": "out"})
}

#[test]
fn what_leaves_its_source_must_be_stored() {
    let store = json!({"name": "store", "type": "database", "url": "sqlite:a.db", "table": "t"});
    let moving = connector_step("query", &json!({"move": "done"}));
    let get = connector_step("get", &json!({"delete": true}));
    let lost = [
        json!([consuming()]),
        json!([moving]),
        json!([consuming(), set()]),
        json!([consuming(), note()]),
        json!([consuming(), note(), keep()]),
        json!([consuming(), connector_step("get", &json!({})), keep()]),
        json!([note(), get]),
        json!([connector_step("query", &json!({})), keep(), get]),
    ];
    for steps in &lost {
        let refusal = refusal(connector(), steps).unwrap_or_else(|| panic!("taken: {steps}"));
        assert!(refusal.contains("\"discard\": true"), "{refusal}");
        assert!(refusal.contains("writeFiles"), "{refusal}");
    }
    let stored = [
        json!([consuming(), keep()]),
        json!([moving, set(), store]),
        json!([consuming(), connector_step("create", &json!({}))]),
        json!([consuming(), keep(), note()]),
        json!([note(), get, set(), keep()]),
        json!([connector_step("query", &json!({"delete": false, "move": " "}))]),
        json!([connector_step("query", &json!({"compress": true}))]),
    ];
    for steps in &stored {
        assert_eq!(refusal(connector(), steps), None, "{steps}");
    }
}

#[test]
fn the_refusal_names_the_setting_and_the_step_that_loses_them() {
    let told = refusal(connector(), &json!([consuming(), note(), keep()])).unwrap();
    assert!(told.contains("$.steps[0].options.delete"), "{told}");
    assert!(told.contains("step \"note\" replaces"), "{told}");
}

#[test]
fn documents_may_be_discarded_on_purpose() {
    let mut step = consuming();
    step["discard"] = json!(true);
    assert_eq!(refusal(connector(), &json!([step.clone()])), None);
    step["discard"] = json!(false);
    assert!(refusal(connector(), &json!([step])).is_some());
}

#[test]
fn a_default_and_a_setting_of_the_connection_count_as_well() {
    let by_default = Scripted::default()
        .with("query", InputKind::None, |_| Ok(()))
        .taking(vec![Field::boolean("take", "Take", true, "").consuming_source()]);
    let steps = |options: Value| json!([connector_step("query", &options)]);
    assert!(refusal(by_default.clone(), &steps(json!({}))).is_some());
    assert_eq!(refusal(by_default, &steps(json!({"take": false}))), None);

    let mut shared = Field::boolean("take", "Take", true, "").consuming_source();
    shared.scope = FieldScope::Both;
    let own =
        Field::new("take", "Take", host_sdk::descriptor::FieldType::Boolean, "").consuming_source();
    let of_connection = Scripted::default()
        .with("query", InputKind::None, |_| Ok(()))
        .taking(vec![own])
        .connected_by(vec![shared]);
    let told = refusal(of_connection.clone(), &steps(json!({}))).unwrap();
    assert!(told.contains("$.connections.c.take"), "{told}");
    assert_eq!(refusal(of_connection, &steps(json!({"take": false}))), None);
}
