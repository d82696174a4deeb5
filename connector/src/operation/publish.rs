//! Putting a document onto the server so that nobody ever sees half of it under its name.

use std::ops::RangeInclusive;

use host_sdk::{Error, ErrorKind, InputDocument};
use jiff::civil::DateTime;

use super::body::Body;
use super::compare::Comparison;
use super::is_refusal;
use super::place::{place, refuse_if_seen, set_permissions, set_time};
use super::run::{Run, refuses_restart};
use super::sweep::sweep;
use super::text::NetworkText;
use crate::config::{CreateSettings, FileExists, TransferFormat};
use crate::file::path::RemotePath;
use crate::session::Session;
use host_sdk::kit::Backoff;
use host_sdk::kit::Deadline;

/// Where a document goes and how it gets there.
pub(super) struct Plan {
    pub(super) target: RemotePath,
    /// Where it lies until it is complete, if not beside its name.
    pub(super) staging: Option<RemotePath>,
    /// What its name ends in until it is complete.
    pub(super) extension: Option<String>,
    /// The time it gets, in UTC.
    pub(super) modified: Option<DateTime>,
    /// The permission bits it gets, in octal digits.
    pub(super) permissions: Option<String>,
}

/// Uploads the body of `input` as `plan` says; the path under which it really lies now.
///
/// # Errors
///
/// `alreadyExists`; `integrity` when the server kept another size than was sent; what the
/// server refuses; what the network fails with; `host` when the body could not be read.
pub(super) fn publish(
    run: &mut Run,
    settings: &CreateSettings,
    plan: &Plan,
    input: &mut dyn InputDocument,
) -> Result<RemotePath, Error> {
    let target = &plan.target;
    if settings.create_directories {
        run.repeat(|session| session.make_directories(&target.parent()))?;
        if let Some(staging) = &plan.staging {
            run.repeat(|session| session.make_directories(staging))?;
        }
    }
    if settings.file_exists == FileExists::Append {
        // The server's checksum is that of the whole file.
        append(run, settings, target, &mut Body::new(input, Comparison::none()))?;
        return Ok(target.clone());
    }
    let comparison = Comparison::new(run.session()?, settings.checksum)?;
    let mut body = Body::new(input, comparison);
    if settings.file_exists == FileExists::GenerateError {
        // Before the bytes travel; what counts is the look before the renaming.
        refuse_if_seen(run, target)?;
    }
    let extension = plan.extension.as_deref().unwrap_or("part");
    let temporary = temporary(plan, extension)?;
    let placed = store(run, settings, &temporary, &mut body)
        .inspect(|_| sweep(run, &temporary, extension))
        .and_then(|sizes| set_permissions(run, plan, &temporary).map(|()| sizes))
        .and_then(|sizes| place(run, settings.file_exists, &temporary, target, sizes))
        .inspect(|path| set_time(run, plan, path));
    if placed.is_err() {
        clean_up(run, &temporary);
    }
    placed
}

/// Uploads under a name that nobody else uses, through interruptions; the sizes that the file may
/// have on the server.
fn store(
    run: &mut Run,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut Body<'_>,
) -> Result<RangeInclusive<u64>, Error> {
    let limit = run.session()?.transfer_limit();
    let mut backoff = run.backoff()?;
    // Text has no offsets to go on from.
    let mut restartable = settings.format == TransferFormat::Binary;
    let mut was_short = false;
    let mut was_cut = false;
    loop {
        match attempt(run, settings, path, body, restartable, &mut backoff, limit) {
            Ok(sizes) => return Ok(sizes),
            // No attempt of its own: nothing was interrupted.
            Err(e) if restartable && refuses_restart(&e) => restartable = false,
            // Which bytes the server has not kept nobody knows: all are sent once more, where they
            // can be. A server that does it again is no help.
            Err(e) if e.kind() == ErrorKind::Integrity => {
                let sent = body.position();
                if was_short || !body.rewind_to(0) {
                    return Err(e);
                }
                (was_short, restartable) = (true, false);
                run.meter.lost(sent);
                backoff.wait(e, &run.cancel)?;
            }
            // What is left of the last attempt is in the way: some servers agree to REST and
            // refuse the STOR behind it, others do not let an upload replace anything.
            Err(e) if was_cut && body.is_untouched() && is_refusal(&e) => {
                log::info!("{path} cannot be gone on with, and is sent anew: {e}");
                (was_cut, restartable) = (false, false);
                clean_up(run, path);
                continue;
            }
            Err(e) => run.wait(&mut backoff, e)?,
        }
        was_cut |= body.position() > 0;
    }
}

/// Sends the body, or what the server does not have of it since the last attempt.
fn attempt(
    run: &mut Run,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut Body<'_>,
    restartable: bool,
    backoff: &mut Backoff,
    limit: Deadline,
) -> Result<RangeInclusive<u64>, Error> {
    let sent = body.position();
    let offset = if restartable && sent > 0 {
        size_or_nothing(run.session()?, path)?.unwrap_or_default()
    } else {
        0
    };
    if !body.rewind_to(offset) {
        let message = format!("the server kept {offset} bytes of the {sent} that were sent");
        return Err(Error::new(ErrorKind::Connection, message)
            .with_retryable(false)
            .with_path(path.to_string())
            .with_hint("too much got lost to go on from there: send the document again"));
    }
    run.meter.lost(sent.saturating_sub(offset));
    backoff.progressed_to(offset);
    let possible = send(run, settings.format, ("STOR", path), body, offset, limit)
        .map_err(|e| e.with_path(path.to_string()))?;
    if settings.verify {
        let is_text = settings.format == TransferFormat::Ascii;
        match prove(run, path, possible.clone(), false) {
            Err(e)
                if is_text
                    && e.kind() == ErrorKind::Integrity
                    && run.session()?.keeps_records()? =>
            {
                log::warn!("{path} is made of records: {e}");
            }
            proven => proven?,
        }
    }
    body.comparison().prove(run.session()?, path)?;
    Ok(possible)
}

