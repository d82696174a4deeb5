//! Warnings of settings that fit and cannot work as they are written.
//!
//! The host knows no connector. It knows a few ids that connectors share: `host` and `port`,
//! `maximumConnections` and `parallelTransfers`.

use std::collections::{BTreeMap, BTreeSet};

use host_sdk::descriptor::Field;
use host_sdk::{ConnectorDescriptor, nearest};
use serde_json::{Map, Value};

use crate::process::model::{ConnectorStep, Step};
use crate::process::{Draft, Problems, key};

const HOST: &str = "host";
const PORT: &str = "port";
const MAXIMUM_CONNECTIONS: &str = "maximumConnections";
const PARALLEL_TRANSFERS: &str = "parallelTransfers";

/// Warns of what cannot work in `draft`.
pub(super) fn check(
    draft: &Draft,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
    problems: &mut Problems,
) {
    for (name, connection) in draft.connections.iter().flatten() {
        let (Some(connection), Some(descriptor)) = (connection, descriptors.get(name)) else {
            continue;
        };
        let path = key("$.connections", name);
        host_with_port(&path, &connection.settings, &descriptor.connection.fields, problems);
        let steps = steps_over(draft, name);
        if steps.is_empty() {
            problems.warn(&path, format!("no step uses the connection \"{name}\""));
        }
        let Some(most) =
            integer(&descriptor.connection.fields, &connection.settings, MAXIMUM_CONNECTIONS)
        else {
            continue;
        };
        sessions(&path, most, &steps, descriptor, problems);
        for (position, step) in &steps {
            parallel_transfers(*position, step, most, descriptor, problems);
        }
    }
    property_names(draft, descriptors, problems);
}

fn steps_over<'a>(draft: &'a Draft, connection: &str) -> Vec<(usize, &'a ConnectorStep)> {
    let step = |(position, step): (usize, &'a Option<Step>)| match step {
        Some(Step::Connector(step)) if step.connection == connection => Some((position, step)),
        _ => None,
    };
    draft.steps.iter().enumerate().filter_map(step).collect()
}

fn host_with_port(
    path: &str,
    settings: &Map<String, Value>,
    fields: &[Field],
    problems: &mut Problems,
) {
    let is_declared = |id: &str| fields.iter().any(|field| field.id == id);
    if !is_declared(HOST) || !is_declared(PORT) {
        return;
    }
    let Some(text) = settings.get(HOST).and_then(Value::as_str) else { return };
    // An address of IPv6 has more than one colon.
    if let Some((name, port)) = text.trim().rsplit_once(':')
        && (!name.contains(':') || name.ends_with(']'))
        && port.parse::<u16>().is_ok()
    {
        problems.warn(
            format!("{path}.{HOST}"),
            format!("the host has a port in it; write \"host\": \"{name}\", \"port\": {port}"),
        );
    }
}

/// Steps over one connection work at the same time: where they need more sessions than there are,
/// one can wait for the other without an end.
fn sessions(
    path: &str,
    most: i64,
    steps: &[(usize, &ConnectorStep)],
    descriptor: &ConnectorDescriptor,
    problems: &mut Problems,
) {
    let wanted: i64 = steps.iter().map(|(_, step)| transfers(step, descriptor).max(1)).sum();
    if most > 0 && steps.len() > 1 && wanted > most {
        let names: Vec<String> = steps.iter().map(|(_, s)| format!("\"{}\"", s.name)).collect();
        problems.warn(
            format!("{path}.{MAXIMUM_CONNECTIONS}"),
            format!(
                "the steps {} work at the same time and need {wanted} sessions; the connection \
                 opens at most {most}, so that one waits for the other",
                names.join(" and ")
            ),
        );
    }
}

/// How many transfers `step` has at a time.
fn transfers(step: &ConnectorStep, descriptor: &ConnectorDescriptor) -> i64 {
    let operation = descriptor.operation(&step.operation);
    operation.and_then(|o| integer(&o.fields, &step.options, PARALLEL_TRANSFERS)).unwrap_or(1)
}

fn parallel_transfers(
    position: usize,
    step: &ConnectorStep,
    most: i64,
    descriptor: &ConnectorDescriptor,
    problems: &mut Problems,
) {
    let wanted = transfers(step, descriptor);
    if most > 0 && wanted > most {
        problems.warn(
            format!("$.steps[{position}].options.{PARALLEL_TRANSFERS}"),
            format!(
                "{wanted} transfers at a time need as many connections, and the connection \
                 \"{}\" opens at most {most} ({MAXIMUM_CONNECTIONS})",
                step.connection
            ),
        );
    }
}

/// The integer `id` of `settings`, or its default.
fn integer(fields: &[Field], settings: &Map<String, Value>, id: &str) -> Option<i64> {
    let field = fields.iter().find(|field| field.id == id)?;
    settings.get(id).and_then(Value::as_i64).or_else(|| field.default.as_ref()?.as_i64())
}

/// Warns of properties that are set, read by nothing, and nearly named like one that is read.
fn property_names(
    draft: &Draft,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
    problems: &mut Problems,
) {
    let mut known: BTreeSet<&str> = BTreeSet::from(["fileName", "relativeDirectory", "timestamp"]);
    for descriptor in descriptors.values() {
        known.extend(descriptor.tracked_properties.iter().map(|property| property.id.as_str()));
    }
    let read = read_by_templates(draft);
    for (path, id) in properties_set(draft) {
        if known.contains(id) || read.iter().any(|text| text.contains(&format!("{{{id}}}"))) {
            continue;
        }
        if let Some(near) = nearest(id, known.iter().copied()) {
            problems.warn(
                path,
                format!("nothing reads the property \"{id}\"; did you mean \"{near}\"?"),
            );
        }
    }
}

fn read_by_templates(draft: &Draft) -> Vec<String> {
    let mut texts = Vec::new();
    for step in draft.steps.iter().flatten() {
        match step {
            Step::Connector(step) => texts.extend(step.parameters.values().cloned()),
            Step::SetProperties(step) => texts.extend(step.properties.values().cloned()),
            Step::Message(step) => {
                for document in &step.documents {
                    texts.extend(document.properties.values().cloned());
                    texts.push(document.content.to_string());
                }
            }
            Step::ReadFiles(_) | Step::WriteFiles(_) | Step::Database(_) => {}
        }
    }
    texts
}

fn properties_set(draft: &Draft) -> Vec<(String, &str)> {
    let mut set = Vec::new();
    for (position, step) in draft.steps.iter().enumerate() {
        let path = format!("$.steps[{position}]");
        match step {
            Some(Step::SetProperties(step)) => {
                let path = format!("{path}.properties");
                set.extend(step.properties.keys().map(|id| (key(&path, id), id.as_str())));
            }
            Some(Step::Message(step)) => {
                for (at, document) in step.documents.iter().enumerate() {
                    let path = format!("{path}.documents[{at}].properties");
                    set.extend(document.properties.keys().map(|id| (key(&path, id), id.as_str())));
                }
            }
            _ => {}
        }
    }
    set
}
