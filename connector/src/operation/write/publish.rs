//! Putting a document onto the server so that nobody ever sees half of it under its name.

use std::ops::RangeInclusive;

use host_sdk::InputDocument;

use super::append::append;
use super::place::{place, require_unseen, set_permissions, set_time};
use super::plan::{Plan, temporary};
use super::rewindable_body::RewindableBody;
use super::sweep::sweep;
use super::upload::{prove, send, size_or_nothing};
use crate::config::{CreateSettings, FileExists, TransferFormat};
use crate::failure::{Cause, Failure, pause_before_retry};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use crate::operation::verify::TransferChecksum;
use crate::protocol::verb::Verb;
use crate::session::SizeAnswer;
use host_sdk::kit::Deadline;
use host_sdk::kit::{Backoff, random_suffix};

/// Uploads the body of `input` as `plan` says; the path under which it really lies now.
///
/// # Errors
///
/// `alreadyExists`; `integrity` when the server kept another size than was sent; what the
/// server refuses; what the network fails with; `host` when the body could not be read.
pub(in crate::operation) fn publish(
    execution: &mut Execution,
    settings: &CreateSettings,
    plan: &Plan,
    input: &mut dyn InputDocument,
) -> Result<RemotePath, Failure> {
    let target = &plan.target;
    if settings.create_directories {
        execution.repeat(|session| session.make_directories(&target.parent()))?;
        if let Some(staging) = &plan.staging {
            execution.repeat(|session| session.make_directories(staging))?;
        }
    }
    if settings.file_exists == FileExists::Append {
        // The server's checksum is that of the whole file.
        let window = execution.upload_window;
        let mut body = RewindableBody::new(input, TransferChecksum::none(), window);
        append(execution, settings, target, &mut body)?;
        return Ok(target.clone());
    }
    let checksum = TransferChecksum::new(execution.session()?, settings.checksum)?;
    let mut body = RewindableBody::new(input, checksum, execution.upload_window);
    if settings.file_exists == FileExists::GenerateError {
        // Before the bytes travel; what counts is the look before the renaming.
        require_unseen(execution, target)?;
    }
    let extension = plan.extension.as_deref().unwrap_or("part");
    let temporary = temporary(plan, extension)?;
    require_kept_name(execution, &temporary)?;
    let placed = store(execution, settings, &temporary, &mut body)
        .inspect(|_| sweep(execution, &temporary, extension))
        .and_then(|sizes| set_permissions(execution, plan, &temporary).map(|()| sizes))
        .and_then(|sizes| place(execution, settings.file_exists, &temporary, target, sizes))
        .inspect(|path| set_time(execution, plan, path));
    if placed.is_err() {
        clean_up(execution, &temporary);
    }
    placed
}

/// Refuses to upload under a name that nobody has and that the server says is there: it shortens
/// names, and would replace the file of the shorter one.
fn require_kept_name(execution: &mut Execution, path: &RemotePath) -> Result<(), Failure> {
    let length = path.file_name().len();
    if !execution.server_behaviour().may_shorten(length) {
        return Ok(());
    }
    if matches!(execution.repeat(|session| session.ask_size(path))?, SizeAnswer::Bytes(_)) {
        let short = path.parent().entry(&format!("{:08x}", random_suffix() & 0xffff_ffff))?;
        // Some servers state a size for any name.
        let is_any = execution.repeat(|session| session.ask_size(&short))?;
        if !matches!(is_any, SizeAnswer::Bytes(_)) {
            let message = format!("the server takes {path}, which is new, for another file");
            return Err(Failure::new(Cause::Denied, message).with_path(path).with_hint(
                "the server shortens names: give shorter ones, at least 22 characters below its \
                 limit",
            ));
        }
    }
    execution.server_behaviour().note_kept_name(length);
    Ok(())
}

/// Uploads under a name that nobody else uses, through interruptions; the sizes that the file may
/// have on the server.
fn store(
    execution: &mut Execution,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut RewindableBody<'_>,
) -> Result<RangeInclusive<u64>, Failure> {
    let limit = execution.session()?.transfer_limit();
    let mut backoff = execution.backoff()?;
    // Text has no offsets to go on from.
    let mut restartable = settings.format == TransferFormat::Binary;
    let mut was_truncated = false;
    let mut was_cut = false;
    loop {
        match attempt(execution, settings, path, body, restartable, &mut backoff, limit) {
            Ok(sizes) => return Ok(sizes),
            // No attempt of its own: nothing was interrupted.
            Err(e) if restartable && e.is_refusal_of(Verb::Rest) => restartable = false,
            // Which bytes the server has not kept nobody knows: all are sent once more, where they
            // can be. A server that does it again is no help.
            Err(e) if e.is(Cause::Unproven) => {
                let sent = body.position();
                if was_truncated || !body.rewind_to(0) {
                    return Err(e);
                }
                (was_truncated, restartable) = (true, false);
                execution.progress.subtract_bytes(sent);
                pause_before_retry(&mut backoff, e, &execution.cancel)?;
            }
            // What is left of the last attempt is in the way: some servers agree to REST and
            // refuse the STOR behind it, others do not let an upload replace anything.
            Err(e) if was_cut && body.is_at_resume_point() && e.is_about_document() => {
                log::info!("{path} cannot be gone on with, and is sent anew: {e}");
                (was_cut, restartable) = (false, false);
                clean_up(execution, path);
                continue;
            }
            Err(e) => execution.wait(&mut backoff, e)?,
        }
        was_cut |= body.position() > 0;
    }
}

/// Sends the body, or what the server does not have of it since the last attempt.
fn attempt(
    execution: &mut Execution,
    settings: &CreateSettings,
    path: &RemotePath,
    body: &mut RewindableBody<'_>,
    restartable: bool,
    backoff: &mut Backoff,
    limit: Deadline,
) -> Result<RangeInclusive<u64>, Failure> {
    let sent = body.position();
    let offset = if restartable && sent > 0 {
        size_or_nothing(execution.session()?, path)?.unwrap_or_default()
    } else {
        0
    };
    if !body.rewind_to(offset) {
        let message = format!("the server kept {offset} bytes of the {sent} that were sent");
        return Err(Failure::new(Cause::Lost, message)
            .with_transient(false)
            .with_path(path)
            .with_hint("too much got lost to go on from there: send the document again"));
    }
    execution.progress.subtract_bytes(sent.saturating_sub(offset));
    backoff.progressed_to(offset);
    let possible = send(execution, settings.format, (Verb::Stor, path), body, offset, limit)
        .map_err(|e| e.with_path(path))?;
    if settings.verify {
        let is_text = settings.format == TransferFormat::Ascii;
        match prove(execution, path, possible.clone(), false) {
            Err(e)
                if is_text
                    && e.is(Cause::Unproven)
                    && execution.session()?.is_record_based()? =>
            {
                log::warn!("{path} is made of records: {e}");
            }
            proven => proven?,
        }
    }
    body.checksum().prove(execution.session()?, path)?;
    Ok(possible)
}

/// Removes what an upload that failed has left, even if the execution is cancelled by now.
fn clean_up(execution: &mut Execution, temporary: &RemotePath) {
    let removed = match execution.cancel.is_cancelled() {
        true => execution.run_after_cancel(|session| session.delete(temporary)),
        false => execution.delete_named(temporary),
    };
    match removed {
        Ok(()) => {}
        Err(e) if e.is(Cause::Missing) => {}
        Err(e) => log::warn!("{temporary} was left behind: {e}"),
    }
}
