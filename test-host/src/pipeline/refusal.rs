//! Why a process is rejected before it runs.

use host_sdk::{Error, LoadError};

use crate::process::rooted;

/// Why a process was rejected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Something in the process is invalid.
    #[error(transparent)]
    Process(#[from] Error),
    /// A connector's library was refused.
    #[error(transparent)]
    Connector(#[from] LoadError),
}

impl Refusal {
    /// The refusal with its path from the document's root.
    #[must_use]
    pub fn rooted(self) -> Self {
        match self {
            Self::Process(error) => Self::Process(rooted(error)),
            other => other,
        }
    }
}
