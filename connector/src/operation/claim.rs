//! Claiming a name: two uploads that look for a free name at once must not find the same one.
//!
//! FTP has no "rename unless it exists": most servers replace silently. Making a directory is
//! the one thing that every server does atomically, so a directory beside the name is the lock,
//! held for the few commands between looking and renaming.

use std::time::{Duration, Instant};

use host_sdk::{Error, ErrorKind};

use super::Run;
use crate::remote_path::RemotePath;
use crate::retry::pause;

/// How long somebody else may hold a lock. It takes a few round trips: one that is older was
/// left behind by a process that died.
const PATIENCE: Duration = Duration::from_secs(30);

/// The pause between two looks at a lock that is held.
const PAUSE: Duration = Duration::from_millis(25);

/// Does `work` while nobody else who asks can claim `target`.
///
/// A server that does not let directories be made leaves no way to lock; the work is done all
/// the same.
///
/// # Errors
///
/// Those of `work`; what a command can fail with; `cancelled`.
pub(super) fn claiming<T>(
    run: &mut Run,
    target: &RemotePath,
    work: impl FnOnce(&mut Run) -> Result<T, Error>,
) -> Result<T, Error> {
    let lock = target.parent().entry(&format!(".{}.lock", target.file_name()))?;
    let locked = acquire(run, &lock)?;
    let result = work(run);
    if locked && let Err(e) = run.session().and_then(|session| session.remove_directory(&lock)) {
        log::warn!("the lock {lock} was left behind: {e}");
    }
    result
}

/// Whether the lock is held now; `false` where the server does not allow one.
fn acquire(run: &mut Run, lock: &RemotePath) -> Result<bool, Error> {
    let mut since = Instant::now();
    loop {
        let refusal = match run.session()?.make_directory(lock) {
            Ok(()) => return Ok(true),
            Err(e) if is_refused(&e) => e,
            Err(e) => return Err(e),
        };
        if !run.session()?.has_directory(lock)? {
            // Gone by now, or never allowed: the next attempt tells.
            match run.session()?.make_directory(lock) {
                Ok(()) => return Ok(true),
                Err(e) if is_refused(&e) && !run.session()?.has_directory(lock)? => {
                    log::debug!("names cannot be claimed here: {refusal}");
                    return Ok(false);
                }
                Err(e) if is_refused(&e) => {}
                Err(e) => return Err(e),
            }
        }
        if since.elapsed() > PATIENCE {
            log::warn!("the lock {lock} is {} s old and is taken over", PATIENCE.as_secs());
            // Whoever else takes it over at the same time makes this fail, and the next look
            // finds their lock.
            let _ = run.session()?.remove_directory(lock);
            since = Instant::now();
        }
        pause(PAUSE, &run.cancel)?;
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
