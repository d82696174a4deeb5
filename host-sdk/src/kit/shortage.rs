//! What this machine has no more of: file descriptors and threads.
//!
//! Another attempt needs as many of them, so none is made, and no advice is given about servers.

use std::io;
use std::net::{Ipv4Addr, UdpSocket};
use std::thread::{Builder, Scope, ScopedJoinHandle};

use crate::error::{Error, ErrorKind};

/// The error of `what` if `error` says that there are no file descriptors left: `busy` and not
/// retryable.
#[must_use]
pub fn of_files(what: &str, error: &io::Error) -> Option<Error> {
    let whose = match error.raw_os_error()? {
        OF_PROCESS => "this process has too many open files",
        OF_SYSTEM => "this machine has too many open files",
        _ => return None,
    };
    Some(lacking(format!("{what} failed: {whose} ({error})"), MORE_FILES))
}

/// As [`of_files`], after a failure whose reason is not known: tries to open a descriptor now.
#[must_use]
pub fn of_files_now(what: &str) -> Option<Error> {
    descriptor_error().and_then(|e| of_files(what, &e))
}

/// `error` with the hint of a shortage if its `cause` is that no more files can be opened.
///
/// Some errors name a path and hide the system's number; a descriptor is tried then.
#[must_use]
pub fn advised(error: Error, cause: &io::Error) -> Error {
    let now = || descriptor_error()?.raw_os_error();
    match cause.raw_os_error().or_else(now) {
        Some(OF_PROCESS | OF_SYSTEM) => error.with_hint(MORE_FILES),
        _ => error,
    }
}

/// The error of a thread for `what` that cannot be started: `busy` and not retryable.
#[must_use]
pub fn of_threads(what: &str, error: &io::Error) -> Error {
    lacking(
        format!("no thread can be started for {what}: {error}"),
        "end other programs of this user, or raise the limit of threads (ulimit -u, pids.max or \
         TasksMax of a container or a service)",
    )
}

/// Starts `work` on a thread called `name` within `scope`.
///
/// # Errors
///
/// `busy` if no thread can be started.
pub fn spawn_scoped<'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, ()>, Error> {
    let started = Builder::new().name(name.to_owned()).spawn_scoped(scope, work);
    started.map_err(|e| of_threads(name, &e))
}

/// True if another thread can be started, for callees that panic without one.
#[must_use]
pub fn has_thread() -> bool {
    Builder::new().spawn(|| ()).is_ok()
}

const MORE_FILES: &str = "raise the limit of open files (ulimit -n, LimitNOFILE of a service), or \
                          lower maximumConnections and parallelTransfers";

fn lacking(message: String, hint: &str) -> Error {
    Error::new(ErrorKind::Busy, message).with_retryable(false).with_hint(hint)
}

/// Why no descriptor can be opened now; `None` if one can.
fn descriptor_error() -> Option<io::Error> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).err()
}

/// EMFILE and ENFILE, the same numbers on Linux, macOS and the BSDs.
#[cfg(not(windows))]
const OF_PROCESS: i32 = 24;
#[cfg(not(windows))]
const OF_SYSTEM: i32 = 23;

/// WSAEMFILE and ERROR_TOO_MANY_OPEN_FILES.
#[cfg(windows)]
const OF_PROCESS: i32 = 10024;
#[cfg(windows)]
const OF_SYSTEM: i32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortage_is_not_tried_again_and_says_what_to_raise() {
        for number in [OF_PROCESS, OF_SYSTEM] {
            let cause = io::Error::from_raw_os_error(number);
            let error = of_files("dialling", &cause).unwrap();
            assert!(!error.is_retryable(), "{error}");
            assert!(error.report().hint.as_deref().unwrap().contains("ulimit -n"));
            let error = advised(Error::new(ErrorKind::Host, "no file"), &cause);
            assert!(error.report().hint.as_deref().unwrap().contains("ulimit -n"));
        }
        assert!(of_files("dialling", &io::ErrorKind::ConnectionRefused.into()).is_none());
        assert!(of_files("dialling", &io::Error::other("too many open files")).is_none());
        let error = of_threads("dialling", &io::ErrorKind::WouldBlock.into());
        assert!(!error.is_retryable(), "{error}");
        assert!(error.report().hint.as_deref().unwrap().contains("ulimit -u"));
    }
}
