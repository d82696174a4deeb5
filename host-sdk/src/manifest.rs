//! Who a library is, readable without creating a connector.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a library says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// The id of its connector.
    pub id: String,
    /// The connector's name for people.
    pub label: String,
    /// The connector's own version.
    pub version: String,
    /// The version of the interface that it was built against.
    pub interface: String,
}
