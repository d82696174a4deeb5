use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::command::{once, run, text};
use crate::StartError;

/// Where the packages are kept. To be changed together with [`PACKAGES`].
const NAME: &str = "debian-1";

/// The packages conflict with each other, so they are unpacked side by side and never installed.
const PACKAGES: [&str; 5] =
    ["vsftpd", "proftpd-core", "proftpd-mod-crypto", "pure-ftpd", "pure-ftpd-common"];

/// The directory into which the packages are unpacked, one of which has `program`.
pub(super) fn packages(program: &str) -> Result<PathBuf, StartError> {
    static MEMORY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    once(&MEMORY, program, NAME, unpack)
}

/// The library directories of the unpacked packages, as a search path.
pub(super) fn libraries(packages: &Path) -> String {
    let mut found = Vec::new();
    for parent in ["usr/lib", "lib"] {
        for entry in std::fs::read_dir(packages.join(parent)).into_iter().flatten().flatten() {
            // Such as usr/lib/x86_64-linux-gnu.
            if entry.file_name().to_string_lossy().contains("-linux-") {
                found.push(entry.path().to_string_lossy().into_owned());
            }
        }
    }
    found.join(":")
}

/// Downloads one package and unpacks it under `into`; its file stays in the working directory.
pub(super) fn download(package: &str, into: &Path) -> Result<PathBuf, String> {
    let directory = into.join("download").join(package);
    std::fs::create_dir_all(&directory).map_err(text)?;
    run(apt().args(["download", package]).current_dir(&directory))?;
    let file = std::fs::read_dir(&directory)
        .map_err(text)?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| format!("apt-get download {package} left no file"))?;
    run(Command::new("dpkg").arg("-x").arg(&file).arg(into))?;
    Ok(file)
}

/// Fills the package index when it does not know `package`: a fresh container has none.
pub(super) fn refresh_index(package: &str) -> Result<(), String> {
    let known = run(Command::new("apt-cache").args(["show", "--no-all-versions", package]));
    if known.is_ok_and(|output| !output.stdout.is_empty()) {
        return Ok(());
    }
    run(apt().arg("update")).map(drop)
}

fn unpack(into: &Path) -> Result<(), String> {
    refresh_index(PACKAGES[0])?;
    let mut wanted: Vec<String> = PACKAGES.iter().map(|&name| name.to_owned()).collect();
    let mut seen: BTreeSet<String> = wanted.iter().cloned().collect();
    while let Some(package) = wanted.pop() {
        let file = download(&package, into)?;
        for library in needed_libraries(&file)? {
            if seen.insert(library.clone()) && !is_installed(&library) {
                wanted.push(library);
            }
        }
    }
    std::fs::remove_dir_all(into.join("download")).map_err(text)
}

fn needed_libraries(file: &Path) -> Result<Vec<String>, String> {
    let output = run(Command::new("dpkg-deb").arg("--field").arg(file).arg("Depends"))?;
    Ok(libraries_of(&String::from_utf8_lossy(&output.stdout)))
}

/// The libraries in a `Depends` field; of alternatives, the first.
fn libraries_of(depends: &str) -> Vec<String> {
    depends
        .split(',')
        .filter_map(|group| group.split('|').next())
        .filter_map(|package| package.trim().split([' ', '(', ':']).find(|word| !word.is_empty()))
        .map(str::to_owned)
        .filter(|package| package.starts_with("lib"))
        .collect()
}

fn is_installed(package: &str) -> bool {
    let query = ["--show", "--showformat=${db:Status-Status}\n", package];
    run(Command::new("dpkg-query").args(query))
        .is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains("installed\n"))
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.args(["--quiet=2", "-o", "Acquire::Retries=2"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_libraries_are_taken_from_a_depends_field() {
        let field = "debconf (>= 0.5) | debconf-2.0, libc6 (>= 2.34), libssl3:any (>= 3), lsb-base,\n libwrap0";
        assert_eq!(libraries_of(field), ["libc6", "libssl3", "libwrap0"]);
    }
}
