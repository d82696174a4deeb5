//! Rejects processes that remove documents from their source and store them nowhere.

use std::collections::BTreeMap;

use host_sdk::descriptor::{Field, FieldScope, InputKind, OutputKind};
use host_sdk::{ConnectorDescriptor, Error};
use serde_json::Value;

use crate::process::model::{ConnectorStep, Step};
use crate::process::{Draft, Problems, key};

/// Checks every step whose settings remove documents from their source: a later step stores them,
/// or the step has `discard`.
///
/// The problem has the path of the setting that removes them.
pub(super) fn check(
    draft: &Draft,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
    problems: &mut Problems,
) {
    for (position, step) in draft.steps.iter().enumerate() {
        let Some(Step::Connector(step)) = step else { continue };
        if step.discard {
            continue;
        }
        let Some(path) = consuming(draft, step, position, descriptors) else { continue };
        let later = draft.steps.get(position + 1..).unwrap_or_default();
        let Err(reason) = stored(later, descriptors) else { continue };
        problems.error(Error::configuration(
            path,
            format!(
                "documents leave their source and are lost: {reason}; let a writeFiles, a \
                 database or a connector step that takes documents follow step \"{name}\", or \
                 say \"discard\": true in it",
                name = step.name,
            ),
        ));
    }
}

/// The path of the setting that removes documents from their source.
fn consuming(
    draft: &Draft,
    step: &ConnectorStep,
    position: usize,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
) -> Option<String> {
    let descriptor = descriptors.get(&step.connection)?;
    let operation = descriptor.operation(&step.operation)?;
    let settings = &draft.connections.as_ref()?.get(&step.connection)?.as_ref()?.settings;
    let own = operation.fields.iter().find(|f| f.consumes(step.options.get(&f.id)));
    let of_connection = || {
        let is_inherited = |field: &&Field| match operation.fields.iter().find(|f| f.id == field.id)
        {
            // The step's own setting overrides it.
            Some(_) => {
                // A scope of a newer interface may be inherited too.
                matches!(field.scope, FieldScope::Both | FieldScope::Other)
                    && is_absent(step.options.get(&field.id))
            }
            None => {
                operation.input != InputKind::Document && operation.output == OutputKind::Binary
            }
        };
        let mut inherited = descriptor.connection.fields.iter().filter(is_inherited);
        inherited.find(|field| field.consumes(settings.get(&field.id)))
    };
    own.map(|field| key(&format!("$.steps[{position}].options"), &field.id)).or_else(|| {
        of_connection().map(|field| key(&key("$.connections", &step.connection), &field.id))
    })
}

fn is_absent(value: Option<&Value>) -> bool {
    value.is_none_or(|value| value.is_null() || value.as_str().is_some_and(|t| t.trim().is_empty()))
}

/// Checks that one of the steps `later` stores the body that enters the first of them. The error is
/// the reason why none does.
fn stored(
    later: &[Option<Step>],
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
) -> Result<(), String> {
    for step in later {
        // What a step does that cannot be read is not known to be wrong.
        let Some(step) = step else { return Ok(()) };
        match step {
            Step::WriteFiles(_) | Step::Database(_) => return Ok(()),
            Step::SetProperties(_) => {}
            Step::Connector(step) if takes_bodies(step, descriptors) => return Ok(()),
            Step::Connector(_) | Step::Message(_) | Step::ReadFiles(_) => {
                let name = step.name();
                return Err(format!("step \"{name}\" replaces their bodies before any is stored"));
            }
        }
    }
    Err("no later step stores them".to_owned())
}

fn takes_bodies(step: &ConnectorStep, descriptors: &BTreeMap<String, ConnectorDescriptor>) -> bool {
    descriptors
        .get(&step.connection)
        .and_then(|descriptor| descriptor.operation(&step.operation))
        .is_some_and(|operation| operation.input == InputKind::Document)
}
