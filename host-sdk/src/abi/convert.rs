//! Values as they cross, and back.

use abi_stable::std_types::{RResult, RString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, ErrorReport};
use crate::host::document::RawFile;
use crate::outcome::{Outcome, Status};
use connector_interface::types::{self, Answer};

/// `value` as JSON text.
pub(super) fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::internal(format!("cannot be written: {e}")))
}

/// What `text` says; `what` names it where it says nothing sensible.
///
/// The message contains serde's text only for documents of this program, never for settings, whose
/// secrets it could quote.
pub(super) fn from_json<T: DeserializeOwned>(what: &str, text: &str) -> Result<T, Error> {
    serde_json::from_str(text)
        .map_err(|e| Error::internal(format!("an unreadable {what} crossed the interface: {e}")))
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        Self {
            kind: types::ErrorKind(error.kind().number()),
            retryable: error.is_retryable(),
            message: RString::from(error.message()),
            report: RString::from(report(Some(&error))),
        }
    }
}

impl From<types::Error> for Error {
    fn from(error: types::Error) -> Self {
        let kind = ErrorKind::from_number(error.kind.0);
        let message = error.message.into_string();
        let Ok(mut report) = serde_json::from_str::<ErrorReport>(&error.report) else {
            return Self::new(kind, message).with_retryable(error.retryable);
        };
        report.kind = kind;
        report.retryable = error.retryable;
        report.message = message;
        report.into()
    }
}

/// The report of `error` as JSON, or nothing.
pub(super) fn report(error: Option<&Error>) -> String {
    // A report is plain text and numbers: writing it cannot fail.
    error.and_then(|error| serde_json::to_string(error.report()).ok()).unwrap_or_default()
}

/// A result as it crosses.
pub(super) fn into_abi<T, U: From<T>>(result: Result<T, Error>) -> Answer<U> {
    match result {
        Ok(value) => RResult::ROk(value.into()),
        Err(error) => RResult::RErr(error.into()),
    }
}

/// A result that crossed.
pub(super) fn from_abi<T>(answer: Answer<T>) -> Result<T, Error> {
    answer.into_result().map_err(Error::from)
}

/// Every status in the order of its number.
const STATUSES: [Status; 4] =
    [Status::Success, Status::Empty, Status::ApplicationError, Status::Failure];

impl From<Status> for types::Status {
    fn from(status: Status) -> Self {
        Self(STATUSES.iter().position(|known| *known == status).map_or(0, |at| at as u8))
    }
}

impl From<types::Status> for Status {
    fn from(status: types::Status) -> Self {
        // A status of a newer interface is not known to be a success.
        STATUSES.get(usize::from(status.0)).copied().unwrap_or(Self::Failure)
    }
}

/// An [`Outcome`] as it crosses.
pub(super) struct AbiOutcome {
    pub(super) status: types::Status,
    /// The error report as JSON, or nothing.
    pub(super) report: String,
}

impl AbiOutcome {
    pub(super) fn of(outcome: &Outcome) -> Self {
        Self { status: outcome.status().into(), report: report(outcome.error()) }
    }
}

/// The outcome that crossed in these parts.
pub(super) fn outcome(status: types::Status, report: &str) -> Outcome {
    let error = || {
        serde_json::from_str::<Error>(report).unwrap_or_else(|e| {
            Error::new(ErrorKind::Other, format!("refused with an unreadable error report: {e}"))
        })
    };
    match Status::from(status) {
        Status::Success | Status::Empty => Outcome::Success,
        Status::ApplicationError => Outcome::ApplicationError(error()),
        Status::Failure => Outcome::Failure(error()),
    }
}

impl From<RawFile> for types::RawFile {
    fn from(file: RawFile) -> Self {
        Self {
            descriptor: file.descriptor,
            offset: file.offset,
            length: file.length,
            #[cfg(changed_record)]
            surplus: 0,
        }
    }
}

impl From<types::RawFile> for RawFile {
    fn from(file: types::RawFile) -> Self {
        Self { descriptor: file.descriptor, offset: file.offset, length: file.length }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full_error() -> Error {
        Error::new(ErrorKind::Permission, "no such luck")
            .with_retryable(true)
            .with_reply(550, "Permission denied.")
            .with_command("STOR a")
            .with_path("/a")
            .with_attempts(3)
            .with_hint("ask the owner")
            .with_outcome_unknown()
            .with_transcript(vec!["> STOR a".into(), "< 550 Permission denied.".into()])
    }

    #[test]
    fn an_error_survives_with_every_field() {
        assert_eq!(Error::from(types::Error::from(full_error())), full_error());
    }

    #[test]
    fn an_error_of_a_newer_interface_keeps_its_message() {
        let newer = types::Error {
            kind: types::ErrorKind(4711),
            retryable: true,
            message: "entangled".into(),
            report: "not JSON".into(),
        };
        let error = Error::from(newer);
        assert_eq!(error.kind(), ErrorKind::Other);
        assert!(error.is_retryable());
        assert_eq!(error.message(), "entangled");
    }

    #[test]
    fn an_outcome_survives_and_an_unknown_status_is_a_failure() {
        for given in [
            Outcome::Success,
            Outcome::ApplicationError(full_error()),
            Outcome::Failure(full_error()),
        ] {
            let parts = AbiOutcome::of(&given);
            assert_eq!(outcome(parts.status, &parts.report), given);
        }
        assert_eq!(outcome(types::Status(9), "").status(), Status::Failure);
    }
}
