//! A lock on a name: two uploads that look for a free name at once must not find the same one.
//!
//! FTP has no "rename unless it exists": most servers replace silently. Making a directory is the
//! one change that every server makes atomically, so a directory beside the name is the lock.
//!
//! A lock states no owner, and many listings state no exact time. So a client that finds a lock in
//! its way puts a directory of its own into it, a *challenge*. Releasing or renewing a lock removes
//! the challenges in it. A challenge that is still there after [`PATIENCE`] proves that the lock
//! was neither released nor renewed in all that time: its holder is dead. A holder that is merely
//! slow sends no RNTO later than [`LEASE`] after it made or renewed the lock, so RNTO may itself
//! take as long as the difference of the two.

use std::time::{Duration, Instant};

use super::obstacle::{Obstacle, PATIENCE, Verdict, clear};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use host_sdk::kit::Deadline;
use host_sdk::kit::random_suffix;

/// How long a holder may rely on a lock that it made or renewed.
const LEASE: Duration = Duration::from_secs(60);

/// How old a lock is when its holder renews it before it renames.
const RENEWAL: Duration = Duration::from_secs(10);

/// How long all locks together may be in the way, each of which its holder releases in time.
const WAITING: Duration = Duration::from_secs(15 * 60);

/// How often MKD may be refused with nothing in its way before locks count as impossible.
const VAIN: u32 = 4;

/// The first pause between two looks at a lock that is held, and the longest one.
const PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A lock that this execution holds.
pub(in crate::operation) struct Held {
    lock: RemotePath,
    /// When the last request began that proved the lock to be this client's.
    proven: Instant,
}

