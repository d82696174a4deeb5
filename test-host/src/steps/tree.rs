//! The regular files of a local directory, and of the directories in it.
//!
//! Nothing that is found can block the walk: only regular files are read, and the type is checked
//! on the open descriptor. What is not read is counted.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::vec;

use host_sdk::{Error, ErrorKind};

use crate::engine::document::StepIdentity;
use crate::engine::run::Run;
use crate::process::model::ReadFilesStep;
use crate::report::events::{LeftOut, LogLevel};
use host_sdk::kit::{Wildcard, shortage};

/// How many levels of directories are read.
const DEEPEST: usize = 256;

/// A file to be read, or a file or a directory that cannot be.
pub(super) struct Found {
    /// The name alone.
    pub(super) name: String,
    /// The directory, relative to that of the step. `.` is that one itself.
    pub(super) directory: String,
    pub(super) content: Result<(File, Metadata), Error>,
}

/// The walk, in the order of the names.
pub(super) struct Tree<'a> {
    run: &'a Arc<Run>,
    identity: &'a Arc<StepIdentity>,
    step: &'a ReadFilesStep,
    /// The directories that are being read, each inside the one before.
    levels: Vec<Level>,
}

struct Level {
    path: PathBuf,
    directory: String,
    identity: Option<Identity>,
    names: vec::IntoIter<OsString>,
    /// Why the list of names is incomplete.
    broken: Option<Error>,
}

impl<'a> Tree<'a> {
    /// Begins with the directory of `step`.
    ///
    /// # Errors
    ///
    /// `configuration` when it cannot be listed.
    pub(super) fn open(
        run: &'a Arc<Run>,
        identity: &'a Arc<StepIdentity>,
        step: &'a ReadFilesStep,
    ) -> Result<Self, Error> {
        let path = Path::new(&step.directory);
        let broken = |e: &io::Error| {
            let message = format!("directory {} cannot be read: {e}", path.display());
            Error::configuration("directory", message)
        };
        let metadata = fs::metadata(path).map_err(|e| broken(&e))?;
        let (names, error) = list(path);
        if let Some(error) = error {
            return Err(broken(&error));
        }
        let root = Level {
            path: path.to_owned(),
            directory: ".".to_owned(),
            identity: identity_of(&metadata),
            names: names.into_iter(),
            broken: None,
        };
        Ok(Self { run, identity, step, levels: vec![root] })
    }

