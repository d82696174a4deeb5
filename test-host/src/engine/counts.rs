//! The totals of a run, and the verdict on it.

use host_sdk::{Error, ErrorKind, Status};

use super::document::StepIdentity;
use crate::exit_code::ExitCode;
use crate::report::events::{DocumentCounts, ErrorEntry, LeftOut, RunStatus, Work};

/// How many errors the summary lists.
const LISTED_ERRORS: usize = 100;

#[derive(Default)]
pub(super) struct Counts {
    pub(super) documents: DocumentCounts,
    pub(super) bytes: u64,
    pub(super) left_out: LeftOut,
    pub(super) work: Work,
    pub(super) errors: Vec<ErrorEntry>,
    pub(super) first_error: Option<ErrorKind>,
    /// Why a step ended early.
    pub(super) fatal: Option<ErrorKind>,
    pub(super) integrity: bool,
}

impl Counts {
    /// Counts that a document ended with `status`. `earlier` is the status it had before.
    pub(super) fn end(&mut self, earlier: Option<Status>, status: Status) {
        if let Some(earlier) = earlier {
            *count(&mut self.documents, earlier) -= 1;
        }
        *count(&mut self.documents, status) += 1;
    }

    /// Adds an error to the list of the summary.
    pub(super) fn record_error(
        &mut self,
        step: &StepIdentity,
        document: Option<u64>,
        error: &Error,
    ) {
        self.first_error.get_or_insert(error.kind());
        self.integrity |= error.kind() == ErrorKind::Integrity;
        if self.errors.len() < LISTED_ERRORS {
            self.errors.push(ErrorEntry {
                step: step.name.to_string(),
                document,
                // The document's event has the transcript. A summary with a hundred of them would
                // be unreadable.
                error: match document {
                    Some(_) => error.clone().with_transcript(Vec::new()),
                    None => error.clone(),
                },
            });
        }
    }

    /// The verdict and the exit code of a run that was cancelled for `reason`, if at all.
    pub(super) fn verdict(&self, reason: Option<ErrorKind>) -> (RunStatus, ExitCode) {
        let counts = self.documents;
        let failed = counts.application_error + counts.failure;
        let done = counts.success + counts.empty;
        let status = if self.fatal.is_some() || (failed > 0 && done == 0) {
            RunStatus::Failure
        } else if failed > 0 {
            RunStatus::Partial
        } else {
            RunStatus::Success
        };
        let code = match (reason, self.fatal, status) {
            (Some(kind), _, _) => ExitCode::of(kind),
            (None, _, RunStatus::Partial | RunStatus::Failure) if self.integrity => {
                ExitCode::Integrity
            }
            // If a connector only returns what the host reported to it, the first error is the
            // cause.
            (None, Some(kind), _) if kind != ErrorKind::Host => ExitCode::of(kind),
            (None, Some(_), _) => self.first_error.map_or(ExitCode::Documents, ExitCode::of),
            (None, None, RunStatus::Success) => ExitCode::Success,
            (None, None, RunStatus::Partial) => ExitCode::Documents,
            (None, None, RunStatus::Failure) => {
                self.first_error.map_or(ExitCode::Documents, ExitCode::of)
            }
        };
        let status = if reason.is_some() { RunStatus::Failure } else { status };
        (status, code)
    }
}

/// A later step can still fail a document that was a success. A refusal and a failure are final, so
/// that the errors they cause in earlier steps are not reported again.
pub(super) fn severity(status: Status) -> u8 {
    match status {
        Status::Empty => 0,
        Status::Success => 1,
        Status::ApplicationError | Status::Failure => 2,
    }
}

fn count(counts: &mut DocumentCounts, status: Status) -> &mut u64 {
    match status {
        Status::Success => &mut counts.success,
        Status::Empty => &mut counts.empty,
        Status::ApplicationError => &mut counts.application_error,
        Status::Failure => &mut counts.failure,
    }
}
