use std::fs::File;
use std::io::Write as _;
use std::panic::Location;

use crate::{Options, Server, StartError, fetch};

/// Starts a server for a test, or records that the test did not run.
///
/// ```no_run
/// use test_servers::{Flavour, Options, require};
///
/// # fn example() {
/// let Some(server) = require(&Options::new(Flavour::VsFtpd).explicit()) else { return };
/// # }
/// ```
///
/// A server that this machine cannot run (no root, no network and nothing installed, no mount
/// namespace) makes `None`: the line `NOT RUN <test>: <reason>` goes to the real standard error,
/// past the test harness's capture, and to the end of `<target>/test-servers/not-run.txt`. A recipe
/// that removes this file before a run and prints it afterwards ends with the whole list.
///
/// # Panics
///
/// With `CI=true` in the environment a test that did not run is a failed test. The one exception
/// is an operating system for which the server program does not exist.
///
/// Everywhere: a server that this machine can run but that does not come up, or an option that it
/// does not know. Both are defects, of the server's set-up or of the test.
#[track_caller]
#[must_use]
pub fn require(options: &Options) -> Option<Server> {
    match Server::start(options) {
        Ok(server) => Some(server),
        Err(error) => {
            let reason = format!("{}: {error}", options.name());
            match judge(&error, in_ci()) {
                Verdict::Broken => panic!("{reason}"),
                Verdict::Missed => panic!("NOT RUN, which is a failure in CI: {reason}"),
                Verdict::NotRun => not_run(&reason),
            }
            None
        }
    }
}

/// Records that the running test did not run, for a reason of its own.
///
/// # Panics
///
/// With `CI=true`.
#[track_caller]
pub fn not_run(reason: &str) {
    let line = format!("NOT RUN {}: {}\n", test_name(Location::caller()), one_line(reason));
    // Not `eprintln!`: the harness would keep it back for a test that passes.
    let _ = std::io::stderr().write_all(line.as_bytes());
    let cache = fetch::cache();
    let _ = std::fs::create_dir_all(&cache);
    let path = cache.join("not-run.txt");
    if let Ok(mut file) = File::options().create(true).append(true).open(path) {
        let _ = file.write_all(line.as_bytes());
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    NotRun,
    Missed,
    Broken,
}

fn judge(error: &StartError, in_ci: bool) -> Verdict {
    match error {
        StartError::Platform { .. } => Verdict::NotRun,
        StartError::NeedsRoot { .. }
        | StartError::NoNamespace { .. }
        | StartError::Missing { .. } => {
            if in_ci {
                Verdict::Missed
            } else {
                Verdict::NotRun
            }
        }
        _ => Verdict::Broken,
    }
}

fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}

/// The harness names each test's thread after the test, except when it runs them one by one.
fn test_name(caller: &Location<'_>) -> String {
    let thread = std::thread::current();
    match thread.name() {
        Some(name) if name != "main" => name.to_owned(),
        _ => format!("{}:{}", caller.file(), caller.line()),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;

    #[test]
    fn what_this_machine_lacks_is_a_failure_only_in_ci() {
        let flavour = Flavour::VsFtpd;
        let missing = StartError::Missing { program: "vsftpd".into(), reason: "offline".into() };
        for lacking in [StartError::NeedsRoot { flavour }, missing] {
            assert_eq!(judge(&lacking, false), Verdict::NotRun);
            assert_eq!(judge(&lacking, true), Verdict::Missed);
        }
        assert_eq!(judge(&StartError::Platform { flavour }, true), Verdict::NotRun);
    }

    #[test]
    fn a_server_that_does_not_come_up_is_a_failure_everywhere() {
        let error =
            StartError::NotReady { flavour: Flavour::VsFtpd, seconds: 1, log: String::new() };
        assert_eq!(judge(&error, false), Verdict::Broken);
    }

    #[test]
    #[should_panic(expected = "libunftp cannot do this: a limit of clients")]
    fn an_unknown_option_is_a_failure() {
        let _ = require(&Options::new(Flavour::LibUnftp).maximum_clients(1));
    }
}