    /// The next file.
    ///
    /// # Errors
    ///
    /// `cancelled` or `timeout`.
    pub(super) fn next(&mut self) -> Result<Option<Found>, Error> {
        while let Some(level) = self.levels.last_mut() {
            self.run.cancellation().check()?;
            let found = match level.names.next() {
                Some(name) => self.examine(&name),
                None => {
                    let broken = level.broken.take();
                    let ended = self.levels.pop();
                    ended.zip(broken).map(|(level, error)| level.refused(error))
                }
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// Examines `name` in the current directory. `None` if it is left out or entered.
    fn examine(&mut self, name: &OsStr) -> Option<Found> {
        let level = self.levels.last()?;
        let path = level.path.join(name);
        let shown = name.to_string_lossy();
        let metadata = fs::metadata(&path);
        let is_directory = metadata.as_ref().is_ok_and(Metadata::is_dir);
        // The pattern can select hidden files. It does not apply to directories.
        let is_wanted = self.step.include_hidden
            || !shown.starts_with('.')
            || (!is_directory && self.step.include.starts_with('.'));
        if !is_wanted {
            return self.leave_out(&path, "hidden", |count| &mut count.hidden);
        }
        if is_directory && !self.step.recursive {
            return self.leave_out(&path, "a directory", |count| &mut count.directories);
        }
        let is_excluded =
            self.step.exclude.as_ref().is_some_and(|out| Wildcard::new(out).matches(&shown));
        let is_included = Wildcard::new(&self.step.include).matches(&shown) && !is_excluded;
        if !is_directory && !is_included {
            return self.leave_out(&path, "not included", |count| &mut count.not_included);
        }
        let found = |content| {
            let directory = level.directory.clone();
            Some(Found { name: shown.clone().into_owned(), directory, content })
        };
        let what = if is_directory { "directory" } else { "file" };
        if name.to_str().is_none() {
            let message = format!("the name of {what} \"{shown}\" is not UTF-8");
            return found(Err(Error::new(ErrorKind::Document, message)));
        }
        let metadata = match metadata {
            Ok(metadata) => metadata,
            Err(error) => return found(Err(unreadable(what, &shown, &error))),
        };
        if is_directory {
            return match self.enter(&path, &shown, &metadata) {
                Ok(below) => {
                    self.levels.extend(below);
                    None
                }
                Err(error) => found(Err(error)),
            };
        }
        // Checked before opening, because opening a device can have effects. Checked again on the
        // descriptor, because the name can belong to another file by then.
        if !metadata.is_file() {
            return self.leave_out(&path, "neither file nor directory", |count| &mut count.special);
        }
        match open(&path).and_then(|file| file.metadata().map(|of| (file, of))) {
            Ok((_, metadata)) if !metadata.is_file() => {
                self.leave_out(&path, "neither file nor directory", |count| &mut count.special)
            }
            Ok(open) => found(Ok(open)),
            Err(error) => found(Err(unreadable("file", &shown, &error))),
        }
    }

    /// The level of the directory at `path`. `None` if the directory contains itself.
    fn enter(&self, path: &Path, name: &str, metadata: &Metadata) -> Result<Option<Level>, Error> {
        let identity = identity_of(metadata);
        if identity.is_some() && self.levels.iter().any(|level| level.identity == identity) {
            self.leave_out(path, "a link that leads back", |count| &mut count.loops);
            return Ok(None);
        }
        if self.levels.len() > DEEPEST {
            let message = format!("directory \"{name}\" is deeper than {DEEPEST} directories");
            return Err(Error::new(ErrorKind::Document, message));
        }
        let (names, error) = list(path);
        if names.is_empty() && error.is_none() {
            self.leave_out(path, "an empty directory", |count| &mut count.empty_directories);
            return Ok(None);
        }
        let above = self.levels.last().map_or(".", |level| level.directory.as_str());
        Ok(Some(Level {
            path: path.to_owned(),
            directory: if above == "." { name.to_owned() } else { format!("{above}/{name}") },
            identity,
            names: names.into_iter(),
            broken: error.map(|error| unreadable("directory", name, &error)),
        }))
    }

    fn leave_out(
        &self,
        path: &Path,
        why: &str,
        count: impl FnOnce(&mut LeftOut) -> &mut u64,
    ) -> Option<Found> {
        self.run.leave_out(|left_out| *count(left_out) += 1);
        let message = format!("{} is left out: {why}", path.display());
        self.run.log(LogLevel::Info, self.identity, message);
        None
    }
}

impl Level {
    /// An entry for the directory itself, which cannot be read.
    fn refused(self, error: Error) -> Found {
        let (directory, name) = match self.directory.rsplit_once('/') {
            Some((directory, name)) => (directory.to_owned(), name.to_owned()),
            None => (".".to_owned(), self.directory),
        };
        Found { name, directory, content: Err(error) }
    }
}

/// The sorted names in the directory at `path`, and the error that cut the list short.
fn list(path: &Path) -> (Vec<OsString>, Option<io::Error>) {
    let mut names = Vec::new();
    let read = fs::read_dir(path).and_then(|entries| {
        for entry in entries {
            names.push(entry?.file_name());
        }
        Ok(())
    });
    names.sort_unstable();
    (names, read.err())
}

/// Opens a file for reading without blocking. A named pipe would block until it has a writer.
#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// The identity of a directory: its device and its inode.
type Identity = (u64, u64);

#[cfg(unix)]
fn identity_of(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity_of(_metadata: &Metadata) -> Option<Identity> {
    // On other systems only the depth limits a loop.
    None
}

/// The error of a file or a directory that cannot be read.
pub(super) fn unreadable(what: &str, name: &str, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::PermissionDenied => ErrorKind::Permission,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        _ => ErrorKind::Host,
    };
    let refused = Error::new(kind, format!("{what} \"{name}\" cannot be read: {error}"));
    shortage::advised(refused, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_named_pipe_is_opened_without_its_writer() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
        assert!(made.success());
        // A file that was replaced by a pipe after it was examined.
        let file = open(&path).unwrap();
        assert!(!file.metadata().unwrap().is_file());
    }
}
