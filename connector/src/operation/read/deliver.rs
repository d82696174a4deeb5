//! Reading one file, through interruptions, and taking it out of the way once the host has it.

use host_sdk::{Outcome, Properties, ResultSink};

use super::remote_file::{FileVersion, RemoteFile};
use super::resumable_download::ResumableDownload;
use crate::config::{AfterReading, ReadingSettings, Removal, TransferFormat};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::change::claim::rename_to_free;
use crate::operation::change::delete::changed_after_reading;
use crate::operation::execution::Execution;
use crate::operation::verify::TransferChecksum;
use crate::protocol::verb::Verb;
use crate::session::Presence;
use host_sdk::kit::Backoff;

/// Reads `file` into a result of `input` and, once the host has acknowledged it, removes it from
/// the server if asked to.
///
/// # Errors
///
/// Those of the server, of the network after the retries that are configured, `integrity` when
/// the bytes cannot be proven, and `host` when the host did not take them.
pub(in crate::operation) fn deliver(
    execution: &mut Execution,
    input: u64,
    file: &RemoteFile,
    settings: &ReadingSettings,
) -> Result<(), Failure> {
    let after = &settings.after;
    if after.must_succeed && after.removal != Removal::Keep {
        check_removable(execution, file, &after.removal)?;
        if let Removal::Move(directory) = &after.removal {
            let directory = file.path.parent().join(directory)?;
            execution.repeat(|session| session.make_directories(&directory))?;
        }
    }
    let version = match after.removal {
        Removal::Keep => None,
        _ => Some(FileVersion::read(execution, file)?),
    };
    let (mut sink, size) = receive(execution, input, file, settings)?;
    sink.finish(&Outcome::Success, &Properties::new()).map_err(Failure::of_host)?;
    drop(sink);
    execution.progress.delivered(1);
    let Some(version) = version else { return Ok(()) };
    match remove(execution, &file.path, size.or(file.size), version, &after.removal) {
        Ok(()) => Ok(()),
        // Nothing else can be told, or done, by an execution that ends.
        Err(e) if execution.cancel.is_cancelled() => Err(e),
        // What cannot be looked at is not settled.
        Err(e) if is_settled(execution, file, &e, after).unwrap_or(false) => {
            log::warn!("{} was read and is not removed: {e}", file.path);
            Ok(())
        }
        Err(e) => report_unremoved(execution, input, file, e),
    }
}

/// Whether nothing is left to remove: somebody else took the file, or has written to it since, so
/// that the next query reads it as another one.
fn is_settled(
    execution: &mut Execution,
    file: &RemoteFile,
    error: &Failure,
    after: &AfterReading,
) -> Result<bool, Failure> {
    match error.cause() {
        // A server may say so of a file that it lists.
        Cause::Missing => Ok(!is_listed(execution, file)?),
        Cause::Unproven => Ok(!after.must_succeed),
        // RNFR is refused for what is gone as for what may not be moved.
        Cause::Denied if error.is_refusal_of(Verb::Rnfr) => is_gone(execution, file),
        _ => Ok(false),
    }
}

/// Refuses a file that the server says (the fact `perm`) cannot be taken out of the way. Nothing is
/// tried: a partner's file is not renamed for a test.
fn check_removable(
    execution: &mut Execution,
    file: &RemoteFile,
    removal: &Removal,
) -> Result<(), Failure> {
    let perm = match file.perm {
        None if execution.session()?.features().mlst => {
            execution.repeat(|session| session.facts(&file.path))?.and_then(|entry| entry.perm)
        }
        told => told,
    };
    let denied = perm.filter(|perm| match removal {
        Removal::Keep => false,
        Removal::Delete => perm.denies_deleting(),
        Removal::Move(_) => perm.denies_renaming(),
    });
    let Some(perm) = denied else { return Ok(()) };
    let message = format!("{} may not be deleted or moved: the server says perm={perm}", file.path);
    Err(Failure::new(Cause::Denied, message).with_path(file.path.to_string()).with_hint(
        "ask for the right to delete, or set failIfUnableToDelete to false if the server is wrong",
    ))
}

/// Reports a file that was read and is still there, beside its document, which the host has
/// acknowledged. It is a failure also where refusals are documents: an empty document of the same
/// name would replace the one that was read.
fn report_unremoved(
    execution: &Execution,
    input: u64,
    file: &RemoteFile,
    error: Failure,
) -> Result<(), Failure> {
    log::warn!("{} was read but stays where it is: {error}", file.path);
    let mut sink =
        execution.context.begin_result(input, &file.properties).map_err(Failure::of_host)?;
    let error = error.with_hint("the document was delivered; the file is read again next time");
    sink.finish(&Outcome::Failure(error.into()), &Properties::new()).map_err(Failure::of_host)?;
    Ok(())
}

