//! One attempt at an upload, and what the server has of it afterwards.

use std::ops::RangeInclusive;

use super::rewindable_body::RewindableBody;
use crate::config::TransferFormat;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use crate::operation::line_ends::LineEndConverter;
use crate::protocol::verb::Verb;
use crate::session::{Session, SizeAnswer};
use host_sdk::kit::Deadline;

/// Sends what is left of the body to `path` with the command `verb`, from `offset` on; the sizes that
/// the whole body may have on the server.
pub(in crate::operation) fn send(
    execution: &mut Execution,
    format: TransferFormat,
    (verb, path): (Verb, &RemotePath),
    body: &mut RewindableBody<'_>,
    offset: u64,
    limit: Deadline,
) -> Result<RangeInclusive<u64>, Failure> {
    let progress = execution.progress.clone();
    let session = execution.session()?;
    session.set_format(format)?;
    let command = session.path_line(verb, path)?;
    let mut upload = session.upload(command, offset, limit)?;
    let mut text = LineEndConverter::default();
    loop {
        let bytes = body.next()?;
        if bytes.is_empty() {
            break;
        }
        progress.add_bytes(bytes.len() as u64);
        match format {
            TransferFormat::Binary => upload.write(bytes)?,
            TransferFormat::Ascii => upload.write(text.encode(bytes))?,
        }
    }
    let sent = upload.finish()?;
    Ok(match format {
        TransferFormat::Binary => body.position()..=body.position(),
        TransferFormat::Ascii => text.possible_sizes(sent),
    })
}

/// The size of a file, 0 if there is none, `None` where the server does not tell.
pub(in crate::operation) fn size_or_nothing(
    session: &mut Session,
    path: &RemotePath,
) -> Result<Option<u64>, Failure> {
    match session.size(path) {
        Err(e) if e.is(Cause::Missing) => Ok(Some(0)),
        other => other,
    }
}

/// What the server has must be as long as what was sent: some confirm an upload that they kept
/// only a part of. A file whose size the server stated before (`was_stated`) does not lose it by
/// what was added.
pub(in crate::operation) fn prove(
    execution: &mut Execution,
    path: &RemotePath,
    possible: RangeInclusive<u64>,
    was_stated: bool,
) -> Result<(), NotProven> {
    match execution.repeat(|session| session.stated_size(path))? {
        SizeAnswer::Bytes(size) if possible.contains(&size) => Ok(()),
        SizeAnswer::Bytes(size) => Err(NotProven::Other(kept_other(path, size, &possible))),
        // Whoever took it must not get it twice.
        SizeAnswer::Missing(_) => {
            let message =
                format!("the server confirmed {path} and says that nothing of that name is there");
            let error = Failure::new(Cause::Unproven, message).with_path(path);
            Err(NotProven::Gone(taken_at_once(error)))
        }
        SizeAnswer::Denied | SizeAnswer::Unanswered if was_stated => {
            Err(NotProven::Other(unstated(path)))
        }
        // Servers that hide what was uploaded have confirmed it nevertheless.
        SizeAnswer::Denied | SizeAnswer::Unanswered => Ok(()),
    }
}

/// Why an upload that was confirmed is not proven.
pub(in crate::operation) enum NotProven {
    /// Nothing is there: it must not be sent again.
    Gone(Failure),
    /// Something else is there, or the question failed.
    Other(Failure),
}

impl From<Failure> for NotProven {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<NotProven> for Failure {
    fn from(reason: NotProven) -> Self {
        match reason {
            NotProven::Gone(failure) | NotProven::Other(failure) => failure,
        }
    }
}

/// The failure of an upload that has another size on the server than it may have.
pub(in crate::operation) fn kept_other(
    path: &RemotePath,
    size: u64,
    possible: &RangeInclusive<u64>,
) -> Failure {
    let message =
        format!("{} bytes were sent to {path} and the server kept {size}", possible.end());
    Failure::new(Cause::Unproven, message).with_path(path)
}

/// The failure of an upload that was confirmed and is gone: somebody may have it.
pub(in crate::operation) fn taken_at_once(failure: Failure) -> Failure {
    failure.with_outcome_unknown().with_hint(
        "ask the partner before you send it again; if the server takes every file as soon as it is \
         there, set uploadName to final",
    )
}

fn unstated(path: &RemotePath) -> Failure {
    Failure::new(Cause::Unproven, format!("the server states no size of {path} any more"))
        .with_path(path)
}
