//! A directory to work in, a process in it, and the program's answer.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_servers::{Mode, Server};

/// The directory of the echo connector's library.
pub(crate) fn connectors() -> &'static Path {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    let echo = ["--package", "host-sdk", "--example", "echo_connector"];
    DIRECTORY.get_or_init(|| built(&echo, "echo_connector")).path()
}

/// The directory of the FTP connector's library.
pub(crate) fn ftp_connector() -> &'static Path {
    static DIRECTORY: OnceLock<TempDir> = OnceLock::new();
    DIRECTORY.get_or_init(|| built(&["--package", "ftp-connector"], "ftp_connector")).path()
}

/// Has cargo build the library `name`, and copies it to a directory where nothing else is found.
fn built(arguments: &[&str], name: &str) -> TempDir {
    // Cargo names what it built: a guess would find what an earlier build left.
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--message-format=json"]).args(arguments);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let file = format!("{DLL_PREFIX}{name}{DLL_SUFFIX}");
    let library = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["reason"] == "compiler-artifact")
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|path| path.as_str().map(PathBuf::from))
        .find(|path| path.ends_with(&file))
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    fs::copy(&library, directory.path().join(file)).unwrap();
    directory
}

/// A directory that the program is started in.
pub(crate) struct Place(TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes `steps` as a process with the connection `e` of the echo connector.
    pub(crate) fn process(&self, steps: Value) {
        let process = json!({
            "process": "test",
            "connections": {"e": {"connector": "echo"}},
            "steps": steps,
        });
        self.write("process.json", process.to_string());
    }

    /// The names in the directory `name`, sorted.
    pub(crate) fn names(&self, name: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(name)).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program, to be started here.
    pub(crate) fn program(&self, arguments: &[&str]) -> Command {
        self.program_with(connectors(), arguments)
    }

    /// The program, to be started here with the connectors of a directory.
    pub(crate) fn program_with(&self, connectors: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_test-host"));
        command.current_dir(self.0.path()).env_remove("CONNECTOR_PATH");
        command.arg("--connector-path").arg(connectors).args(arguments);
        command
    }

    /// What the program answers.
    pub(crate) fn answer(&self, arguments: &[&str]) -> Answer {
        Answer::of(&mut self.program(arguments))
    }

    /// Runs `process.json` for events.
    pub(crate) fn run(&self) -> Answer {
        self.answer(&["run", "process.json", "--output", "json"])
    }
}

/// What the program printed, and its exit code.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Answer {
    pub(crate) fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// The lines of JSON.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last line, which must be a summary.
    pub(crate) fn summary(&self) -> Value {
        let last = self.lines().pop().unwrap_or_else(|| panic!("no events: {self:?}"));
        assert_eq!(last["event"], "summary", "{self:?}");
        last
    }

    /// How documents ended: success, empty, application error, failure.
    pub(crate) fn counts(&self) -> [u64; 4] {
        let documents = &self.summary()["documents"];
        ["success", "empty", "applicationError", "failure"]
            .map(|status| documents[status].as_u64().unwrap())
    }

    /// The document events of `step`.
    pub(crate) fn of_step(&self, step: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| line["event"] == "document" && line["step"] == step);
        lines
    }
}

/// The connection to `server`; `extra` settings win.
pub(crate) fn connection(server: &Server, extra: &Value) -> Value {
    let mut settings = json!({
        "connector": "ftp",
        "host": "localhost",
        "port": server.port(),
        "userName": server.user(),
        "password": {"env": "FTP_PASSWORD"},
        "retry": {"attempts": 2, "delay": 10},
    });
    let all = settings.as_object_mut().unwrap();
    if server.mode() != Mode::Plain {
        all.insert("sslMode".into(), json!(server.mode().to_string()));
        all.insert("trust".into(), json!("only"));
        all.insert("caCertificates".into(), json!(server.ca_pem()));
    }
    all.extend(extra.as_object().unwrap().clone());
    settings
}

/// The most memory that the process `id` has had so far, in KiB.
#[cfg(target_os = "linux")]
pub(crate) fn peak_memory(id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    peak.trim().trim_end_matches(" kB").parse().unwrap()
}

/// A step that produces one document for each of `documents`: name and content.
pub(crate) fn message(documents: &[(&str, &str)]) -> Value {
    let documents: Vec<Value> = documents
        .iter()
        .map(|(name, content)| {
            json!({"content": content, "properties": {"fileName": name, "name": name}})
        })
        .collect();
    json!({"name": "make", "type": "message", "documents": documents})
}

/// A step of the echo connector.
pub(crate) fn echo(name: &str, options: Value) -> Value {
    json!({"name": name, "type": "connector", "connection": "e", "operation": "echo",
           "options": options})
}
