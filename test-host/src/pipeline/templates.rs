//! Checks of templates: what they refer to is set by an earlier step.

use std::collections::{BTreeMap, BTreeSet};

use host_sdk::descriptor::OutputKind;
use host_sdk::{ConnectorDescriptor, Error, expected_one_of, nearest};
use serde_json::Value;

use crate::process::model::{ConnectorStep, MessageStep, Step};
use crate::process::{Draft, Problems, Secrets, key};
use crate::template::Template;

/// The properties that readFiles sets.
const OF_FILES: [&str; 4] = ["fileName", "directory", "relativeDirectory", "timestamp"];
/// The properties of a document that a service refused.
const OF_REFUSALS: [&str; 2] = ["errorCode", "errorMessage"];

/// Finds templates that cannot be read, and references that no document can answer.
pub(super) fn check(
    draft: &Draft,
    descriptors: &BTreeMap<String, ConnectorDescriptor>,
    secrets: Secrets,
    problems: &mut Problems,
) {
    let mut incoming = Known::default();
    for (position, step) in draft.steps.iter().enumerate() {
        let path = format!("$.steps[{position}]");
        problems.under(&path, |problems| {
            let mut checker = Checker { secrets, problems };
            let Some(step) = step else {
                incoming = Known::Any;
                return;
            };
            match step {
                Step::Connector(step) => {
                    checker.texts("parameters", &step.parameters, &incoming);
                    incoming = incoming.after(step, descriptors.get(&step.connection));
                }
                Step::SetProperties(step) => {
                    checker.texts("properties", &step.properties, &incoming);
                    incoming.add(step.properties.keys());
                }
                Step::Message(step) => checker.message(step, &mut incoming),
                Step::ReadFiles(_) => incoming.add(OF_FILES),
                Step::WriteFiles(_) | Step::Database(_) => {}
            }
        });
    }
}

/// Reports the variables that `template` needs and that are not set, and counts them.
pub(super) fn report_unset(
    template: &Template,
    path: &str,
    secrets: Secrets,
    problems: &mut Problems,
) -> usize {
    let mut count = 0;
    for error in template.unset() {
        count += 1;
        match secrets {
            Secrets::Required => problems.error(error.under(path)),
            Secrets::Optional => problems.warning(error.under(path)),
        }
    }
    count
}

/// The properties that a document can have.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    /// These.
    These(BTreeSet<String>),
    /// These, and perhaps others: connectors need not declare every property that they set.
    AtLeast(BTreeSet<String>),
    /// Others too: a connector declares none of those that it sets.
    Any,
}

impl Default for Known {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Known {
    fn add(&mut self, ids: impl IntoIterator<Item = impl Into<String>>) {
        if let Self::These(known) | Self::AtLeast(known) = self {
            known.extend(ids.into_iter().map(Into::into));
        }
    }

    /// What the results of `step` have: the properties of what came in, and those it sets.
    fn after(&self, step: &ConnectorStep, descriptor: Option<&ConnectorDescriptor>) -> Self {
        let Some(descriptor) = descriptor else { return Self::Any };
        let Some(operation) = descriptor.operation(&step.operation) else { return Self::Any };
        let mut after = match self {
            Self::These(known) | Self::AtLeast(known) => Self::AtLeast(known.clone()),
            Self::Any => Self::Any,
        };
        let tracked = &descriptor.tracked_properties;
        let set: Vec<&str> = tracked
            .iter()
            .filter(|property| property.output_of.contains(&operation.id))
            .map(|property| property.id.as_str())
            .collect();
        if set.is_empty() && operation.output != OutputKind::None {
            return Self::Any;
        }
        after.add(set);
        after.add(OF_REFUSALS);
        after
    }
}

struct Checker<'a> {
    secrets: Secrets,
    problems: &'a mut Problems,
}

impl Checker<'_> {
    fn texts(&mut self, path: &str, texts: &BTreeMap<String, String>, known: &Known) {
        for (id, text) in texts {
            self.text(&key(path, id), text, known);
        }
    }

    fn text(&mut self, path: &str, text: &str, known: &Known) {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(error) => return self.problems.error(error.under(path)),
        };
        report_unset(&template, path, self.secrets, self.problems);
        let (known, may_be_more) = match known {
            Known::These(known) => (known, false),
            Known::AtLeast(known) => (known, true),
            Known::Any => return,
        };
        let unknown = template.references().filter(|reference| !known.contains(reference.property));
        for reference in unknown {
            let id = reference.property;
            let expected = if known.is_empty() {
                "no earlier step sets a property".to_owned()
            } else {
                expected_one_of(id, known.iter().map(String::as_str))
            };
            let error = Error::configuration(
                path,
                format!(
                    "\"{{{}}}\" names the property \"{id}\", which no earlier step sets; {expected}",
                    reference.written
                ),
            );
            // A property that is nearly another one is a slip in any case.
            if may_be_more && nearest(id, known.iter().map(String::as_str)).is_none() {
                self.problems.warning(error);
            } else {
                self.problems.error(error);
            }
        }
    }

    /// Properties see what came in; the content sees the new properties, too.
    fn message(&mut self, step: &MessageStep, incoming: &mut Known) {
        let before = incoming.clone();
        for (at, document) in step.documents.iter().enumerate() {
            let path = format!("documents[{at}]");
            self.texts(&format!("{path}.properties"), &document.properties, &before);
            let mut own = before.clone();
            own.add(document.properties.keys());
            self.content(&format!("{path}.content"), &document.content, &own);
            incoming.add(document.properties.keys());
        }
    }

    fn content(&mut self, path: &str, content: &Value, known: &Known) {
        match content {
            Value::String(text) => self.text(path, text, known),
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    self.content(&format!("{path}[{at}]"), item, known);
                }
            }
            Value::Object(members) => {
                for (id, member) in members {
                    self.content(&key(path, id), member, known);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
