//! Makes a directory of the cache once, with the tools that fill it.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::StartError;

/// `<target>/test-servers`.
pub(crate) fn cache() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| workspace.join("target"), |target| workspace.join(target));
    target.join("test-servers")
}

/// Makes `<cache>/<name>`, in which `program` is, by `fill`, unless it is there.
///
/// The result is remembered for this process, so that a machine without network is not asked again
/// by each test.
pub(super) fn once(
    memory: &OnceLock<Result<PathBuf, String>>,
    program: &str,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, StartError> {
    let result = memory.get_or_init(|| make(&cache(), name, fill));
    let program = program.to_owned();
    result.clone().map_err(|reason| StartError::Missing { program, reason })
}

fn make(
    cache: &Path,
    name: &str,
    fill: impl FnOnce(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    let complete = cache.join(name);
    if complete.exists() {
        return Ok(complete);
    }
    std::fs::create_dir_all(cache).map_err(text)?;
    let lock = File::create(cache.join("lock")).map_err(text)?;
    lock.lock().map_err(text)?;
    // Another process may have made it while this one waited.
    if complete.exists() {
        return Ok(complete);
    }
    let partial = cache.join(format!("{name}.partial"));
    let _ = std::fs::remove_dir_all(&partial);
    std::fs::create_dir_all(&partial).map_err(text)?;
    fill(&partial)?;
    std::fs::rename(&partial, &complete).map_err(text)?;
    Ok(complete)
}

/// Runs a tool; its own words when it fails.
pub(super) fn run(command: &mut Command) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| format!("{name}: {error}"))?;
    if output.status.success() {
        return Ok(output);
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let tail: Vec<_> = words.lines().rev().take(3).collect();
    let tail: Vec<_> = tail.into_iter().rev().collect();
    Err(format!("{name} failed ({}): {}", output.status, tail.join(" / ")))
}

pub(super) fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_leaves_nothing_that_looks_complete() {
        let directory = tempfile::tempdir().unwrap();
        let failed = make(directory.path(), "thing", |partial| {
            std::fs::write(partial.join("half"), "").unwrap();
            Err("no network".to_owned())
        });
        assert_eq!(failed.unwrap_err(), "no network");
        assert!(!directory.path().join("thing").exists());

        let made = make(directory.path(), "thing", |partial| {
            assert!(!partial.join("half").exists());
            std::fs::write(partial.join("whole"), "").map_err(text)
        });
        assert!(made.unwrap().join("whole").exists());
        let again = make(directory.path(), "thing", |_| Err("not called".to_owned()));
        assert!(again.is_ok());
    }

    #[test]
    fn a_tool_that_fails_is_quoted() {
        let error = run(Command::new("sh").args(["-c", "echo so what >&2; exit 4"])).unwrap_err();
        assert!(error.contains("exit status: 4") && error.contains("so what"), "{error}");
    }
}
