//! How one document ended.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// How one input or one result ended.
///
/// Every input document is answered exactly once; an unanswered one is a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was done. An input that ends so without results is an empty success.
    Success,
    /// The service refused this document; the other ones continue.
    ApplicationError(Error),
    /// The work could not be executed.
    Failure(Error),
}

impl Outcome {
    /// The status without its error.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self::Success => Status::Success,
            Self::ApplicationError(_) => Status::ApplicationError,
            Self::Failure(_) => Status::Failure,
        }
    }

    /// The error, unless it is a success.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self {
            Self::Success => None,
            Self::ApplicationError(error) | Self::Failure(error) => Some(error),
        }
    }
}

/// How an [`Outcome`] is called in events and at the ABI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Done, with a document.
    Success,
    /// Done, without a document.
    Empty,
    /// Refused by the service.
    ApplicationError,
    /// Not executed.
    Failure,
}

/// What an execution did, returned when it ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Input documents that were answered.
    pub inputs: u64,
    /// Results that the host acknowledged.
    pub results: u64,
    /// Bytes of document bodies that were moved.
    pub bytes: u64,
}
