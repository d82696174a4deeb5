//! The schema of process files: what the model derives, and what it cannot say.

use host_sdk::ConnectorDescriptor;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};
use test_host::process::Process;

use crate::{derived, shape};

/// The schema; connections and steps of the connector of `descriptor` are checked to the last
/// setting.
pub(crate) fn schema(descriptor: &ConnectorDescriptor) -> Value {
    let mut schema = derived::<Process>(SchemaSettings::draft2020_12());
    shape::unless_null(&mut schema);
    let definitions = &mut schema["$defs"];
    shape::by_tag(&mut definitions["Step"], "type");
    definitions["Filter"] = filter(&definitions["Filter"]);
    let is_of_connector =
        json!({"properties": {"connector": {"const": descriptor.id}}, "required": ["connector"]});
    definitions["ConnectionSettings"]["if"] = is_of_connector.clone();
    definitions["ConnectionSettings"]["then"] = json!({"$ref": "connection.schema.json"});
    place_steps(&mut schema["properties"]["steps"]);
    // A step names its connection, whose connector a schema cannot look up: only where every
    // connection has the same one is it known.
    let operation = json!({"$ref": "operation.schema.json#/$defs/operation"});
    schema["if"] = json!({
        "properties": {"connections": {"additionalProperties": is_of_connector}},
        "required": ["connections"],
    });
    schema["then"] = json!({
        "properties": {"steps": {"items": shape::case("type", "connector", operation)}},
    });
    schema
}

/// The generic filter, told apart by its keys.
fn filter(derived: &Value) -> Value {
    let group = |word: &str, definition: &str, otherwise: Value| {
        json!({
            "if": {"required": [word]},
            "then": {"$ref": format!("#/$defs/{definition}")},
            "else": otherwise,
        })
    };
    let condition = json!({"$ref": "#/$defs/Condition"});
    let mut schema = group("and", "AndGroup", group("or", "OrGroup", condition));
    schema["description"] = derived["description"].clone();
    schema
}

/// Says which steps can come first, and which only first.
fn place_steps(steps: &mut Value) {
    let step = steps["items"].take();
    steps["prefixItems"] = json!([{
        "allOf": [step],
        "properties": {"type": {"enum": ["connector", "message", "readFiles"]}},
    }]);
    steps["items"] = json!({
        "allOf": [step, shape::case(
            "type", "message", json!({"properties": {"documents": {"maxItems": 1}}})
        )],
        "properties": {"type": {"not": {"const": "readFiles"}}},
    });
}
