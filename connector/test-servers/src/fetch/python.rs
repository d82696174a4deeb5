use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::command::{once, run, text};
use super::debian;
use crate::StartError;

/// Pinned, because the suites know this server's replies.
const REQUIREMENTS: [&str; 2] = ["pyftpdlib==2.2.0", "pyopenssl>=25,<27"];

/// A Python interpreter that can import pyftpdlib and pyOpenSSL.
#[derive(Clone, Debug)]
pub(crate) struct Python {
    pub(crate) interpreter: OsString,
    /// Value for `PYTHONPATH`, empty if not needed.
    pub(crate) path: PathBuf,
}

/// Finds Python's server: in the interpreter `FTP_TEST_PYTHON` or `python3` itself, or fetched.
///
/// It is fetched with pip into a plain directory: that works without the venv module, inside a
/// virtual environment and beside a system Python that refuses installations. Where pip itself is
/// missing, the wheel of Debian's `python3-pip-whl` is run without being installed.
pub(crate) fn python() -> Result<Python, StartError> {
    static MEMORY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let interpreter = std::env::var_os("FTP_TEST_PYTHON").unwrap_or_else(|| "python3".into());
    let imports = run(Command::new(&interpreter).args(["-c", "import pyftpdlib, OpenSSL"]));
    if imports.is_ok() {
        return Ok(Python { interpreter, path: PathBuf::new() });
    }
    let version = version(&interpreter)
        .map_err(|reason| StartError::Missing { program: "python3".to_owned(), reason })?;
    // To be changed together with the requirements. Compiled modules fit one version only.
    let name = format!("python-{version}-1");
    let path = once(&MEMORY, "pyftpdlib", &name, |into| install(&interpreter, into))?;
    Ok(Python { interpreter, path })
}

fn version(interpreter: &OsString) -> Result<String, String> {
    const PRINT: &str = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = run(Command::new(interpreter).args(["-c", PRINT]))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn install(interpreter: &OsString, into: &Path) -> Result<(), String> {
    let mut pip = Command::new(interpreter);
    let borrowed = into.join("pip-wheel");
    if run(Command::new(interpreter).args(["-m", "pip", "--version"])).is_ok() {
        pip.args(["-m", "pip"]);
    } else {
        let wheel = pip_wheel(&borrowed)?;
        pip.arg(wheel.join("pip"));
    }
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--no-input", "--target"]);
    run(pip.arg(into).args(REQUIREMENTS))?;
    if borrowed.exists() { std::fs::remove_dir_all(borrowed).map_err(text) } else { Ok(()) }
}

fn pip_wheel(into: &Path) -> Result<PathBuf, String> {
    const PACKAGE: &str = "python3-pip-whl";
    debian::refresh_index(PACKAGE)?;
    debian::download(PACKAGE, into)?;
    let wheels = into.join("usr/share/python-wheels");
    std::fs::read_dir(&wheels)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| format!("{PACKAGE} holds no wheel"))
}
