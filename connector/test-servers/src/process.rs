use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::{Flavour, StartError};

/// Long enough for a Python interpreter on a loaded machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
const ENDED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(20);

/// Runs the server in its own process group, and a watcher that kills the group as soon as this
/// process lets go of the pipe on its standard input: by dropping the server, by panicking, by
/// being killed. A parent death signal would not do: it is lost when the server changes its user,
/// and it comes when the *thread* that started the server ends.
const SUPERVISOR: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -KILL 0; } &
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
    /// Shell lines to run first inside a private mount namespace; empty for no namespace.
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
        let mut command = if self.mounts.is_empty() {
            Command::new("sh")
        } else {
            check_namespace(self.flavour)?;
            let mut command = Command::new("unshare");
            command.args(["--mount", "sh"]);
            command
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

/// A running server program. Killed with its whole process group when dropped.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Waits until the server listens on `port` of 127.0.0.1.
    pub(crate) fn wait_ready(
        &mut self,
        flavour: Flavour,
        port: u16,
        log: impl Fn() -> String,
    ) -> Result<(), StartError> {
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(StartError::Exited { flavour, status: words(status), log: log() });
            }
            if is_listening(port) {
                return Ok(());
            }
            if Instant::now() > deadline {
                let seconds = READY_WITHIN.as_secs();
                return Err(StartError::NotReady { flavour, seconds, log: log() });
            }
            std::thread::sleep(POLL);
        }
    }

    /// Process id of the supervisor, which is the id of the process group.
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
fn is_listening(port: u16) -> bool {
    const LISTEN: &str = "0A";
    let local = format!("0100007F:{port:04X}");
    match std::fs::read_to_string("/proc/net/tcp") {
        Ok(table) => table.lines().any(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            fields.next() == Some(&local) && fields.nth(1) == Some(LISTEN)
        }),
        Err(_) => {
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
            TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok()
        }
    }
}

fn check_namespace(flavour: Flavour) -> Result<(), StartError> {
    let reason = match Command::new("unshare").args(["--mount", "true"]).output() {
        Ok(output) if output.status.success() => return Ok(()),
        Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        Err(error) => error.to_string(),
    };
    Err(StartError::NoNamespace { flavour, reason })
}

#[cfg(test)]
mod tests {
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
            .wait_ready(Flavour::VsFtpd, 1, || std::fs::read_to_string(&log).unwrap())
            .unwrap_err();
        let StartError::Exited { status, log, .. } = error else { panic!("{error}") };
        assert_eq!((status.as_str(), log.trim()), ("exit status: 3", "no such option"));
    }

    #[test]
    fn drop_ends_the_children_too() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("pid");
        let script = format!("sleep 600 & echo $! > '{}'; wait", file.display());
        let process = shell(&script, directory.path().join("log"));
        let deadline = Instant::now() + Duration::from_secs(5);
        let child = loop {
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            if text.ends_with('\n') {
                break text.trim().to_owned();
            }
            assert!(Instant::now() < deadline);
            std::thread::sleep(POLL);
        };
        assert!(is_alive(&child));
        drop(process);
        while is_alive(&child) {
            assert!(Instant::now() < deadline, "process {child} survived");
            std::thread::sleep(POLL);
        }
    }

    fn is_alive(process: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{process}/stat"))
            .is_ok_and(|stat| !stat.contains(") Z "))
    }
}
