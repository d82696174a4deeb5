//! Settings that do not go together, declared beside one of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::field::Field;

/// Values of a [`Field`] and of another one beside it that do not go together.
///
/// A value counts if it is given, and so does the default where it is listed here by its text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The values of the field that declares it; empty means any that is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// The id of the other field.
    pub with: String,
    /// The values of the other field; empty means any that is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub with_values: Vec<String>,
    /// What does not work, and what to set instead.
    pub message: String,
    /// Whether the settings are refused.
    pub severity: ConflictSeverity,
}

/// What a [`Conflict`] does to the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ConflictSeverity {
    /// They are refused.
    Refused,
    /// They are used, with a warning.
    #[serde(other)]
    Warning,
}

impl Conflict {
    /// Whether `settings` of `fields` hold both sides, where `field` declares this.
    pub(crate) fn applies(
        &self,
        field: &Field,
        fields: &[Field],
        settings: &Map<String, Value>,
    ) -> bool {
        let other = fields.iter().find(|other| other.id == self.with);
        holds(field, &self.values, settings)
            && other.is_some_and(|other| holds(other, &self.with_values, settings))
    }
}

fn holds(field: &Field, listed: &[String], settings: &Map<String, Value>) -> bool {
    let given = settings.get(&field.id).filter(|value| !is_blank(value));
    if listed.is_empty() {
        return given.is_some();
    }
    given.or(field.default.as_ref()).is_some_and(|value| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        listed.contains(&text)
    })
}

/// Whether a value in the settings means that the field is absent.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}