/// Adds the body at the end of a file. Never repeated once a byte may have arrived, which would be
/// there twice: nobody knows what the server still writes of what it has received.
fn append(
    run: &mut Run,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut Body<'_>,
) -> Result<(), Error> {
    let limit = run.session()?.transfer_limit();
    let mut backoff = run.backoff()?;
    let is_binary = settings.format == TransferFormat::Binary;
    loop {
        let before = match settings.verify {
            true => run.repeat(|session| known_size_or_nothing(session, path))?,
            false => None,
        };
        let error = match send(run, settings.format, ("APPE", path), body, 0, limit) {
            Ok(possible) => {
                let Some(before) = before else { return Ok(()) };
                let least = before.saturating_add(*possible.start());
                let most = before.saturating_add(*possible.end());
                let proven = prove(run, path, least..=most, before > 0);
                // A repetition adds it twice.
                return proven.map_err(|e| e.with_outcome_unknown());
            }
            Err(e) => e.with_path(path.to_string()),
        };
        if body.position() == 0 && (body.is_spent() || !error.report().outcome_unknown) {
            run.wait(&mut backoff, error)?;
            continue;
        }
        let error = error.with_outcome_unknown();
        let is_lost = is_binary && body.is_spent() && error.report().reply.is_none();
        let Some(before) = before.filter(|_| is_lost) else { return Err(error) };
        // All of it was sent: where all of it is there, only the confirmation was lost.
        run.wait(&mut backoff, error.clone())?;
        let now = run.repeat(|session| size_or_nothing(session, path));
        let now = now.map_err(|e| e.with_outcome_unknown())?;
        if now != before.checked_add(body.position()) {
            return Err(error);
        }
        log::info!("{path} has all that was to be added: only the confirmation was lost");
        return Ok(());
    }
}

/// A name that no other upload has: beside the target, or in the staging directory.
fn temporary(plan: &Plan, extension: &str) -> Result<RemotePath, Error> {
    let beside_target = plan.target.unique_sibling(extension)?;
    match &plan.staging {
        Some(staging) => staging.entry(beside_target.file_name()),
        None => Ok(beside_target),
    }
}

/// Sends what is left of the body to `path` with the command `verb`, from `offset` on; the sizes that
/// the whole body may have on the server.
fn send(
    run: &mut Run,
    format: TransferFormat,
    (verb, path): (&str, &RemotePath),
    body: &mut Body<'_>,
    offset: u64,
    limit: Deadline,
) -> Result<RangeInclusive<u64>, Error> {
    let meter = run.meter.clone();
    let session = run.session()?;
    session.set_format(format)?;
    let command = session.path_line(verb, path)?;
    let mut upload = session.upload(&command, offset, limit)?;
    let mut text = NetworkText::default();
    loop {
        let bytes = body.next()?;
        if bytes.is_empty() {
            break;
        }
        meter.moved(bytes.len() as u64);
        match format {
            TransferFormat::Binary => upload.write(bytes)?,
            TransferFormat::Ascii => upload.write(text.networkize(bytes))?,
        }
    }
    let sent = upload.finish()?;
    Ok(match format {
        TransferFormat::Binary => body.position()..=body.position(),
        TransferFormat::Ascii => text.possible_sizes(sent),
    })
}

/// The size of a file, 0 if there is none, `None` where the server does not tell.
fn size_or_nothing(session: &mut Session, path: &RemotePath) -> Result<Option<u64>, Error> {
    match session.size(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Some(0)),
        other => other,
    }
}

/// As [`size_or_nothing`], where only a proof makes it 0.
fn known_size_or_nothing(session: &mut Session, path: &RemotePath) -> Result<Option<u64>, Error> {
    match session.known_size(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Some(0)),
        other => other,
    }
}

/// What the server has must be as long as what was sent: some confirm an upload that they kept
/// only a part of. A file whose size the server stated before (`was_stated`) does not lose it by
/// what was added.
fn prove(
    run: &mut Run,
    path: &RemotePath,
    possible: RangeInclusive<u64>,
    was_stated: bool,
) -> Result<(), Error> {
    match run.repeat(|session| session.size(path)) {
        Ok(Some(size)) if !possible.contains(&size) => Err(Error::new(
            ErrorKind::Integrity,
            format!("{} bytes were sent to {path} and the server kept {size}", possible.end()),
        )
        .with_path(path.to_string())),
        Ok(None) if was_stated => Err(unstated(path)),
        Err(e) if e.kind() == ErrorKind::NotFound && was_stated => Err(unstated(path)),
        Ok(_) => Ok(()),
        // Servers that hide what was uploaded have confirmed it all the same.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

fn unstated(path: &RemotePath) -> Error {
    Error::new(ErrorKind::Integrity, format!("the server states no size of {path} any more"))
        .with_path(path.to_string())
}

/// Removes what an upload that failed has left, even if the execution is cancelled by now.
fn clean_up(run: &mut Run, temporary: &RemotePath) {
    let removed = match run.cancel.is_cancelled() {
        true => run.rescue(|session| session.delete(temporary)),
        false => run.delete_named(temporary),
    };
    match removed {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => log::warn!("{temporary} was left behind: {e}"),
    }
}
