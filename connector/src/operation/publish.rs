//! Putting a document onto the server so that nobody ever sees half of it under its name.

use host_sdk::{Error, ErrorKind, InputDocument};
use jiff::civil::DateTime;

use super::body::Body;
use super::compare::Comparison;
use super::names::beside;
use super::place::{dress, place, refuse_if_taken};
use super::run::{Run, refuses_restart};
use super::text::NetworkText;
use crate::config::{CreateSettings, FileExists, TransferFormat};
use crate::remote_path::RemotePath;
use crate::session::Session;

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
        refuse_if_taken(run, target)?;
    }
    let temporary = temporary(plan)?;
    let placed = store(run, settings, &temporary, &mut body)
        .and_then(|()| dress(run, plan, &temporary))
        .and_then(|()| place(run, settings.file_exists, &temporary, target));
    if placed.is_err() {
        clean_up(run, &temporary);
    }
    placed
}

/// Uploads under a name that nobody else uses, through interruptions.
fn store(
    run: &mut Run,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut Body<'_>,
) -> Result<(), Error> {
    let mut backoff = run.backoff()?;
    // Text has no offsets to go on from.
    let mut restartable = settings.format == TransferFormat::Binary;
    loop {
        match attempt(run, settings, path, body, restartable) {
            Ok(()) => return Ok(()),
            // No attempt of its own: nothing was interrupted.
            Err(e) if restartable && refuses_restart(&e) => restartable = false,
            Err(e) => run.wait(&mut backoff, e)?,
        }
    }
}

/// Sends the body, or what the server does not have of it since the last attempt.
fn attempt(
    run: &mut Run,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut Body<'_>,
    restartable: bool,
) -> Result<(), Error> {
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
    send(run, settings.format, "STOR", path, body, offset)?;
    if is_counted(settings) {
        prove(run, path, body.position())?;
    }
    body.comparison().prove(run.session()?, path)
}

/// Adds the body at the end of a file. Never repeated: nobody knows how much of it arrived.
fn append(
    run: &mut Run,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut Body<'_>,
) -> Result<(), Error> {
    let mut backoff = run.backoff()?;
    let before = if is_counted(settings) {
        run.repeat(|session| size_or_nothing(session, path))?
    } else {
        None
    };
    loop {
        let error = match send(run, settings.format, "APPE", path, body, 0) {
            Ok(()) => break,
            Err(e) => e,
        };
        // Before the first byte was sent nothing can have been added.
        if body.position() > 0 || error.report().outcome_unknown {
            return Err(error.with_outcome_unknown());
        }
        run.wait(&mut backoff, error)?;
    }
    match before {
        Some(before) => prove(run, path, before + body.position()),
        None => Ok(()),
    }
}

/// Whether the server has to have as many bytes as were sent; text changes its length on its way.
fn is_counted(settings: &CreateSettings) -> bool {
    settings.verify && settings.format == TransferFormat::Binary
}

/// A name that no other upload has: beside the target, or in the staging directory.
fn temporary(plan: &Plan) -> Result<RemotePath, Error> {
    let extension = plan.extension.as_deref().unwrap_or("part");
    let beside_target = beside(&plan.target, extension)?;
    match &plan.staging {
        Some(staging) => staging.entry(beside_target.file_name()),
        None => Ok(beside_target),
    }
}

/// Sends what is left of the body to `path`, from `offset` on.
fn send(
    run: &mut Run,
    format: TransferFormat,
    verb: &str,
    path: &RemotePath,
    body: &mut Body<'_>,
    offset: u64,
) -> Result<(), Error> {
    let meter = run.meter.clone();
    let session = run.session()?;
    session.set_format(format)?;
    let command = format!("{verb} {}", path.as_str());
    let at_path = |e: Error| e.with_path(path.to_string());
    let mut upload = session.upload(&command, offset).map_err(at_path)?;
    let mut text = NetworkText::default();
    loop {
        let bytes = body.next()?;
        if bytes.is_empty() {
            break;
        }
        meter.moved(bytes.len() as u64);
        let sent = match format {
            TransferFormat::Binary => upload.write(bytes),
            TransferFormat::Ascii => upload.write(text.networkize(bytes)),
        };
        sent.map_err(at_path)?;
    }
    upload.finish().map_err(at_path)?;
    Ok(())
}

/// The size of a file, 0 if there is none, `None` where the server does not tell.
fn size_or_nothing(session: &mut Session, path: &RemotePath) -> Result<Option<u64>, Error> {
    match session.size(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Some(0)),
        other => other,
    }
}

/// What the server has must be as long as what was sent: some confirm an upload that they kept
/// only a part of.
fn prove(run: &mut Run, path: &RemotePath, expected: u64) -> Result<(), Error> {
    match run.session()?.size(path) {
        Ok(Some(size)) if size != expected => Err(Error::new(
            ErrorKind::Integrity,
            format!("{expected} bytes were sent to {path} and the server kept {size}"),
        )
        .with_path(path.to_string())),
        Ok(_) => Ok(()),
        // Servers that hide what was uploaded have confirmed it all the same.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

/// Removes what an upload that failed has left.
fn clean_up(run: &mut Run, temporary: &RemotePath) {
    if run.cancel.is_cancelled() {
        log::warn!("{temporary} may have been left behind: the execution was cancelled");
        return;
    }
    let removed = run.delete(temporary);
    match removed {
        Ok(()) => {}
        Err(e) if e.kind() == ErrorKind::NotFound => {}
        Err(e) => log::warn!("{temporary} was left behind: {e}"),
    }
}
