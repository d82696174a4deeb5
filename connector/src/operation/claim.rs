//! Claiming a name: the look whether it is free and the renaming to it, under a lock.

use std::ops::RangeInclusive;

use super::lock::{Held, acquire};
use super::names::Numbers;
use super::run::Run;
use super::watch::rewritten;
use crate::failure::Failure;
use crate::file::path::RemotePath;

/// Does `work` while no other client that asks can claim `target`.
///
/// A server that does not let directories be made and removed leaves no way to lock; the work is
/// done anyway.
///
/// # Errors
///
/// Those of `work`; `busy` for a lock that is held all the time; what a command can fail with;
/// `cancelled`.
pub(super) fn claiming<T>(
    run: &mut Run,
    target: &RemotePath,
    work: impl FnOnce(&mut Run, Option<&mut Held>) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let lock = target.parent().entry(&format!(".{}.lock", target.file_name()))?;
    let mut held = acquire(run, &lock)?;
    let result = work(run, held.as_mut());
    if let Some(held) = held {
        held.release(run);
    }
    result
}

/// Renames `from` to the first of output.txt, output1.txt, output2.txt, … that is free, and
/// answers which one that was; only while `is_same` says that it is the file to rename. `sizes` are
/// those that the file may have, which prove a renaming whose reply is lost.
///
/// # Errors
///
/// As [`Numbers::next_free`] and [`claiming`]; `integrity` where it is another file by now.
pub(super) fn rename_to_free(
    run: &mut Run,
    from: &RemotePath,
    target: &RemotePath,
    sizes: Option<RangeInclusive<u64>>,
    is_same: &mut dyn FnMut(&mut Run) -> Result<bool, Failure>,
) -> Result<RemotePath, Failure> {
    let mut numbers = Numbers::of(run, target);
    let mut backoff = run.backoff()?;
    loop {
        // The search comes before the claim, so that no other upload waits for it. What is claimed
        // is the name that is taken: others may want it for its own sake.
        let (candidate, number) = numbers.next_free(run)?;
        let is_renamed = claiming(run, &candidate, |run, held| {
            if run.repeat(|session| session.presence_beside(&candidate, from))?.known()? {
                numbers.take(number);
                return Ok(false);
            }
            // The claim may have taken its time.
            if !is_same(run)? {
                return Err(rewritten(from));
            }
            run.try_rename(&mut backoff, held, from, &candidate, sizes.as_ref())
        })?;
        if is_renamed {
            numbers.take(number);
            run.numbers = Some(numbers);
            return Ok(candidate);
        }
    }
}
