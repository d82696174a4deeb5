//! Uploads under the final name, for servers where the user may not rename, and for mailboxes that take
//! a file as soon as it is there. What was confirmed is never sent again unless it is there, and shorter.

use std::ops::RangeInclusive;

use super::place::{require_unseen, set_permissions, set_time, taken};
use super::plan::Plan;
use super::rewindable_body::RewindableBody;
use super::upload::{kept_other, send, size_or_nothing};
use crate::config::{CreateSettings, FileExists, TransferFormat};
use crate::failure::{Cause, Failure, pause_before_retry};
use crate::file::path::RemotePath;
use crate::operation::change::claim::{known_numbers, next_free};
use crate::operation::execution::Execution;
use crate::protocol::verb::Verb;
use crate::session::{Presence, SizeAnswer};

/// How an upload lost its confirmation.
const MAY_BE_TAKEN: &str = "all of it was sent, and the server may have taken it: ask the partner \
                            before you send it again";

/// Uploads the body as `plan` says; the path that it got.
///
/// # Errors
///
/// As [`publish`](super::publish::publish).
pub(in crate::operation) fn publish_directly(
    execution: &mut Execution,
    settings: &CreateSettings,
    plan: &Plan,
    body: &mut RewindableBody<'_>,
) -> Result<RemotePath, Failure> {
    let path = match settings.file_exists {
        FileExists::CreateUniqueName => store_beside(execution, settings, &plan.target, body),
        FileExists::GenerateError => {
            require_unseen(execution, &plan.target)?;
            if !is_free(execution, &plan.target)? {
                return Err(taken(&plan.target));
            }
            if !execution.server_behaviour().begin_upload(&plan.target) {
                return Err(taken(&plan.target));
            }
            let stored = store(execution, settings, &plan.target, body, true);
            execution.server_behaviour().end_upload(&plan.target);
            stored.map(|()| plan.target.clone())
        }
        FileExists::Overwrite | FileExists::Append => {
            // What an older file holds would pass for the beginning of this one.
            let before = execution.repeat(|session| session.ask_size(&plan.target))?;
            let is_new = matches!(before, SizeAnswer::Missing(_));
            let is_first = execution.server_behaviour().begin_upload(&plan.target);
            let stored = store(execution, settings, &plan.target, body, is_new && is_first);
            if is_first {
                execution.server_behaviour().end_upload(&plan.target);
            }
            stored.map(|()| plan.target.clone())
        }
    }?;
    // The file is there whatever becomes of these.
    if let Err(e) = set_permissions(execution, plan, &path) {
        log::warn!("{path} was stored, and its permissions were not set: {e}");
    }
    set_time(execution, plan, &path);
    Ok(path)
}

/// Uploads under the first of output.txt, output1.txt, output2.txt, … that is free, and which one that
/// was.
fn store_beside(
    execution: &mut Execution,
    settings: &CreateSettings,
    target: &RemotePath,
    body: &mut RewindableBody<'_>,
) -> Result<RemotePath, Failure> {
    let mut numbers = known_numbers(execution, target);
    loop {
        let (candidate, number) = next_free(execution, &mut numbers)?;
        numbers.take(number);
        if !execution.server_behaviour().begin_upload(&candidate) {
            continue;
        }
        let stored = match is_free(execution, &candidate) {
            Ok(true) => store(execution, settings, &candidate, body, true).map(|()| true),
            other => other,
        };
        execution.server_behaviour().end_upload(&candidate);
        if stored? {
            execution.numbers = Some(numbers);
            return Ok(candidate);
        }
    }
}

/// Whether nothing has this name.
fn is_free(execution: &mut Execution, path: &RemotePath) -> Result<bool, Failure> {
    match execution.repeat(|session| session.presence(path))? {
        Presence::Absent => Ok(true),
        Presence::Present => Ok(false),
        Presence::Unknown(e) => Err(e.with_hint(
            "set actionIfFileExists to overwrite: the server does not show which names are free",
        )),
    }
}

