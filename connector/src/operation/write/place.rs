//! The end of an upload: a complete file gets its time, its permissions and its name.

use std::ops::RangeInclusive;

use super::plan::Plan;
use crate::config::FileExists;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::change::claim::{rename_to_free, with_lock};
use crate::operation::change::lock::Held;
use crate::operation::execution::Execution;
use crate::session::{Session, SizeAnswer};

/// Refuses where `target` is known to exist, before any byte travels. Where the server says nothing
/// about it, the look before the renaming decides.
///
/// # Errors
///
/// `alreadyExists`; what a command can fail with.
pub(in crate::operation) fn require_unseen(
    execution: &mut Execution,
    target: &RemotePath,
) -> Result<(), Failure> {
    match execution.repeat(|session| session.ask_size(target))? {
        SizeAnswer::Bytes(_) => Err(taken(target)),
        SizeAnswer::Missing(_) | SizeAnswer::Denied | SizeAnswer::Unanswered => Ok(()),
    }
}

/// Refuses where `target` exists; `own` is the upload that is to get this name.
fn require_absent(
    execution: &mut Execution,
    target: &RemotePath,
    own: &RemotePath,
) -> Result<(), Failure> {
    let presence = execution.repeat(|session| session.presence_beside(target, own))?;
    if presence.decided()? { Err(taken(target)) } else { Ok(()) }
}

/// The failure of a name that is taken.
pub(in crate::operation) fn taken(target: &RemotePath) -> Failure {
    Failure::new(Cause::Taken, format!("{target} exists already")).with_path(target)
}

/// Gives a complete upload its name; the one it really got. `sizes` are those that it may have on
/// the server.
///
/// # Errors
///
/// `alreadyExists`, `permission`; what a command can fail with.
pub(in crate::operation) fn place(
    execution: &mut Execution,
    file_exists: FileExists,
    temporary: &RemotePath,
    target: &RemotePath,
    sizes: RangeInclusive<u64>,
) -> Result<RemotePath, Failure> {
    match file_exists {
        FileExists::CreateUniqueName => {
            rename_to_free(execution, temporary, target, Some(sizes), &mut |_| Ok(true))
        }
        FileExists::GenerateError => {
            let mut backoff = execution.backoff()?;
            let mut try_place = |execution: &mut Execution, held: Option<&mut Held>| {
                require_absent(execution, target, temporary)?;
                execution.try_rename(&mut backoff, held, temporary, target, Some(&sizes))
            };
            while !with_lock(execution, target, &mut try_place)? {}
            Ok(target.clone())
        }
        FileExists::Overwrite | FileExists::Append => {
            replace(execution, temporary, target, &sizes)?;
            Ok(target.clone())
        }
    }
}

/// Renames over what is there. A server that does not replace gets the old file out of the way
/// first, and back if the new one cannot take its place.
fn replace(
    execution: &mut Execution,
    temporary: &RemotePath,
    target: &RemotePath,
    sizes: &RangeInclusive<u64>,
) -> Result<(), Failure> {
    let refusal = match execution.rename_over(temporary, target, Some(sizes)) {
        Err(e) if e.is_about_document() => e,
        other => return other,
    };
    // A directory of that name is nothing to replace.
    let is_file =
        |session: &mut Session| Ok(session.exists(target)? && !session.has_directory(target)?);
    if !execution.repeat(is_file)? {
        return Err(refusal);
    }
    let aside = target.unique_sibling("old")?;
    execution.rename_aside(target, &aside)?;
    if let Err(e) = execution.rename_over(temporary, target, Some(sizes)) {
        return Err(match execution.restore(&aside, target) {
            Ok(()) => e,
            Err(lost) => e.with_hint(format!("the old file lies under {aside} now: {lost}")),
        });
    }
    if let Err(e) = execution.delete_named(&aside) {
        log::warn!("the replaced file was left behind as {aside}: {e}");
    }
    Ok(())
}

/// Gives a complete upload its permissions, before anybody sees it under its name. A server that
/// cannot has the file all the same.
///
/// # Errors
///
/// What a command can fail with, except refusals.
pub(in crate::operation) fn set_permissions(
    execution: &mut Execution,
    plan: &Plan,
    temporary: &RemotePath,
) -> Result<(), Failure> {
    let Some(mode) = &plan.permissions else { return Ok(()) };
    match execution.repeat(|session| session.set_permissions(temporary, mode)) {
        Err(e) if e.is_refusal() => log::warn!("permissions of {temporary} were not set: {e}"),
        other => return other,
    }
    Ok(())
}

/// Gives a file that has its name its time. Before that, an old time would make an upload look as if
/// nobody had written to it for long. The file is there whatever becomes of this.
pub(in crate::operation) fn set_time(execution: &mut Execution, plan: &Plan, path: &RemotePath) {
    let Some(at) = plan.modified else { return };
    match execution.repeat(|session| session.set_modified(path, at)) {
        Ok(true) => {}
        Ok(false) => log::warn!("the server cannot set times: {path} keeps its own"),
        Err(e) => log::warn!("the time of {path} was not set: {e}"),
    }
}
