//! Append: adding a document at the end of a file.

use std::ops::RangeInclusive;

use super::rewindable_body::RewindableBody;
use super::upload::{prove, send, size_or_nothing};
use crate::config::{CreateSettings, TransferFormat};
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use crate::protocol::verb::Verb;
use crate::session::{Presence, Session, SizeAnswer};

/// Adds the body at the end of a file. Never repeated once a byte may have arrived, which would be
/// there twice: nobody knows what the server still writes of what it has received.
pub(in crate::operation) fn append(
    execution: &mut Execution,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut RewindableBody<'_>,
) -> Result<(), Failure> {
    let limit = execution.session()?.transfer_limit();
    let mut backoff = execution.backoff()?;
    let is_binary = settings.format == TransferFormat::Binary;
    loop {
        let before = match settings.verify {
            true => execution.repeat(|session| Base::ask(session, path))?,
            false => None,
        };
        let error = match send(execution, settings.format, (Verb::Appe, path), body, 0, limit) {
            Ok(possible) => {
                let Some(before) = before else { return Ok(()) };
                let proven = prove(execution, path, before.grown_by(&possible), before.bytes > 0);
                // A repetition adds it twice.
                return proven.map_err(|e| Failure::from(e).with_outcome_unknown());
            }
            Err(e) => e.with_path(path),
        };
        if body.position() == 0 && (body.is_exhausted() || !error.is_outcome_unknown()) {
            execution.wait(&mut backoff, error)?;
            continue;
        }
        let error = error.with_outcome_unknown();
        let is_lost = is_binary && body.is_exhausted() && !error.is_answer();
        let Some(before) = before.filter(|_| is_lost) else { return Err(error) };
        // All of it was sent: where all of it is there, only the confirmation was lost.
        execution.wait(&mut backoff, error.clone())?;
        let now = execution.repeat(|session| size_or_nothing(session, path));
        let now = now.map_err(|e| e.with_outcome_unknown())?;
        if now != before.bytes.checked_add(body.position()) {
            return Err(error);
        }
        log::info!("{path} has all that was to be added: only the confirmation was lost");
        return Ok(());
    }
}

/// What a file held before something was added.
#[derive(Clone, Copy)]
struct Base {
    bytes: u64,
    /// Whether a listing alone shows that there was no file: it may hide one.
    may_be_hidden: bool,
}

impl Base {
    /// Asks for it; `None` where the server does not state it.
    fn ask(session: &mut Session, path: &RemotePath) -> Result<Option<Self>, Failure> {
        Ok(match session.ask_size(path)? {
            SizeAnswer::Bytes(bytes) => Some(Self { bytes, may_be_hidden: false }),
            SizeAnswer::Missing(_) => Some(Self { bytes: 0, may_be_hidden: false }),
            SizeAnswer::Unanswered => {
                let listed = session.listed_size(path)?;
                listed.map(|bytes| Self { bytes, may_be_hidden: false })
            }
            SizeAnswer::Denied => match session.is_listed(path)? {
                Presence::Absent => Some(Self { bytes: 0, may_be_hidden: true }),
                Presence::Present | Presence::Unknown(_) => None,
            },
        })
    }

    /// The sizes that are possible after `added`.
    fn grown_by(self, added: &RangeInclusive<u64>) -> RangeInclusive<u64> {
        let most = match self.may_be_hidden {
            true => u64::MAX,
            false => self.bytes.saturating_add(*added.end()),
        };
        self.bytes.saturating_add(*added.start())..=most
    }
}