/// Uploads to `path` through interruptions. `is_new` where nothing was there before: only then is what
/// the server has a part of this upload.
fn store(
    execution: &mut Execution,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut RewindableBody<'_>,
    is_new: bool,
) -> Result<(), Failure> {
    let limit = execution.session()?.transfer_limit();
    let mut backoff = execution.backoff()?;
    let mut restartable = is_new && settings.format == TransferFormat::Binary;
    let mut was_short = false;
    loop {
        let sent = body.position();
        let offset = match restartable && sent > 0 {
            true => execution.repeat(|session| size_or_nothing(session, path))?.unwrap_or_default(),
            false => 0,
        };
        if !body.rewind_to(offset) {
            let message =
                format!("{path} was cut off, and cannot be sent from its beginning again");
            return Err(Failure::new(Cause::Lost, message)
                .with_transient(false)
                .with_path(path)
                .with_hint("a part of it may lie under its name: send the document again"));
        }
        execution.progress.subtract_bytes(sent.saturating_sub(offset));
        backoff.progressed_to(offset);
        let sending = send(execution, settings.format, (Verb::Stor, path), body, offset, limit);
        let error = match sending {
            Ok(possible) => match settle(execution, settings, path, possible, body)? {
                None => return Ok(()),
                // It is there, and shorter: nobody has taken it.
                Some(e) if was_short || !body.rewind_to(0) => return Err(e),
                Some(e) => {
                    (was_short, restartable) = (true, false);
                    execution.progress.subtract_bytes(body.position());
                    pause_before_retry(&mut backoff, e, &execution.cancel)?;
                    continue;
                }
            },
            Err(e) if restartable && e.is_refusal_of(Verb::Rest) => {
                restartable = false;
                continue;
            }
            Err(e) => e.with_path(path),
        };
        let is_unanswered = body.is_exhausted() && !error.is_answer();
        let shown = if is_unanswered { error.clone().with_outcome_unknown() } else { error };
        execution.wait(&mut backoff, shown.clone())?;
        if is_unanswered && is_whole(execution, settings, path, body, &shown)? {
            return Ok(());
        }
    }
}

/// Whether an upload without its confirmation is there as a whole; not, where less of it is there.
///
/// # Errors
///
/// `error`, where nothing is there: the server may have taken it.
fn is_whole(
    execution: &mut Execution,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &RewindableBody<'_>,
    error: &Failure,
) -> Result<bool, Failure> {
    let unknown = || error.clone().with_hint(MAY_BE_TAKEN);
    match execution.repeat(|session| session.stated_size(path)) {
        Ok(SizeAnswer::Bytes(size))
            if size == body.position() && settings.format == TransferFormat::Binary =>
        {
            log::info!("{path} is there as a whole: only the confirmation was lost");
            Ok(true)
        }
        Ok(SizeAnswer::Bytes(_)) => Ok(false),
        Ok(SizeAnswer::Missing(_) | SizeAnswer::Denied | SizeAnswer::Unanswered) | Err(_) => {
            Err(unknown())
        }
    }
}

/// Looks at an upload that the server has confirmed: what is wrong with it where it is there and not
/// as long as it should be. One that is not there any more was taken.
///
/// # Errors
///
/// `integrity` where the server computes another checksum of it.
fn settle(
    execution: &mut Execution,
    settings: &CreateSettings,
    path: &RemotePath,
    possible: RangeInclusive<u64>,
    body: &RewindableBody<'_>,
) -> Result<Option<Failure>, Failure> {
    if settings.verify {
        match execution.repeat(|session| session.stated_size(path)) {
            Ok(SizeAnswer::Bytes(size)) if possible.contains(&size) => {}
            Ok(SizeAnswer::Bytes(_))
                if settings.format == TransferFormat::Ascii
                    && execution.repeat(|session| session.is_record_based())? =>
            {
                log::warn!("{path} is made of records: its size proves nothing");
            }
            Ok(SizeAnswer::Bytes(size)) => return Ok(Some(kept_other(path, size, &possible))),
            Ok(SizeAnswer::Missing(_) | SizeAnswer::Denied | SizeAnswer::Unanswered) => {
                log::info!("{path} was confirmed and is not shown: the server has taken it");
                return Ok(None);
            }
            Err(e) if e.is(Cause::Cancelled) => return Err(e.with_outcome_unknown()),
            Err(e) => log::warn!("{path} was confirmed, and its size is not known: {e}"),
        }
    }
    let proven = execution.session().and_then(|session| body.checksum().prove(session, path));
    match proven {
        Err(e) if e.is(Cause::Unproven) || e.is(Cause::Unsupported) => {
            Err(e.with_outcome_unknown())
        }
        Err(e) if e.is(Cause::Cancelled) => Err(e.with_outcome_unknown()),
        Err(e) => {
            log::warn!("{path} was confirmed, and its checksum is not known: {e}");
            Ok(None)
        }
        Ok(()) => Ok(None),
    }
}
