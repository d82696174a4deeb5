//! The commands that look at connectors.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Place, connectors, echo, ftp_connector, message};

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

/// Every field, operation and property of the JSON form is in the XML form, and nothing else is.
#[test]
fn the_xml_form_holds_what_the_json_form_holds() {
    for (id, connectors) in [("echo", connectors()), ("ftp", ftp_connector())] {
        let json: Value = serde_json::from_str(&described(id, connectors, "json")).unwrap();
        let text = described(id, connectors, "xml");
        let document = roxmltree::Document::parse(&text).unwrap();
        let root = document.root_element();
        assert_eq!(root.tag_name().name(), "GenericConnectorDescriptor");
        let names = |value: &Value| -> Vec<String> {
            let all = value.as_array().into_iter().flatten();
            all.map(|one| one.as_str().or(one["id"].as_str()).unwrap().to_owned()).collect()
        };
        let fields = expected(&json["connection"]["fields"], "");
        assert!(id == "echo" || fields.len() > 30, "{fields:#?}");
        assert_eq!(fields_of(root), fields);
        let written: Vec<_> = children(root, "operation").collect();
        let operations = json["operations"].as_array().unwrap();
        assert_eq!(written.len(), operations.len());
        for (written, operation) in written.into_iter().zip(operations) {
            let label = written.attribute("customTypeLabel");
            assert_eq!(label, operation["label"].as_str(), "{operation}");
            assert_eq!(fields_of(written), expected(&operation["fields"], ""), "{label:?}");
            let operators: Vec<String> = children(written, "queryFilter")
                .flat_map(|filter| children(filter, "operator"))
                .map(|operator| operator.attribute("id").unwrap().to_owned())
                .collect();
            assert_eq!(operators, names(&operation["filter"]["operators"]), "{label:?}");
        }
        let written = |name: &'static str| -> BTreeSet<String> {
            let all = children(root, name);
            all.map(|property| property.attribute("id").unwrap().to_owned()).collect()
        };
        let tracked = names(&json["trackedProperties"]).into_iter().collect();
        assert_eq!(written("trackedProperty"), tracked);
        let dynamic = operations.iter().flat_map(|one| names(&one["dynamicProperties"])).collect();
        assert_eq!(written("dynamicProperty"), dynamic);
    }
}

fn described(id: &str, connectors: &Path, format: &str) -> String {
    let place = Place::new();
    let arguments = ["describe", id, "--format", format];
    let answer = Answer::of(&mut place.program_with(connectors, &arguments));
    assert_eq!(answer.code, 0, "{answer:?}");
    answer.stdout
}

fn children<'a, 'i>(
    node: roxmltree::Node<'a, 'i>,
    name: &'static str,
) -> impl Iterator<Item = roxmltree::Node<'a, 'i>> {
    node.children().filter(move |child| child.has_tag_name(name))
}

/// What both forms say of a field: id, label, help, default, allowed values, and what shows it.
type Shown = (String, String, String, Option<String>, Vec<String>, Vec<String>);

fn fields_of(node: roxmltree::Node<'_, '_>) -> Vec<Shown> {
    let text = |node: roxmltree::Node<'_, '_>| node.text().unwrap_or_default().to_owned();
    children(node, "field")
        .map(|field| {
            let attribute = |name: &str| field.attribute(name).unwrap().to_owned();
            let help = children(field, "helpText").map(text).collect();
            let default = children(field, "defaultValue").map(text).next();
            let allowed = children(field, "allowedValue")
                .flat_map(|allowed| children(allowed, "value"))
                .map(text)
                .collect();
            let conditions = children(field, "visibilityCondition")
                .flat_map(|condition| children(condition, "valueCondition"))
                .flat_map(|condition| children(condition, "value"))
                .map(text)
                .collect();
            (attribute("id"), attribute("label"), help, default, allowed, conditions)
        })
        .collect()
}

/// The fields of the JSON form, the members of groups under their group's name.
fn expected(fields: &Value, group: &str) -> Vec<Shown> {
    let mut all = Vec::new();
    for field in fields.as_array().into_iter().flatten() {
        let text = |key: &str| field[key].as_str().unwrap_or_default().to_owned();
        let id = format!("{group}{}", text("id"));
        if field["type"] == "group" {
            all.extend(expected(&field["fields"], &format!("{id}.")));
            continue;
        }
        let default = match &field["default"] {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let values = |values: &Value, key: &str| -> Vec<String> {
            let all = values.as_array().into_iter().flatten();
            all.map(|one| one[key].as_str().unwrap().to_owned()).collect()
        };
        let conditions = field["visibleWhen"].as_array().into_iter().flatten();
        let shown = conditions
            .flat_map(|condition| condition["oneOf"].as_array().unwrap())
            .map(|value| value.as_str().unwrap().to_owned())
            .collect();
        let allowed = values(&field["allowedValues"], "value");
        all.push((id, text("label"), text("help"), default, allowed, shown));
    }
    all
}
