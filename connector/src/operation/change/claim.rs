//! Claiming a name: the look whether it is free and the renaming to it, under a lock.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::delete::changed_after_reading;
use super::lock::{Held, acquire};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use crate::operation::numbered_names::{NumberedNames, number_of};
use crate::session::{Presence, SizeAnswer};

/// Does `work` while no other client that asks can claim `target`.
///
/// A server that does not let directories be made and removed leaves no way to lock; the work is
/// done anyway.
///
/// # Errors
///
/// Those of `work`; `busy` for a lock that is held all the time; what a command can fail with;
/// `cancelled`.
pub(in crate::operation) fn with_lock<T>(
    execution: &mut Execution,
    target: &RemotePath,
    work: impl FnOnce(&mut Execution, Option<&mut Held>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let lock = target.lock()?;
    let mut held = acquire(execution, &lock)?;
    let result = work(execution, held.as_mut());
    if let Some(held) = held {
        held.release(execution);
    }
    result
}

/// Renames `from` to the first of output.txt, output1.txt, output2.txt, … that is free, and
/// answers which one that was; only while `is_same` says that it is the file to rename. `sizes` are
/// those that the file may have, which prove a renaming whose reply is lost.
///
/// # Errors
///
/// As [`next_free`] and [`with_lock`]; `integrity` where it is another file by now.
pub(in crate::operation) fn rename_to_free(
    execution: &mut Execution,
    from: &RemotePath,
    target: &RemotePath,
    sizes: Option<RangeInclusive<u64>>,
    is_same: &mut dyn FnMut(&mut Execution) -> Result<bool, Failure>,
) -> Result<RemotePath, Failure> {
    let mut numbers = known_numbers(execution, target);
    let mut backoff = execution.backoff()?;
    loop {
        // The search comes before the claim, so that no other upload waits for it. The lock is on
        // the candidate and not on the target: others may want it for its own sake.
        let (candidate, number) = next_free(execution, &mut numbers)?;
        let is_renamed = with_lock(execution, &candidate, |execution, held| {
            if execution.repeat(|session| session.presence_beside(&candidate, from))?.decided()? {
                numbers.take(number);
                return Ok(false);
            }
            // Waiting for the lock may have taken long.
            if !is_same(execution)? {
                return Err(changed_after_reading(from));
            }
            execution.try_rename(&mut backoff, held, from, &candidate, sizes.as_ref())
        })?;
        if is_renamed {
            numbers.take(number);
            execution.numbers = Some(numbers);
            return Ok(candidate);
        }
    }
}

/// What `execution` knows about the numbers of `target`. The name without a number may have become
/// free since.
pub(in crate::operation) fn known_numbers(
    execution: &mut Execution,
    target: &RemotePath,
) -> NumberedNames {
    let known = execution.numbers.take().filter(|known| known.target() == target);
    let mut numbers = known.unwrap_or_else(|| NumberedNames::new(target.clone()));
    numbers.free_the_bare_name();
    numbers
}

/// The first name that is not seen to be taken, and its number. Once some are taken, one
/// listing of the directory stands for a question about each number.
///
/// # Errors
///
/// `alreadyExists` when none is; what a command or a data connection can fail with.
pub(in crate::operation) fn next_free(
    execution: &mut Execution,
    numbers: &mut NumberedNames,
) -> Result<(RemotePath, u32), Failure> {
    loop {
        if numbers.are_many() && !numbers.is_listed {
            numbers.is_listed = true;
            refuse_if_anything_exists(execution, numbers.target())?;
            list_taken(execution, numbers)?;
        }
        let (name, number) = numbers.first_unknown()?;
        let candidate = numbers.target().parent().entry(&name)?;
        match execution.repeat(|session| session.ask_size(&candidate))? {
            SizeAnswer::Bytes(_) => numbers.take(number),
            _ => return Ok((candidate, number)),
        }
    }
}

fn list_taken(execution: &mut Execution, numbers: &mut NumberedNames) -> Result<(), Failure> {
    let target = numbers.target().clone();
    let listed = execution.repeat(|session| {
        let mut taken = BTreeSet::new();
        session.list_strict(&target.parent(), &mut |entry| {
            taken.extend(number_of(target.file_name(), &entry.name));
            Ok(true)
        })?;
        Ok(taken)
    });
    match listed {
        Ok(taken) => taken.into_iter().for_each(|number| numbers.take(number)),
        // Each number is asked for by itself then.
        Err(e) if e.is_about_document() => {
            log::debug!("{} cannot be listed: {e}", target.parent());
        }
        Err(e) => return Err(e),
    }
    Ok(())
}

/// Refuses to look for a free name on a server that says of a name that nobody has that it is there.
fn refuse_if_anything_exists(
    execution: &mut Execution,
    target: &RemotePath,
) -> Result<(), Failure> {
    let nobodys = target.unique_sibling("none")?;
    if !matches!(execution.repeat(|session| session.presence(&nobodys))?, Presence::Present) {
        return Ok(());
    }
    let message = format!("the server says that {nobodys} exists, as it does of any name");
    Err(Failure::new(Cause::Denied, message)
        .with_path(target)
        .with_hint("set actionIfFileExists to overwrite: nothing shows which names are free"))
}
