//! The report of a connection test: one finding a line, a verdict, advice.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How one examination ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum CheckStatus {
    /// As it should be.
    Ok,
    /// Works, with a reservation.
    Warning,
    /// Does not work.
    Failed,
    /// Not examined, because something before it failed or the settings rule it out.
    Skipped,
    /// A status that this build does not know; it is no failure.
    #[serde(other)]
    Other,
}

/// One examination of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What was examined, such as `greeting`.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found.
    pub detail: String,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
    /// What to do, naming the setting to change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What a connection test found, in the order it was examined.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// The findings.
    pub findings: Vec<Finding>,
    /// The first error, where the connection does not work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
}

impl CheckReport {
    /// Whether nothing failed.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        self.error.is_none()
            && self.findings.iter().all(|finding| finding.status != CheckStatus::Failed)
    }
}
