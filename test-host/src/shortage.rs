//! Threads and file descriptors that this machine has no more of: an error with advice, no panic.

use std::fs::File;
use std::io;
use std::thread::{Builder, Scope, ScopedJoinHandle};

use host_sdk::{Error, ErrorKind};

/// Starts `work` on a thread of its own within `scope`.
///
/// # Errors
///
/// `busy` when no thread can be started.
pub(crate) fn start_thread<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, ()>, Error> {
    let started = Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
    started.map_err(|e| no_thread(name, &e))
}

/// The error of a thread that cannot be started.
pub(crate) fn no_thread(name: &str, error: &io::Error) -> Error {
    Error::new(ErrorKind::Busy, format!("no thread can be started for {name}: {error}")).with_hint(
        "end other programs of this user, or raise the limit of threads (ulimit -u, pids.max or \
         TasksMax of a container or a service)",
    )
}

/// True if another thread can be started. Called before code that would panic without one.
pub(crate) fn has_thread() -> bool {
    Builder::new().spawn(|| ()).is_ok()
}

/// Adds advice to `error` if its `cause` is that no more files can be opened.
pub(crate) fn with_advice(error: Error, cause: &io::Error) -> Error {
    // Some errors hide the system's number. Then a file is opened to find out.
    let now = || File::open(".").err()?.raw_os_error();
    let number = cause.raw_os_error().or_else(now);
    if !number.is_some_and(|number| TOO_MANY_FILES.contains(&number)) {
        return error;
    }
    error.with_hint(
        "raise the limit of open files (ulimit -n, LimitNOFILE of a service), or lower \
         maximumConnections and parallelTransfers",
    )
}

/// EMFILE and ENFILE, the same numbers on Linux, macOS and the BSDs.
#[cfg(not(windows))]
const TOO_MANY_FILES: [i32; 2] = [24, 23];

/// WSAEMFILE and ERROR_TOO_MANY_OPEN_FILES.
#[cfg(windows)]
const TOO_MANY_FILES: [i32; 2] = [10024, 4];
