//! What a connector is, takes and offers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::field::Field;
use super::filter::FilterDescriptor;

/// What a connector is, takes and offers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectorDescriptor {
    /// The id that processes name it by, such as `ftp`.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it connects to, in a sentence.
    pub help: String,
    /// The connector's own version.
    pub version: String,
    /// How a connection is described.
    pub connection: ConnectionDescriptor,
    /// What can be done over a connection.
    pub operations: Vec<OperationDescriptor>,
    /// The properties that documents carry in and out.
    pub tracked_properties: Vec<TrackedProperty>,
}

impl ConnectorDescriptor {
    /// A connector of version 0.1.0 that neither tests nor browses and tracks no properties.
    #[must_use]
    pub fn new(
        id: &str,
        label: &str,
        help: &str,
        fields: Vec<Field>,
        operations: Vec<OperationDescriptor>,
    ) -> Self {
        Self {
            id: id.to_owned(),
            label: label.to_owned(),
            help: help.to_owned(),
            version: "0.1.0".to_owned(),
            connection: ConnectionDescriptor { fields, can_test: false, can_browse: false },
            operations,
            tracked_properties: Vec::new(),
        }
    }

    /// The operation with this id.
    #[must_use]
    pub fn operation(&self, id: &str) -> Option<&OperationDescriptor> {
        self.operations.iter().find(|operation| operation.id == id)
    }
}

/// How a connection is described.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnectionDescriptor {
    /// The settings, in the order a screen shows them.
    pub fields: Vec<Field>,
    /// Whether [`Connection::test`](crate::Connection::test) examines anything.
    pub can_test: bool,
    /// Whether [`Connection::browse`](crate::Connection::browse) answers.
    pub can_browse: bool,
}

/// What can be done over a connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OperationDescriptor {
    /// The id that process steps name it by.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it does, in a sentence or two.
    pub help: String,
    /// What one input is.
    pub input: InputKind,
    /// What comes out for one input.
    pub output: OutputKind,
    /// The settings.
    pub fields: Vec<Field>,
    /// What every input must or may name besides its properties, such as `id`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// How results are selected, where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<FilterDescriptor>,
    /// Ids of the properties of an input that override settings when they are not blank.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dynamic_properties: Vec<String>,
}

impl OperationDescriptor {
    /// An operation without settings, parameters, filter and dynamic properties.
    #[must_use]
    pub fn new(id: &str, label: &str, help: &str, input: InputKind, output: OutputKind) -> Self {
        Self {
            id: id.to_owned(),
            label: label.to_owned(),
            help: help.to_owned(),
            input,
            output,
            fields: Vec::new(),
            parameters: Vec::new(),
            filter: None,
            dynamic_properties: Vec::new(),
        }
    }
}

/// What one input of an operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum InputKind {
    /// A request without a body.
    None,
    /// A request that names one object.
    Id,
    /// A document with a body.
    Document,
    /// A kind that this build does not know.
    #[serde(other)]
    Other,
}

/// What comes out of an operation for one input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum OutputKind {
    /// Nothing.
    None,
    /// Bodies as they are on the service.
    Binary,
    /// JSON documents of a known profile.
    Json,
    /// A kind that this build does not know.
    #[serde(other)]
    Other,
}

/// What an input names besides its properties.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// The id in a step's `parameters`.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it is.
    pub help: String,
    /// Whether every input must have it.
    pub required: bool,
}

/// A property that documents carry in or out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TrackedProperty {
    /// The id in a document's properties.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it says, and in which form.
    pub help: String,
    /// Ids of the operations that read it from an input.
    #[serde(default)]
    pub input_of: Vec<String>,
    /// Ids of the operations that set it on an output.
    #[serde(default)]
    pub output_of: Vec<String>,
}
