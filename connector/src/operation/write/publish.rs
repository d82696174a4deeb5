//! Putting a document onto the server so that nobody ever sees half of it under its name.

use std::ops::RangeInclusive;

use host_sdk::InputDocument;

use super::append::append;
use super::direct::publish_directly;
use super::place::{place, require_unseen, set_permissions, set_time};
use super::plan::Plan;
use super::rewindable_body::RewindableBody;
use super::sweep::sweep;
use super::upload::{NotProven, prove, send, size_or_nothing, taken_at_once};
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
    let mut unmade = None;
    if settings.create_directories {
        for directory in [Some(plan.target.parent()), plan.staging.clone()].into_iter().flatten() {
            match execution.repeat(|session| session.make_directories(&directory)) {
                // It may be there for files, and not for entering.
                Err(e) if e.is_refusal_of(Verb::Mkd) && e.is_about_path() && !e.is_transient() => {
                    unmade.get_or_insert(e);
                }
                other => other?,
            }
        }
    }
    publish_body(execution, settings, plan, input).map_err(|e| match unmade {
        Some(unmade) if e.is_refusal_of(Verb::Stor) || e.is_refusal_of(Verb::Appe) => unmade,
        _ => e,
    })
}

fn publish_body(
    execution: &mut Execution,
    settings: &CreateSettings,
    plan: &Plan,
    input: &mut dyn InputDocument,
) -> Result<RemotePath, Failure> {
    let target = &plan.target;
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
    let Some(temporary) = plan.temporary()? else {
        return publish_directly(execution, settings, plan, &mut body);
    };
    require_kept_name(execution, &temporary)?;
    execution.server_behaviour().begin_upload(&temporary);
    let placed = store(execution, settings, &temporary, &mut body)
        .map_err(advise_other_name)
        .inspect(|_| sweep(execution, &temporary, &plan.naming))
        .and_then(|sizes| set_permissions(execution, plan, &temporary).map(|()| sizes))
        .and_then(|sizes| place(execution, settings.file_exists, &temporary, target, sizes))
        .inspect(|path| set_time(execution, plan, path));
    execution.server_behaviour().end_upload(&temporary);
    placed.map_err(|e| {
        let is_gone = clean_up(execution, &temporary);
        advise_final_name(e, is_gone)
    })
}

/// The failure of an upload whose temporary name the server may not like.
fn advise_other_name(failure: Failure) -> Failure {
    let is_about_name = failure.is_refusal_of(Verb::Stor)
        && failure.is(Cause::Denied)
        && !failure.is_transient()
        && failure.hint().is_none();
    match is_about_name {
        true => failure.with_hint(
            "if the server takes files of certain names alone, set temporaryName, such as \
             {random}{extension}, or uploadName to final",
        ),
        false => failure,
    }
}

/// The failure of an upload that is complete and cannot be renamed; `is_gone` where nothing is left of
/// it.
fn advise_final_name(failure: Failure, is_gone: bool) -> Failure {
    let is_renaming = failure.is_refusal_of(Verb::Rnfr) || failure.is_refusal_of(Verb::Rnto);
    if !is_renaming || failure.is(Cause::Full) || failure.is_transient() {
        return failure;
    }
    if is_gone {
        return taken_at_once(failure);
    }
    failure.with_hint(
        "if the user may upload and not rename, set uploadName to final: the file then has its own \
         name from the first byte on",
    )
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
            Err(NotProven::Other(e)) if restartable && e.is_refusal_of(Verb::Rest) => {
                restartable = false;
            }
            // Which bytes the server has not kept nobody knows: all are sent once more, where they
            // can be. A server that does it again is no help.
            Err(NotProven::Gone(e)) => return Err(e),
            Err(NotProven::Other(e)) if e.is(Cause::Unproven) => {
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
            Err(NotProven::Other(e))
                if was_cut && body.is_at_resume_point() && e.is_about_document() =>
            {
                log::info!("{path} cannot be gone on with, and is sent anew: {e}");
                (was_cut, restartable) = (false, false);
                clean_up(execution, path);
                continue;
            }
            Err(NotProven::Other(e)) => execution.wait(&mut backoff, e)?,
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
) -> Result<RangeInclusive<u64>, NotProven> {
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
            .with_hint("too much got lost to go on from there: send the document again")
            .into());
    }
    execution.progress.subtract_bytes(sent.saturating_sub(offset));
    backoff.progressed_to(offset);
    let possible = send(execution, settings.format, (Verb::Stor, path), body, offset, limit)
        .map_err(|e| e.with_path(path))?;
    if settings.verify {
        let is_text = settings.format == TransferFormat::Ascii;
        match prove(execution, path, possible.clone(), false) {
            Err(NotProven::Other(e))
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

/// Removes what an upload that failed has left, even if the execution is cancelled by now; whether the
/// server says that nothing was left.
fn clean_up(execution: &mut Execution, temporary: &RemotePath) -> bool {
    let removed = match execution.cancel.is_cancelled() {
        true => execution.run_after_cancel(|session| session.delete(temporary)),
        false => execution.delete_named(temporary),
    };
    match removed {
        Ok(()) => {}
        Err(e) if e.is(Cause::Missing) => return true,
        Err(e) => log::warn!("{temporary} was left behind: {e}"),
    }
    false
}
