//! Files that outlive a run that was cut, so that the next one goes on with them.
//!
//! A partial lies beside its final name as `.NAME.HASH.partial`. The hash is that of the body's
//! identity and of this boot of the system: what a killed process wrote is whole in the kernel's
//! hands, while a power failure may leave holes that no comparison of the end would find. So
//! nothing is flushed on the way, and nothing of an earlier boot is trusted. A process holds the
//! lock of the partial that it writes; another one does without.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::write_files::LONGEST_NAME;
use crate::stage::hexadecimal;

/// How the name of a partial ends.
const EXTENSION: &str = ".partial";

/// How many hexadecimal digits tell identities apart.
const DIGITS: usize = 16;

/// Whether a file `name` could be taken for a partial.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(EXTENSION)
}

/// The partials of a directory.
pub(super) struct Partials {
    directory: PathBuf,
    /// What tells this boot from every other one; without it, nothing is kept.
    boot: Option<String>,
    /// The names of those that earlier runs left, read once: directories can be large.
    left: OnceLock<Vec<String>>,
}

impl Partials {
    /// The partials in `directory`.
    pub(super) fn of(directory: PathBuf) -> Self {
        // Linux alone tells.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Self { directory, boot, left: OnceLock::new() }
    }

    /// The partial of the body `identity` that will be the file `name`, empty or as it was left,
    /// to be read from its beginning; it is removed when it is dropped empty. Those of other
    /// bodies of that name are removed now. `None` where nothing can be kept: another process
    /// writes it, or the system has no means.
    pub(super) fn open(&self, name: &str, identity: &str) -> Option<NamedTempFile> {
        let boot = self.boot.as_deref()?;
        let digest = Sha256::new().chain_update(boot).chain_update(identity).finalize();
        let hash = hexadecimal(digest.split_at(DIGITS / 2).0);
        let own = format!(".{name}.{hash}{EXTENSION}");
        if own.len() > LONGEST_NAME {
            return None;
        }
        self.forget(name, Some(&own));
        // A file system that cannot do this does not keep the document from being written.
        locked(&self.directory.join(own)).ok().flatten()
    }

    /// Removes the partials of the file `name` that earlier runs left, except `own` and what
    /// another process writes.
    pub(super) fn forget(&self, name: &str, own: Option<&str>) {
        for left in self.left.get_or_init(|| left_in(&self.directory)) {
            if own == Some(left) || final_name(left) != Some(name) {
                continue;
            }
            // Dropped, it is removed. What cannot be had now is left to a later run.
            if let Ok(Some(mut partial)) = locked(&self.directory.join(left)) {
                partial.disable_cleanup(false);
            }
        }
    }
}

/// The names of all partials in `directory`.
fn left_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| final_name(name).is_some()).collect()
}

/// The final name of the file whose partial has the name `partial`.
fn final_name(partial: &str) -> Option<&str> {
    let (name, hash) = partial.strip_prefix('.')?.strip_suffix(EXTENSION)?.rsplit_once('.')?;
    let is_hash = hash.len() == DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    (is_hash && !name.is_empty()).then_some(name)
}

/// Opens the partial at `path`, made where it is missing, if nobody else has it. A link is not
/// followed.
fn locked(path: &Path) -> io::Result<Option<NamedTempFile>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(io::Error::other("something else has its name")),
        // Whatever takes the name before this does is not opened.
        Err(error) if error.kind() == io::ErrorKind::NotFound => _ = options.create_new(true),
        Err(error) => return Err(error),
    }
    let file = match options.open(path) {
        Ok(file) => file,
        // Another process came first: in making it, or in publishing it.
        Err(e) if matches!(e.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::NotFound) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(fs::TryLockError::WouldBlock) => return Ok(None),
        Err(fs::TryLockError::Error(error)) => return Err(error),
    }
    // Until it was locked it may have been published or replaced.
    let length = match (fs::symlink_metadata(path), file.metadata()?) {
        (Ok(there), opened) if is_same(&there, &opened) => opened.len(),
        _ => return Ok(None),
    };
    let mut partial = NamedTempFile::from_parts(file, TempPath::try_from_path(path)?);
    partial.disable_cleanup(length > 0);
    Ok(Some(partial))
}

#[cfg(unix)]
fn is_same(there: &Metadata, opened: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (there.dev(), there.ino()) == (opened.dev(), opened.ino()) && opened.nlink() == 1
}

#[cfg(not(unix))]
fn is_same(there: &Metadata, _opened: &Metadata) -> bool {
    // Nothing is kept on other systems, which do not tell their boots.
    there.is_file()
}