impl Held {
    /// Renews the lock if it is not fresh.
    ///
    /// # Errors
    ///
    /// `unavailable` if it may be another client's by now; what a command can fail with.
    pub(in crate::operation) fn renew(&mut self, execution: &mut Execution) -> Result<(), Failure> {
        if self.proven.elapsed() > LEASE {
            return Err(expired(&self.lock));
        }
        if self.proven.elapsed() > RENEWAL {
            let begun = Instant::now();
            match execution.repeat(|session| clear(session, &self.lock)) {
                Ok(()) => self.proven = begun,
                // The lock is as good as it was.
                Err(e) if e.is_about_path() => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Until when RNTO may be sent.
    pub(in crate::operation) fn expires(&self) -> Instant {
        self.proven + LEASE
    }

    /// Releases the lock, even if the execution is cancelled by now. A lock that stays behind is in
    /// the way of the next upload of that name for a while, and costs nothing else.
    pub(in crate::operation) fn release(self, execution: &mut Execution) {
        if let Err(e) = self.remove(execution) {
            if e.is_about_path() && execution.server_behaviour().forbid_locks() {
                log::warn!("names cannot be locked here, {} stays behind: {e}", self.lock);
            } else {
                log::warn!("the lock {} stays behind: {e}", self.lock);
            }
        }
    }

    fn remove(&self, execution: &mut Execution) -> Result<(), Failure> {
        if self.proven.elapsed() > PATIENCE {
            return Err(expired(&self.lock));
        }
        match execution.unlock(&self.lock) {
            Err(e) if e.is_about_path() => {
                // Challenges are in it.
                execution.repeat(|session| clear(session, &self.lock)).ok();
                execution.unlock(&self.lock).map_err(|_| e)
            }
            other => other,
        }
    }
}

/// Waits until the lock is this client's; `None` where the server does not allow locks.
///
/// # Errors
///
/// `busy` if it is held all the time; what a command can fail with; `cancelled`.
pub(in crate::operation) fn acquire(
    execution: &mut Execution,
    lock: &RemotePath,
) -> Result<Option<Held>, Failure> {
    let mut obstacle = Obstacle::default();
    let mut backoff = execution.backoff()?;
    let until = Deadline::after(Some(WAITING), "");
    let mut in_vain = 0;
    let mut rest = PAUSE;
    while execution.server_behaviour().may_lock() {
        let begun = Instant::now();
        let refusal = match execution.session()?.make_directory(lock) {
            Ok(()) if !is_exclusive(execution, lock)? => return Ok(None),
            Ok(()) => return Ok(Some(Held { lock: lock.clone(), proven: begun })),
            Err(e) if e.is_about_path() => Some(e),
            Err(e) => {
                // A lock that was there before is another client's.
                obstacle.is_doubtful |= obstacle.since.is_none();
                execution.wait(&mut backoff, e)?;
                None
            }
        };
        if execution.repeat(|session| session.has_directory(lock))? {
            in_vain = 0;
            match obstacle.look(execution, &mut backoff, lock)? {
                Verdict::Wait => {}
                Verdict::Gone => obstacle = Obstacle::default(),
                Verdict::Own => return Ok(Some(Held { lock: lock.clone(), proven: begun })),
                Verdict::Impossible => {
                    if execution.server_behaviour().forbid_locks() {
                        log::warn!("names cannot be locked here: {lock} cannot be removed");
                    }
                    return Ok(None);
                }
            }
        } else if let Some(refusal) = refusal {
            // It was released between the two looks, or never there.
            obstacle = Obstacle::default();
            in_vain += 1;
            if in_vain >= VAIN {
                if can_lock_others(execution, lock)? {
                    log::warn!("{lock} cannot be made, this name alone is not locked: {refusal}");
                } else if execution.server_behaviour().forbid_locks() {
                    log::warn!("names cannot be locked here: {refusal}");
                }
                return Ok(None);
            }
        } else {
            obstacle = Obstacle::default();
        }
        until.remaining("").map_err(|_| not_released(lock))?;
        execution.cancel.sleep(rest)?;
        rest = (rest * 2).min(LONGEST_PAUSE);
    }
    Ok(None)
}

/// Whether nobody else can make `lock`, which was just made: some servers accept MKD of a directory
/// that exists, so that it locks nothing. Asked once for a server.
fn is_exclusive(execution: &mut Execution, lock: &RemotePath) -> Result<bool, Failure> {
    if execution.server_behaviour().makes_once() {
        return Ok(true);
    }
    match execution.session()?.make_directory(lock) {
        Err(e) if e.is_about_path() => {
            execution.server_behaviour().note_makes_once();
            Ok(true)
        }
        Err(e) => Err(e),
        Ok(()) => {
            if execution.server_behaviour().forbid_locks() {
                log::warn!("names cannot be locked here: {lock} can be made twice");
            }
            // It stays behind where it cannot be removed, and is in nobody's way.
            execution.unlock(lock).or_else(|e| if e.is_about_path() { Ok(()) } else { Err(e) })?;
            Ok(false)
        }
    }
}

/// Whether a directory of another name can be made beside `lock`, so that it is this name that
/// cannot be locked: it is too long, or a file.
fn can_lock_others(execution: &mut Execution, lock: &RemotePath) -> Result<bool, Failure> {
    let other = lock.parent().entry(&format!(".{:016x}.lock", random_suffix()))?;
    match execution.session()?.make_directory(&other) {
        Ok(()) => execution.unlock(&other).map(|()| true),
        Err(e) if e.is_about_path() => Ok(false),
        Err(e) => Err(e),
    }
}

impl Execution {
    /// Releases a lock, even if the execution is cancelled by now.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(in crate::operation) fn unlock(&mut self, lock: &RemotePath) -> Result<(), Failure> {
        match self.try_unlock(lock) {
            Err(e) if e.is(Cause::Cancelled) => {
                self.run_after_cancel(|session| session.remove_directory(lock))
            }
            other => other,
        }
    }

    fn try_unlock(&mut self, lock: &RemotePath) -> Result<(), Failure> {
        let mut backoff = self.backoff()?;
        loop {
            match self.session()?.remove_directory(lock) {
                Ok(()) => return Ok(()),
                // What stands there now may be another's.
                Err(e) if e.is_outcome_unknown() && !e.is(Cause::Cancelled) => {
                    let is_there = self.repeat(|session| session.has_directory(lock))?;
                    return if is_there { Err(e) } else { Ok(()) };
                }
                Err(e) => self.wait(&mut backoff, e)?,
            }
        }
    }
}

fn expired(lock: &RemotePath) -> Failure {
    Failure::new(Cause::Unavailable, format!("the lock {lock} was held for too long"))
        .with_transient(true)
        .with_path(lock)
}

fn not_released(lock: &RemotePath) -> Failure {
    Failure::new(Cause::Busy, format!("the lock {lock} is not released"))
        .with_path(lock)
        .with_hint("remove that directory if no other upload is under way")
}
