//! What an operation says of its filter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::AllowedValue;

/// How results are selected.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterDescriptor {
    /// How conditions combine.
    pub grouping: FilterGrouping,
    /// What can be compared.
    pub properties: Vec<FilterProperty>,
    /// How it can be compared.
    pub operators: Vec<FilterOperator>,
}

/// How the conditions of a filter combine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FilterGrouping {
    /// One condition only.
    None,
    /// Any nesting of `and` and `or`.
    Any,
    /// One level of `and`.
    OneLevelAnd,
    /// One level of `or`.
    OneLevelOr,
    /// A rule that this build does not know: any nesting is taken, and the connector checks it.
    #[serde(other)]
    Other,
}

/// A property that a filter can compare.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterProperty {
    /// The id in a condition.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it is.
    pub help: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub value_type: FilterType,
    /// Ids of the operators it has.
    pub operators: Vec<String>,
    /// The values it may be compared to, where they can be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_values: Vec<AllowedValue>,
    /// The form of a value, as text for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
}

/// What the values of a [`FilterProperty`] are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FilterType {
    /// Text.
    String,
    /// A date and time.
    Timestamp,
    /// A whole number.
    Integer,
    /// A number of bytes: a whole number, or text with a unit such as `10MiB`.
    Size,
    /// A type that this build does not know: any value is taken, and the connector checks it.
    #[serde(other)]
    Other,
}

/// A comparison that a filter can make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FilterOperator {
    /// The id in a condition.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it does.
    pub help: String,
    /// How many values it takes.
    pub argument_count: u8,
    /// The types it can compare.
    pub types: Vec<FilterType>,
}

/// True if the operator asks for exactly one value, or for every other.
pub(crate) fn compares_equality(operator: &str) -> bool {
    matches!(operator, "equals" | "notEquals")
}

/// True if the operator's value is a pattern of text, for every type of property.
pub(crate) fn is_pattern(operator: &str) -> bool {
    matches!(operator, "regex" | "wildcard")
}
