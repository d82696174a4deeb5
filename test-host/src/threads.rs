//! Threads that may not be had: a machine's limit is an error, not a panic.

use std::io;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use host_sdk::{Error, ErrorKind};

/// Starts `work` on a thread of its own within `scope`.
///
/// # Errors
///
/// `busy` when there is no thread to be had.
pub(crate) fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, ()>, Error> {
    let started = Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
    started.map_err(|e| unavailable(name, &e))
}

/// The error of a thread that cannot be started.
pub(crate) fn unavailable(name: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Busy, format!("no thread can be started for {name}: {error}"))
        .with_hint(HINT)
}

/// Whether another thread can be started, for what would panic without one.
pub(crate) fn are_left() -> bool {
    Builder::new().spawn(|| ()).is_ok()
}

const HINT: &str = "end other programs of this user, or raise the limit of threads: ulimit -u, \
    and pids.max or TasksMax of a container or a service";