/// Takes a file that was read out of the way, unless it is another one by now: `size` is that of
/// what was read.
fn remove(
    execution: &mut Execution,
    path: &RemotePath,
    size: Option<u64>,
    version: FileVersion,
    removal: &Removal,
) -> Result<(), Failure> {
    let is_same = &mut |execution: &mut Execution| {
        version.has_changed(execution, path, size).map(|changed| !changed)
    };
    if !is_same(execution)? {
        return Err(changed_after_reading(path));
    }
    match removal {
        Removal::Keep => Ok(()),
        Removal::Delete => execution.delete(path, is_same),
        Removal::Move(directory) => {
            let directory = path.parent().join(directory)?;
            execution.repeat(|session| session.make_directories(&directory))?;
            let target = directory.entry(path.file_name())?;
            rename_to_free(execution, path, &target, size.map(|size| size..=size), is_same)
                .map(drop)
        }
    }
}

/// Reads the whole file into a sink that is not finished yet; with its size, where text was not
/// converted on the way.
fn receive(
    execution: &mut Execution,
    input: u64,
    file: &RemoteFile,
    settings: &ReadingSettings,
) -> Result<(Box<dyn ResultSink>, Option<u64>), Failure> {
    let limit = execution.session()?.transfer_limit();
    let mut backoff = execution.backoff()?;
    let checksum = TransferChecksum::new(execution.session()?, settings.checksum)?;
    let progress = execution.progress.clone();
    let buffer = std::mem::take(&mut execution.receive_buffer);
    let mut download =
        ResumableDownload::new(settings.format, file.size, checksum, limit, progress, buffer);
    // The listing that has shown a file states its size if any does.
    download.verifies = settings.verify;
    download.looks_for_size = settings.after.removal != Removal::Keep && !file.is_listed;
    let received = complete(execution, input, file, settings, &mut download, &mut backoff);
    execution.receive_buffer = download.into_buffer();
    received
}

/// Attempts the download until it is complete.
fn complete(
    execution: &mut Execution,
    input: u64,
    file: &RemoteFile,
    settings: &ReadingSettings,
    download: &mut ResumableDownload,
    backoff: &mut Backoff,
) -> Result<(Box<dyn ResultSink>, Option<u64>), Failure> {
    loop {
        let result = download.attempt(execution, input, file);
        backoff.progressed_to(download.received);
        let error = match result {
            Ok(()) => match download.sink.take() {
                Some(sink) => {
                    let is_exact = settings.format == TransferFormat::Binary;
                    return Ok((sink, is_exact.then_some(download.received)));
                }
                None => return Err(Failure::internal("a file was read without a sink")),
            },
            // No attempt of its own: nothing was interrupted.
            Err(e) if download.restartable && e.is_refusal_of(Verb::Rest) => {
                download.restartable = false;
                continue;
            }
            // What was refused may be missing or out of reach: only a proof of the one counts.
            Err(e) if is_missing(execution, file, &e)? => {
                let error = e.into_missing();
                download.end(&error);
                return Err(error);
            }
            // A server may list what it does not find.
            Err(e) if e.is(Cause::Missing) => {
                e.with_cause(Cause::Denied).with_path(file.path.to_string())
            }
            // Some servers agree to REST and refuse the RETR behind it.
            Err(e) if download.restartable && download.received > 0 && is_final_refusal(&e) => {
                log::info!("{} is read from its beginning: {e}", file.path);
                download.restartable = false;
                continue;
            }
            Err(e) => e.with_path(file.path.to_string()),
        };
        execution.wait(backoff, error).inspect_err(|e| download.end(e))?;
    }
}

/// Whether the server refused to read, and will again.
fn is_final_refusal(error: &Failure) -> bool {
    error.is_refusal_of(Verb::Retr) && !error.is_transient()
}

/// Whether the server denied the file itself.
fn is_denied(error: &Failure) -> bool {
    error.is(Cause::Denied) && error.is_answer()
}

/// Whether `error` means that there is no such file, and that is proven.
fn is_missing(
    execution: &mut Execution,
    file: &RemoteFile,
    error: &Failure,
) -> Result<bool, Failure> {
    if error.is(Cause::Missing) && !file.is_listed {
        return Ok(true);
    }
    Ok((error.is(Cause::Missing) || is_denied(error)) && is_gone(execution, file)?)
}

/// Whether a file that is said to be missing is listed all the same. For one that no listing has
/// shown before, the answer about its name counts where nothing can be listed.
fn is_listed(execution: &mut Execution, file: &RemoteFile) -> Result<bool, Failure> {
    execution.repeat(|session| match session.listed_entry(&file.path) {
        Ok(entry) => Ok(entry.is_some()),
        Err(_) if session.is_usable() => Ok(file.is_listed),
        Err(e) => Err(e),
    })
}

/// Whether nothing of this name is there, and that is proven. Of a file that a listing has shown,
/// only a listing proves it.
fn is_gone(execution: &mut Execution, file: &RemoteFile) -> Result<bool, Failure> {
    let path = &file.path;
    execution.repeat(|session| match file.is_listed {
        true => session.is_still_there(path).map(|is_there| !is_there),
        false => Ok(matches!(session.presence(path)?, Presence::Absent)),
    })
}
