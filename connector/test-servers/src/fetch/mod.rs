//! Gets the server programs, once for each target directory.
//!
//! Everything is kept under `<target>/test-servers`. A lock on a file keeps the test binaries that
//! run at the same time apart; a directory is renamed to its final name only when it is complete.

mod command;
mod debian;
mod python;

use std::path::{Path, PathBuf};

use crate::StartError;

pub(crate) use command::cache;
pub(crate) use python::python;

/// Where a server program and what it needs are.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The executable.
    pub(crate) path: PathBuf,
    /// Value for `LD_LIBRARY_PATH`; empty for an installed program.
    pub(crate) libraries: String,
}

impl Program {
    /// A file of the same installation, such as `lib/proftpd`.
    pub(crate) fn beside(&self, relative: &str) -> PathBuf {
        let prefix = self.path.parent().and_then(Path::parent).unwrap_or(Path::new("/usr"));
        prefix.join(relative)
    }
}

/// Finds a program of the Debian packages: named by `FTP_TEST_<NAME>`, installed, or fetched.
pub(crate) fn program(name: &str) -> Result<Program, StartError> {
    if let Some(path) = installed(name) {
        return Ok(Program { path, libraries: String::new() });
    }
    let packages = debian::packages(name)?;
    ["usr/sbin", "usr/bin"]
        .into_iter()
        .map(|directory| packages.join(directory).join(name))
        .find(|path| path.exists())
        .map(|path| Program { path, libraries: debian::libraries(&packages) })
        .ok_or_else(|| StartError::Missing {
            program: name.to_owned(),
            reason: "it is not in the packages".to_owned(),
        })
}

/// Fetches whatever is not there yet, so that a later test run needs no network.
///
/// # Errors
///
/// [`StartError::Missing`] for the first thing that cannot be had.
pub fn fetch_all() -> Result<(), StartError> {
    for name in ["vsftpd", "proftpd", "pure-ftpd", "pure-pw"] {
        program(name)?;
    }
    python().map(drop)
}

fn installed(name: &str) -> Option<PathBuf> {
    let variable = format!("FTP_TEST_{}", name.replace('-', "_").to_ascii_uppercase());
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/usr/local/sbin".into()])
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}
