//! Requests and answers of browse: the object types of an operation and their profiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What to browse.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrowseRequest {
    /// The operation's id.
    pub operation: String,
    /// The object type whose profiles are wanted; without it only the types are listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_type: Option<String>,
}

/// A kind of object that an operation works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ObjectType {
    /// The id to ask for its profiles with.
    pub id: String,
    /// The name for people.
    pub label: String,
}

/// The answer to a [`BrowseRequest`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BrowseAnswer {
    /// The object types of the operation.
    pub object_types: Vec<ObjectType>,
    /// JSON Schema of an input document, where inputs are structured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_profile: Option<Value>,
    /// JSON Schema of an output document, where outputs are structured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_profile: Option<Value>,
}
