//! Claiming a name: two uploads that look for a free name at once must not find the same one.
//!
//! FTP has no "rename unless it exists": most servers replace silently. Making a directory is
//! the one thing that every server does atomically, so a directory beside the name is the lock,
//! held for the few commands between looking and renaming.

use std::time::{Duration, Instant};

use host_sdk::{Error, ErrorKind};

use super::names::{beside, free_name};
use super::run::Run;
use super::watch::rewritten;
use crate::deadline::Deadline;
use crate::remote_path::RemotePath;
use crate::retry::pause;
use crate::session::Session;
use crate::timestamp::{Modified, Precision};

/// How long one and the same lock may be in the way before its holder counts as dead. Longer
/// than a minute, which is how exactly some listings tell when it was made.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long all locks together may be in the way, each of which its holder releases in time.
const WAITING: Duration = Duration::from_secs(15 * 60);

/// How long a lock that may be this side's own, because the answer to making it got lost, has to
/// stay the same to count as that: another's would have been released by then.
const DOUBT: Duration = Duration::from_secs(5);

/// The first pause between two looks at a lock that is held, and the longest one.
const PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Does `work` while nobody else who asks can claim `target`.
///
/// A server that does not let directories be made leaves no way to lock; the work is done all
/// the same.
///
/// # Errors
///
/// Those of `work`; `busy` for a lock of unknown age, and for one that is held all the time; what a
/// command can fail with; `cancelled`.
pub(super) fn claiming<T>(
    run: &mut Run,
    target: &RemotePath,
    work: impl FnOnce(&mut Run) -> Result<T, Error>,
) -> Result<T, Error> {
    let lock = target.parent().entry(&format!(".{}.lock", target.file_name()))?;
    let locked = acquire(run, &lock)?;
    let result = work(run);
    if locked && let Err(e) = run.unlock(&lock) {
        log::warn!("the lock {lock} was left behind: {e}");
    }
    result
}

/// Renames `from` to the first of output.txt, output1.txt, output2.txt, … that is free, and
/// answers which one that was; only while `is_same` says that it is the file to rename.
///
/// # Errors
///
/// As [`free_name`] and [`claiming`]; `integrity` where it is another file by now.
pub(super) fn rename_to_free(
    run: &mut Run,
    from: &RemotePath,
    target: &RemotePath,
    is_same: &mut dyn FnMut(&mut Run) -> Result<bool, Error>,
) -> Result<RemotePath, Error> {
    let mut number = 0;
    let mut backoff = run.backoff()?;
    loop {
        // The long search comes before the claim, so that nobody waits for it. What is claimed is
        // the name that is taken: others may want it for its own sake.
        let candidate;
        (candidate, number) = free_name(run, target, number)?;
        let is_renamed = claiming(run, &candidate, |run| {
            if run.repeat(|session| session.exists(&candidate))? {
                return Ok(false);
            }
            // The claim may have taken its time.
            if !is_same(run)? {
                return Err(rewritten(from));
            }
            run.try_rename(&mut backoff, from, &candidate)
        })?;
        if is_renamed {
            return Ok(candidate);
        }
    }
}

/// Whether the lock is held now; `false` where the server does not allow one.
fn acquire(run: &mut Run, lock: &RemotePath) -> Result<bool, Error> {
    let mut rival: Option<Rival> = None;
    let mut backoff = run.backoff()?;
    let until = Deadline::after(Some(WAITING), "");
    // Whether the lock may be this side's own.
    let mut is_doubtful = false;
    let mut rest = PAUSE;
    loop {
        let refusal = match run.session()?.make_directory(lock) {
            Ok(()) => return Ok(true),
            Err(e) if is_refused(&e) => Some(e),
            Err(e) => {
                // A lock that stood there before is another's.
                is_doubtful |= rival.is_none();
                run.wait(&mut backoff, e)?;
                None
            }
        };
        if run.repeat(|session| session.has_directory(lock))? {
            let known = match rival.take() {
                None => run.repeat(|session| Rival::found(session, lock))?,
                // Only an exact time tells one lock from the next.
                Some(known) if is_doubtful && known.is_dated() && known.since.elapsed() > DOUBT => {
                    let now = run.repeat(|session| Rival::found(session, lock))?;
                    if now.made == known.made {
                        return Ok(true);
                    }
                    is_doubtful = false;
                    now
                }
                Some(known) if known.since.elapsed() > PATIENCE => known.outlasted(run, lock)?,
                Some(known) => known,
            };
            rival = Some(known);
        } else {
            if let Some(refusal) = refusal
                && rival.is_none()
                && is_forbidden(run, lock)?
            {
                log::debug!("names cannot be claimed here: {refusal}");
                return Ok(false);
            }
            // It was released between the two looks.
            (rival, is_doubtful) = (None, false);
        }
        until.remaining("").map_err(|_| not_released(lock))?;
        pause(rest, &run.cancel)?;
        rest = (rest * 2).min(LONGEST_PAUSE);
    }
}

/// Whether the server refuses to make the lock although nothing is in its way.
fn is_forbidden(run: &mut Run, lock: &RemotePath) -> Result<bool, Error> {
    match run.session()?.make_directory(lock) {
        Ok(()) => {
            run.session()?.remove_directory(lock)?;
            Ok(false)
        }
        Err(e) if is_refused(&e) => Ok(!run.session()?.has_directory(lock)?),
        Err(e) => Err(e),
    }
}

/// A lock that somebody else holds.
struct Rival {
    since: Instant,
    /// When it was made, by which one lock is told from the next.
    made: Option<Modified>,
}

impl Rival {
    fn found(session: &mut Session, lock: &RemotePath) -> Result<Self, Error> {
        Ok(Self { since: Instant::now(), made: session.entry_modified(lock)? })
    }

    /// Whether it is known to the second when it was made.
    fn is_dated(&self) -> bool {
        self.made.is_some_and(|made| made.precision >= Precision::Second)
    }

    /// What stands in the way now; a lock that has not changed in all that time is removed.
    fn outlasted(&self, run: &mut Run, lock: &RemotePath) -> Result<Self, Error> {
        let now = Self::found(run.session()?, lock)?;
        let Some(made) = now.made else {
            let is_there = run.repeat(|session| session.has_directory(lock))?;
            return if is_there { Err(not_released(lock)) } else { Ok(now) };
        };
        if self.made != Some(made) {
            return Ok(now);
        }
        log::warn!("the lock {lock} was left behind by an upload that died: it is removed");
        take_away(run.session()?, lock, made)?;
        let next = Self::found(run.session()?, lock)?;
        if next.made == Some(made) { Err(not_released(lock)) } else { Ok(next) }
    }
}

fn not_released(lock: &RemotePath) -> Error {
    Error::new(ErrorKind::Busy, format!("the lock {lock} is not released"))
        .with_path(lock.to_string())
        .with_hint("remove that directory if no other upload is under way")
}

/// Removes the lock that was made at `made`, and no other: whoever finds it dead in the same
/// moment may have removed it already, and hold another one of that name by now.
fn take_away(session: &mut Session, lock: &RemotePath, made: Modified) -> Result<(), Error> {
    let aside = beside(lock, "dead")?;
    if session.rename(lock, &aside).is_err() {
        return Ok(());
    }
    if session.entry_modified(&aside)? == Some(made) {
        session.remove_directory(&aside)
    } else {
        session.rename(&aside, lock)
    }
}

fn is_refused(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Unavailable
            | ErrorKind::Unsupported
    )
}
