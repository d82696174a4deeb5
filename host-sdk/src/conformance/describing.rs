//! Checks of the descriptor.

use std::collections::BTreeSet;

use serde_json::json;

use crate::conformance::report::{CheckOutcome, Report, ensure, ensure_none, failed};
use crate::connector::Connector;
use crate::descriptor::connector::ConnectorDescriptor;
use crate::descriptor::field::{Field, FieldType};
use crate::settings::Settings;

/// Checks the descriptor; without one there is nothing to check.
pub(super) fn check(connector: &dyn Connector, report: &mut Report) -> Option<ConnectorDescriptor> {
    let descriptor = match connector.descriptor() {
        Ok(descriptor) => descriptor,
        Err(error) => {
            report.add("the descriptor can be read", failed(error.to_string()));
            return None;
        }
    };
    report.add("the descriptor is the same on every call", is_stable(connector, &descriptor));
    report.add("ids are unique and camelCase", ids(&descriptor));
    report.add("everything has a label and a help text", texts(&descriptor));
    report.add("every default is allowed by its own field", defaults(&descriptor));
    report.add("whatever is referred to exists", references(&descriptor));
    Some(descriptor)
}

fn is_stable(connector: &dyn Connector, first: &ConnectorDescriptor) -> CheckOutcome {
    match connector.descriptor() {
        Ok(second) => ensure(second == *first, || "the second call answers another".to_owned()),
        Err(error) => failed(error.to_string()),
    }
}

/// Calls `visit` with every field and the place it is at, groups before their members.
fn each_field(descriptor: &ConnectorDescriptor, visit: &mut dyn FnMut(&str, &Field)) {
    fn walk(place: &str, fields: &[Field], visit: &mut dyn FnMut(&str, &Field)) {
        for field in fields {
            let place = format!("{place}.{}", field.id);
            visit(&place, field);
            walk(&place, &field.fields, visit);
        }
    }
    walk("connection", &descriptor.connection.fields, visit);
    for operation in &descriptor.operations {
        walk(&operation.id, &operation.fields, visit);
    }
}

fn is_camel_case(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|letter| letter.is_ascii_alphanumeric())
}

fn ids(descriptor: &ConnectorDescriptor) -> CheckOutcome {
    let mut problems = Vec::new();
    // A file is named after this one, so words are joined by dashes.
    let is_file_name = descriptor.id.split('-').all(is_camel_case)
        && !descriptor.id.contains(|letter: char| letter.is_ascii_uppercase());
    if !is_file_name {
        problems.push(format!("connector id \"{}\" is not in lower case", descriptor.id));
    }
    let mut seen = BTreeSet::new();
    let mut note = |place: String, id: &str| {
        if !is_camel_case(id) {
            problems.push(format!("{place} is not camelCase"));
        }
        if !seen.insert(place.clone()) {
            problems.push(format!("{place} is there twice"));
        }
    };
    each_field(descriptor, &mut |place, field| note(format!("field {place}"), &field.id));
    for operation in &descriptor.operations {
        note(format!("operation {}", operation.id), &operation.id);
        for parameter in &operation.parameters {
            note(format!("parameter {}.{}", operation.id, parameter.id), &parameter.id);
        }
    }
    for property in &descriptor.tracked_properties {
        note(format!("property {}", property.id), &property.id);
    }
    ensure_none(&problems)
}

fn texts(descriptor: &ConnectorDescriptor) -> CheckOutcome {
    let mut problems = Vec::new();
    let mut note = |place: &str, label: &str, help: &str| {
        for (what, text) in [("label", label), ("help text", help)] {
            if text.trim().is_empty() {
                problems.push(format!("{place} has no {what}"));
            }
        }
    };
    note("the connector", &descriptor.label, &descriptor.help);
    each_field(descriptor, &mut |place, field| note(place, &field.label, &field.help));
    for operation in &descriptor.operations {
        note(&operation.id, &operation.label, &operation.help);
        for parameter in &operation.parameters {
            note(&parameter.id, &parameter.label, &parameter.help);
        }
        if let Some(filter) = &operation.filter {
            for property in &filter.properties {
                note(&property.id, &property.label, &property.help);
            }
            for operator in &filter.operators {
                note(&operator.id, &operator.label, &operator.help);
            }
        }
    }
    for property in &descriptor.tracked_properties {
        note(&property.id, &property.label, &property.help);
    }
    ensure_none(&problems)
}

fn defaults(descriptor: &ConnectorDescriptor) -> CheckOutcome {
    let mut problems = Vec::new();
    each_field(descriptor, &mut |place, field| {
        if let Some(default) = &field.default {
            let given = json!({ &field.id: default });
            if let Err(error) = Settings::check(std::slice::from_ref(field), &given) {
                problems.push(format!("{place}: {error}"));
            }
            if field.required {
                problems.push(format!("{place} is required, so its default never holds"));
            }
        }
    });
    ensure_none(&problems)
}

fn references(descriptor: &ConnectorDescriptor) -> CheckOutcome {
    let mut problems = Vec::new();
    for property in &descriptor.tracked_properties {
        for id in property.input_of.iter().chain(&property.output_of) {
            if descriptor.operation(id).is_none() {
                problems.push(format!("property {} names operation {id}", property.id));
            }
        }
    }
    conditions("connection", &descriptor.connection.fields, &[], &mut problems);
    for operation in &descriptor.operations {
        let outer = &descriptor.connection.fields;
        conditions(&operation.id, &operation.fields, outer, &mut problems);
        for id in &operation.dynamic_properties {
            let is_known = descriptor.tracked_properties.iter().any(|known| known.id == *id);
            if !is_known {
                problems.push(format!("{} names property {id}", operation.id));
            }
        }
        if let Some(filter) = &operation.filter {
            for property in &filter.properties {
                for id in &property.operators {
                    let operator = filter.operators.iter().find(|known| known.id == *id);
                    if !operator.is_some_and(|known| known.types.contains(&property.value_type)) {
                        problems.push(format!("filter property {} names {id}", property.id));
                    }
                }
            }
        }
    }
    ensure_none(&problems)
}

fn conditions(place: &str, fields: &[Field], outer: &[Field], problems: &mut Vec<String>) {
    for field in fields {
        for condition in &field.visible_when {
            let decider = fields.iter().chain(outer).find(|known| known.id == condition.field);
            let can_decide = decider.is_some_and(|known| can_have(known, &condition.one_of));
            if !can_decide {
                problems.push(format!(
                    "{place}.{} is shown when {} is {:?}",
                    field.id, condition.field, condition.one_of
                ));
            }
        }
        for conflict in &field.conflicts {
            let other = fields.iter().find(|known| known.id == conflict.with);
            let can_apply = can_have(field, &conflict.values)
                && other.is_some_and(|other| can_have(other, &conflict.with_values));
            if !can_apply {
                problems.push(format!(
                    "{place}.{} {:?} conflicts with {} {:?}",
                    field.id, conflict.values, conflict.with, conflict.with_values
                ));
            }
        }
        let outer: Vec<Field> = fields.iter().chain(outer).cloned().collect();
        conditions(&format!("{place}.{}", field.id), &field.fields, &outer, problems);
    }
}

/// Whether `field` can have each of `values`.
fn can_have(field: &Field, values: &[String]) -> bool {
    values.iter().all(|value| match field.field_type {
        FieldType::Boolean => value == "true" || value == "false",
        _ if field.allowed_values.is_empty() => true,
        _ => field.allowed_values.iter().any(|allowed| allowed.value == *value),
    })
}
