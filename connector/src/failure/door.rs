//! The door: failures become errors of the interface, and errors of the host and the kit failures.

use std::borrow::Cow;

use host_sdk::{Error, ErrorKind};

use super::cause::Cause;
use super::failure::{Failure, Parts};

impl Failure {
    /// The failure of the host's source or sink. Its kind says nothing about the server: a host that
    /// does not find something has not found it on its own side.
    pub(crate) fn of_host(error: Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled | ErrorKind::Internal => error.into(),
            _ => Self::from(error).with_cause(Cause::Host),
        }
    }
}

/// Errors of the kit, of names and of listings.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let report = error.report();
        let cause = Cause::of(report.kind, report.retryable);
        Self(Box::new(Parts {
            cause,
            refusal: None,
            awaited: None,
            is_transient: report.retryable,
            is_final: report.attempts > 1,
            is_outcome_unknown: report.outcome_unknown,
            message: report.message.clone(),
            hint: report.hint.clone().map(Cow::Owned),
            path: report.path.clone(),
            attempts: report.attempts,
            transcript: report.transcript.clone(),
        }))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let parts = *failure.0;
        let mut error = Self::new(parts.cause.kind(), parts.message)
            .with_retryable(parts.is_transient)
            .with_attempts(parts.attempts)
            .with_transcript(parts.transcript);
        if let Some(refusal) = parts.refusal {
            error = error.with_reply(refusal.code, refusal.text).with_command(refusal.shown);
        } else if let Some(verb) = parts.awaited {
            error = error.with_command(verb.as_str());
        }
        if let Some(path) = parts.path {
            error = error.with_path(path);
        }
        if let Some(hint) = parts.hint {
            error = error.with_hint(hint);
        }
        if parts.is_outcome_unknown { error.with_outcome_unknown() } else { error }
    }
}
