//! Settings that do not go together, declared beside one of them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Values of a [`Field`](super::Field) and of another one beside it that do not go together.
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

/// Whether a value in the settings means that the field is absent.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}
