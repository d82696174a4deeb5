//! What this machine has no more of: file descriptors and threads.
//!
//! Another attempt needs as many of them, so none is made, and no advice is given about servers.

use std::io;

use host_sdk::{Error, ErrorKind};

/// The error of `what`, where `error` says that there are no file descriptors left.
pub(crate) fn of_files(what: &str, error: &io::Error) -> Option<Error> {
    let whose = match error.raw_os_error()? {
        OF_PROCESS => "this process has too many open files",
        OF_SYSTEM => "this machine has too many open files",
        _ => return None,
    };
    Some(lacking(
        format!("{what} failed: {whose} ({error})"),
        "raise the limit of open files (ulimit -n, LimitNOFILE of a service), or lower \
         maximumConnections and parallelTransfers",
    ))
}

/// As [`of_files`], after a failure whose reason does not tell: whether there is another descriptor
/// now.
pub(crate) fn of_files_now(what: &str) -> Option<Error> {
    use socket2::{Domain, Socket, Type};
    Socket::new(Domain::IPV4, Type::DGRAM, None).err().and_then(|e| of_files(what, &e))
}

/// The error of a thread for `what` that cannot be started.
pub(crate) fn of_threads(what: &str, error: &io::Error) -> Error {
    lacking(
        format!("no thread can be started for {what}: {error}"),
        "end other programs of this user, or raise the limit of threads (ulimit -u, pids.max or \
         TasksMax of a container or a service)",
    )
}

fn lacking(message: String, hint: &str) -> Error {
    Error::new(ErrorKind::Busy, message).with_retryable(false).with_hint(hint)
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
            let error = of_files("dialling", &io::Error::from_raw_os_error(number)).unwrap();
            assert!(!error.is_retryable(), "{error}");
            assert!(error.report().hint.as_deref().unwrap().contains("ulimit -n"));
        }
        assert!(of_files("dialling", &io::ErrorKind::ConnectionRefused.into()).is_none());
        assert!(of_files("dialling", &io::Error::other("too many open files")).is_none());
        let error = of_threads("dialling", &io::ErrorKind::WouldBlock.into());
        assert!(!error.is_retryable(), "{error}");
        assert!(error.report().hint.as_deref().unwrap().contains("ulimit -u"));
    }
}
