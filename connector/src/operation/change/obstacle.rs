//! A lock in the way: whether its holder is alive, and its removal where it is not.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::operation::execution::Execution;
use crate::session::Session;
use host_sdk::kit::{Backoff, random_suffix};

/// How long a challenge stays in a lock before the lock counts as left behind.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// How long a lock may be in the way before it is challenged: most are released sooner.
const GRACE: Duration = Duration::from_secs(1);

/// If the reply to MKD is lost, the lock may be this client's own. It counts as that once a
/// challenge has stayed in it for this long: other clients release theirs sooner.
const DOUBT: Duration = Duration::from_secs(5);

/// A lock that is in the way.
#[derive(Default)]
pub(super) struct Obstacle {
    pub(super) since: Option<Instant>,
    challenge: Option<Challenge>,
    /// Whether it may be this client's own.
    pub(super) is_doubtful: bool,
}

struct Challenge {
    path: RemotePath,
    since: Instant,
}

/// What a look at a lock in the way shows.
pub(super) enum Verdict {
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
    pub(super) fn look(
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
pub(super) fn clear(session: &mut Session, lock: &RemotePath) -> Result<(), Failure> {
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
