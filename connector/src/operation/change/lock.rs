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

use jiff::SignedDuration;

use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::operation::execution::Execution;
use crate::session::Session;
use host_sdk::kit::Deadline;
use host_sdk::kit::{Backoff, random_suffix};

/// How long a challenge stays in a lock before the lock counts as left behind.
const PATIENCE: Duration = Duration::from_secs(120);

/// How long a holder may rely on a lock that it made or renewed.
const LEASE: Duration = Duration::from_secs(60);

/// How old a lock is when its holder renews it before it renames.
const RENEWAL: Duration = Duration::from_secs(10);

/// How long all locks together may be in the way, each of which its holder releases in time.
const WAITING: Duration = Duration::from_secs(15 * 60);

/// How long a lock may be in the way before it is challenged: most are released sooner.
const GRACE: Duration = Duration::from_secs(1);

/// If the reply to MKD is lost, the lock may be this client's own. It counts as that once a
/// challenge has stayed in it for this long: other clients release theirs sooner.
const DOUBT: Duration = Duration::from_secs(5);

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

/// A lock that is in the way.
#[derive(Default)]
struct Obstacle {
    since: Option<Instant>,
    challenge: Option<Challenge>,
    /// Whether it may be this client's own.
    is_doubtful: bool,
}

struct Challenge {
    path: RemotePath,
    since: Instant,
}

/// What a look at a lock in the way shows.
enum Verdict {
    /// It is held, as far as is known.
    Wait,
    /// It is not there any more.
    Gone,
    /// It is this client's own.
    Own,
    /// It can never be removed.
    Impossible,
}

impl Obstacle {
    fn look(
        &mut self,
        execution: &mut Execution,
        backoff: &mut Backoff,
        lock: &RemotePath,
    ) -> Result<Verdict, Failure> {
        let since = *self.since.get_or_insert_with(Instant::now);
        let Some(challenge) = &self.challenge else {
            if since.elapsed() < GRACE && !self.is_doubtful {
                return Ok(Verdict::Wait);
            }
            return self.challenge(execution, backoff, lock);
        };
        let age = challenge.since.elapsed();
        if age <= DOUBT || (age <= PATIENCE && !self.is_doubtful) {
            return Ok(Verdict::Wait);
        }
        if !execution.repeat(|session| session.has_directory(&challenge.path))? {
            return Ok(Verdict::Gone);
        }
        if self.is_doubtful && age <= PATIENCE {
            return Ok(Verdict::Own);
        }
        bury(execution, lock, challenge)
    }

    /// Puts a challenge into the lock. A lock that was old already, by the server's own clock, is
    /// removed at once.
    fn challenge(
        &mut self,
        execution: &mut Execution,
        backoff: &mut Backoff,
        lock: &RemotePath,
    ) -> Result<Verdict, Failure> {
        let before = execution.repeat(|session| modified(session, lock))?;
        let path = lock.entry(&format!("{:016x}", random_suffix()))?;
        if let Err(e) = try_challenge(execution, &path) {
            if !e.is_about_path() {
                execution.wait(backoff, e)?;
                return Ok(Verdict::Wait);
            }
            let is_there = execution.repeat(|session| session.has_directory(lock))?;
            return Ok(if is_there { Verdict::Impossible } else { Verdict::Gone });
        }
        let challenge = Challenge { path, since: Instant::now() };
        let after = execution.repeat(|session| modified(session, lock))?;
        if is_old(before, after) {
            return bury(execution, lock, &challenge);
        }
        self.challenge = Some(challenge);
        Ok(Verdict::Wait)
    }
}

/// Makes the directory of a challenge. The first one on a server is removed and made again: where
/// directories cannot be removed, no lock may be waited for.
fn try_challenge(execution: &mut Execution, path: &RemotePath) -> Result<(), Failure> {
    execution.session()?.make_directory(path)?;
    if !execution.server_behaviour().can_unlock() {
        execution.session()?.remove_directory(path)?;
        execution.server_behaviour().note_unlock();
        execution.session()?.make_directory(path)?;
    }
    Ok(())
}

/// When the lock was last changed, as a listing states it; `None` where nothing does.
fn modified(session: &mut Session, lock: &RemotePath) -> Result<Option<Modified>, Failure> {
    match session.entry_modified(lock) {
        Err(e) if e.is_about_path() && session.is_usable() => Ok(None),
        other => other,
    }
}

/// Whether making the challenge has moved the time of the lock by more than a holder may wait.
fn is_old(before: Option<Modified>, after: Option<Modified>) -> bool {
    let Some((before, after)) = before.zip(after) else { return false };
    let patience = SignedDuration::try_from(PATIENCE).unwrap_or(SignedDuration::MAX);
    let doubt = before.precision.span().max(after.precision.span());
    after.at.duration_since(before.at) > patience.saturating_add(doubt)
}

/// Removes a lock whose holder is dead, and no other: another client may have removed it in the
/// same moment, and hold a lock of that name by now. The challenge in it shows which one it is.
fn bury(
    execution: &mut Execution,
    lock: &RemotePath,
    challenge: &Challenge,
) -> Result<Verdict, Failure> {
    log::warn!("the lock {lock} was left behind by an upload that died: it is removed");
    let aside = lock.unique_sibling("dead")?;
    let proof = aside.entry(challenge.path.file_name())?;
    let session = execution.session()?;
    session.change_directory(&lock.parent())?;
    match session.rename(lock, &aside) {
        Ok(()) if session.has_directory(&proof)? => {
            clear(session, &aside)?;
            session.remove_directory(&aside)?;
        }
        Ok(()) => {
            session.change_directory(&lock.parent())?;
            session.rename(&aside, lock)?;
        }
        // Directories may not be renamed here. The challenge can be removed only once.
        Err(e) if e.is_about_path() => {
            if session.remove_directory(&challenge.path).is_ok() {
                clear(session, lock)?;
                session.remove_directory(lock)?;
            }
        }
        Err(e) => return Err(e),
    }
    Ok(Verdict::Gone)
}

/// Removes the challenges in a lock.
fn clear(session: &mut Session, lock: &RemotePath) -> Result<(), Failure> {
    let mut challenges = Vec::new();
    session.list_strict(lock, &mut |entry| {
        challenges.extend(lock.entry(&entry.name));
        Ok(challenges.len() < 1000)
    })?;
    for challenge in challenges {
        match session.remove_directory(&challenge) {
            Err(e) if !e.is_about_path() => return Err(e),
            _ => {}
        }
    }
    Ok(())
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
