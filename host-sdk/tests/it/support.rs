//! Libraries to load, and services that remember.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use host_sdk::loader::load;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connection, Connector, HostServices, LoadedConnector, LogRecord};
use log::{Level, LevelFilter};
use serde_json::{Value, json};

/// How long anything may take before a test calls it stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// The echo connector's library.
pub(crate) fn echo() -> &'static Path {
    static ECHO: OnceLock<PathBuf> = OnceLock::new();
    ECHO.get_or_init(|| {
        let built = cargo_build(&["--example", "echo_connector"]);
        library_among(&built, "echo_connector")
    })
}

/// A copy of the echo connector's library, which has statics of its own.
pub(crate) fn echo_copy(name: &str) -> PathBuf {
    let copy = scratch(name).join(echo().file_name().unwrap());
    fs::copy(echo(), &copy).unwrap();
    copy
}

/// A fresh directory for the test `name`.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).unwrap();
    directory
}

/// Has cargo build parts of this package, and answers the files it reports: a guess would find
/// what an earlier build left.
pub(crate) fn cargo_build(arguments: &[&str]) -> Vec<PathBuf> {
    cargo_messages(arguments)
        .iter()
        .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .collect()
}

/// Has cargo build, and answers what it says of each part.
fn cargo_messages(arguments: &[&str]) -> Vec<Value> {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--package", "host-sdk", "--message-format=json"]);
    command.args(arguments);
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|message| message["reason"] == "compiler-artifact")
        .collect()
}

/// What cargo built for this package: enough to call the compiler instead of it.
pub(crate) struct Dependencies {
    directory: PathBuf,
    packages: Vec<Value>,
    /// Names and files of the direct dependencies of packages, by the packages' names.
    direct: Vec<(String, String, PathBuf)>,
}

impl Dependencies {
    /// Has cargo build the test doubles, and reads what it used for them.
    pub(crate) fn read() -> Self {
        let messages = cargo_messages(&["--examples"]);
        let mut command = Command::new(env!("CARGO"));
        // Without the platform, cargo would fetch what other platforms need.
        command.args(["metadata", "--format-version=1", "--filter-platform", &platform()]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let packages = metadata["packages"].as_array().unwrap().clone();
        // Several versions of a crate may be in use, so that its name alone does not find it.
        let file_of = |id: &Value| {
            let built = messages.iter().find(|message| {
                message["package_id"] == *id && message["target"]["kind"][0] != "custom-build"
            })?;
            let mut files = built["filenames"].as_array()?.iter().filter_map(Value::as_str);
            let is_linked = |file: &&str| file.ends_with(".rlib") || is_library(file);
            files.find(is_linked).map(PathBuf::from)
        };
        let mut direct = Vec::new();
        for node in metadata["resolve"]["nodes"].as_array().unwrap() {
            let package = packages.iter().find(|package| package["id"] == node["id"]).unwrap();
            for dependency in node["deps"].as_array().unwrap() {
                let (name, of) = (&dependency["name"], &package["name"]);
                if let Some(file) = file_of(&dependency["pkg"]) {
                    let text = |value: &Value| value.as_str().unwrap().to_owned();
                    direct.push((text(of), text(name), file));
                }
            }
        }
        let (.., any) =
            direct.iter().find(|(of, name, _)| of == "host-sdk" && name == "serde").unwrap();
        Self { directory: any.parent().unwrap().to_owned(), packages, direct }
    }

    /// The compiler for crates of `package`, with its dependencies except those in this repository.
    pub(crate) fn compiler(&self, package: &str) -> Command {
        let mut command = compiler();
        let described = self.packages.iter().find(|one| one["name"] == package).unwrap();
        command.env("CARGO_PKG_NAME", package);
        command.env("CARGO_PKG_VERSION", described["version"].as_str().unwrap());
        command.args([
            "--edition",
            "2024",
            "--cap-lints",
            "allow",
            "-C",
            "prefer-dynamic=no",
            "-L",
        ]);
        command.arg(format!("dependency={}", self.directory.display()));
        for (of, name, file) in &self.direct {
            if of == package && name != "connector_interface" {
                command.arg("--extern").arg(format!("{name}={}", file.display()));
            }
        }
        command
    }
}

fn compiler() -> Command {
    Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
}

/// The name of the platform that the compiler builds for.
fn platform() -> String {
    let output = compiler().arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn is_library(file: &str) -> bool {
    file.ends_with(std::env::consts::DLL_SUFFIX)
}

/// The library `name` among what cargo built.
pub(crate) fn library_among(built: &[PathBuf], name: &str) -> PathBuf {
    let file = format!("{}{name}{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    built.iter().find(|path| path.ends_with(&file)).cloned().unwrap()
}

/// Services that keep every record.
pub(crate) struct Recorder {
    level: LevelFilter,
    records: Mutex<Vec<Recorded>>,
}

/// A record that was kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Recorded {
    pub(crate) execution: Option<u64>,
    pub(crate) level: Level,
    pub(crate) target: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) message: String,
}

impl Recorder {
    pub(crate) fn new(level: LevelFilter) -> Arc<Self> {
        Arc::new(Self { level, records: Mutex::default() })
    }

    pub(crate) fn records(&self) -> Vec<Recorded> {
        self.records.lock().unwrap().clone()
    }
}

impl HostServices for Recorder {
    fn max_level(&self) -> LevelFilter {
        self.level
    }

    fn log(&self, record: &LogRecord<'_>) {
        self.records.lock().unwrap().push(Recorded {
            execution: record.execution,
            level: record.level,
            target: record.target.to_owned(),
            file: record.file.map(str::to_owned),
            line: record.line,
            message: record.message.to_owned(),
        });
    }
}

/// The echo connector, loaded, with services that want no records.
pub(crate) fn load_echo() -> LoadedConnector {
    load(echo(), Recorder::new(LevelFilter::Off)).unwrap()
}

/// A connection of a loaded echo connector.
pub(crate) fn connect(settings: &Value) -> Arc<dyn Connection> {
    load_echo().connect(settings, MemoryHost::new().context()).unwrap()
}

/// Settings of the operation `echo` with these options.
pub(crate) fn echo_with(options: Value) -> Value {
    json!({"operation": "echo", "options": options})
}
