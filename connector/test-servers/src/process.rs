use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::{Flavour, StartError};

/// Long enough for a Python interpreter on a loaded machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// Runs the server, and a watcher that ends it as soon as this process lets go of the pipe on its
/// standard input: by dropping the server, by panicking, by being killed. A parent death signal
/// would not do: it is lost when the server changes its user, and it comes when the *thread* that
/// started the server ends.
///
/// In a process namespace this shell is the first process, and the kernel ends all others with it:
/// vsftpd's sessions leave the process group. Elsewhere the process group is ended.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
if [ $$ = 1 ]; then victim=$server; else victim=0; fi
{ read -r _ <&3; kill -KILL "$victim"; } &
watcher=$!
exec 3<&-
status=0
wait "$server" || status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"#;

/// A server program about to be started.
#[derive(Debug)]
pub(crate) struct Launch {
    pub(crate) flavour: Flavour,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, OsString)>,
    /// Shell lines to run first; a private mount namespace is a must if there are any.
    pub(crate) mounts: Vec<String>,
    /// Receives standard output and standard error.
    pub(crate) log: PathBuf,
}

impl Launch {
    pub(crate) fn argument(&mut self, argument: impl AsRef<OsStr>) {
        self.arguments.push(argument.as_ref().to_owned());
    }

    pub(crate) fn arguments<const N: usize>(&mut self, arguments: [&str; N]) {
        arguments.into_iter().for_each(|argument| self.argument(argument));
    }

    /// Starts the program and returns at once.
    pub(crate) fn spawn(self) -> Result<Process, StartError> {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.log)
            .map_err(StartError::io("open the log", &self.log))?;
        let log_too = log.try_clone().map_err(StartError::io("open the log", &self.log))?;
        let mut command = match namespace() {
            Ok(()) => {
                let mut command = Command::new("unshare");
                command.args(NAMESPACE).arg("sh");
                command
            }
            Err(_) if self.mounts.is_empty() => Command::new("sh"),
            Err(reason) => {
                let reason = reason.to_owned();
                return Err(StartError::NoNamespace { flavour: self.flavour, reason });
            }
        };
        let mounts: String =
            self.mounts.iter().map(|line| format!("{line} || exit 125\n")).collect();
        let child = command
            .arg("-c")
            .arg(format!("{mounts}{SUPERVISOR}"))
            .arg("sh")
            .arg(&self.program)
            .args(&self.arguments)
            .envs(self.environment)
            .stdin(Stdio::piped())
            .stdout(log)
            .stderr(log_too)
            .process_group(0)
            .spawn()
            .map_err(StartError::io("start", &self.program))?;
        Ok(Process { child })
    }
}

/// A running server program. Killed with every process it made when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Waits until the server listens on `port` of 127.0.0.1.
    pub(crate) fn wait_ready(
        &mut self,
        flavour: Flavour,
        address: SocketAddr,
        log: impl Fn() -> String,
    ) -> Result<(), StartError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(StartError::Exited { flavour, status: words(status), log: log() });
            }
            if is_listening(address) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let seconds = READY_WITHIN.as_secs();
                return Err(StartError::NotReady { flavour, seconds, log: log() });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Process id of the supervisor.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let deadline = Instant::now() + ENDED_WITHIN;
        while self.is_running() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Reached only if the watcher itself is gone.
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn words(status: ExitStatus) -> String {
    status.to_string()
}

/// Asks the kernel's table instead of connecting: a connection would count as a client, which a
/// server limited to one client has to refuse.
fn is_listening(address: SocketAddr) -> bool {
    const LISTEN: &str = "0A";
    // The kernel prints addresses as numbers in its own byte order.
    let (table, host) = match address {
        SocketAddr::V4(_) => ("/proc/net/tcp", "0100007F"),
        SocketAddr::V6(_) => ("/proc/net/tcp6", "00000000000000000000000001000000"),
    };
    let local = format!("{host}:{:04X}", address.port());
    match std::fs::read_to_string(table) {
        Ok(table) => table.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            fields.next() == Some(&local) && fields.nth(1) == Some(LISTEN)
        }),
        Err(_) => TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok(),
    }
}

const NAMESPACE: [&str; 4] = ["--mount", "--pid", "--fork", "--kill-child"];

/// Whether this process may make namespaces, or what it is told when it tries.
fn namespace() -> Result<(), &'static str> {
    static MEMORY: OnceLock<Result<(), String>> = OnceLock::new();
    let memory =
        MEMORY.get_or_init(|| match Command::new("unshare").args(NAMESPACE).arg("true").output() {
            Ok(output) if output.status.success() => Ok(()),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
            Err(error) => Err(error.to_string()),
        });
    memory.as_ref().map(|&()| ()).map_err(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn shell(script: &str, log: PathBuf) -> Process {
        Launch {
            flavour: Flavour::VsFtpd,
            program: "sh".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: Vec::new(),
            mounts: Vec::new(),
            log,
        }
        .spawn()
        .unwrap()
    }

    #[test]
    fn a_program_that_ends_is_reported_with_its_log() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut process = shell("echo no such option; exit 3", log.clone());
        let error = process
            .wait_ready(Flavour::VsFtpd, (Ipv4Addr::LOCALHOST, 1).into(), || {
                std::fs::read_to_string(&log).unwrap()
            })
            .unwrap_err();
        let StartError::Exited { status, log, .. } = error else { panic!("{error}") };
        assert_eq!((status.as_str(), log.trim()), ("exit status: 3", "no such option"));
    }

    #[test]
    fn drop_ends_the_children_too_even_those_that_leave_the_group() {
        let directory = tempfile::tempdir().unwrap();
        // A command line that no other process has, and that says which test made it.
        let seconds = format!("600.{}", std::process::id());
        let script = format!("setsid sleep {seconds} & sleep {seconds} & wait");
        let process = shell(&script, directory.path().join("log"));
        let deadline = Instant::now() + Duration::from_secs(5);
        let expected = if namespace().is_ok() { 2 } else { 1 };
        while sleepers(&seconds) < expected {
            assert!(Instant::now() < deadline);
            std::thread::sleep(POLL);
        }
        drop(process);
        if namespace().is_ok() {
            assert_eq!(sleepers(&seconds), 0);
        }
    }

    fn sleepers(seconds: &str) -> usize {
        let line = format!("sleep\0{seconds}\0");
        std::fs::read_dir("/proc")
            .unwrap()
            .flatten()
            .filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok())
            .filter(|arguments| *arguments == line)
            .count()
    }
}
