//! Incomplete files that the next run resumes.
//!
//! A partial file is beside its final name as `.NAME.HASH.partial`. The hash covers the body's
//! identity and this boot of the system: the kernel keeps all that a killed process wrote, while a
//! power failure can leave holes that a comparison of the last bytes would not find. So nothing is
//! flushed during the transfer, and no file of an earlier boot is used. A process locks the partial
//! file that it writes. Another process then keeps nothing.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};
use tempfile::{NamedTempFile, TempPath};

use super::file_name::{EXTENSION, LONGEST_NAME};
use host_sdk::kit::text::hexadecimal;

/// How many hexadecimal digits of the hash are in the name.
const DIGITS: usize = 16;

/// The partial files of a directory.
pub(super) struct PartialFiles {
    directory: PathBuf,
    /// The identifier of this boot. Without it, nothing is kept.
    boot: Option<String>,
    /// The names of those that earlier runs left. They are read once, because directories can be
    /// large.
    leftovers: OnceLock<Vec<String>>,
}

impl PartialFiles {
    /// The partial files in `directory`.
    pub(super) fn of(directory: PathBuf) -> Self {
        // Only Linux has this identifier.
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        Self { directory, boot, leftovers: OnceLock::new() }
    }

    /// Opens the partial file of the body `identity` that becomes the file `name`. It is empty or
    /// as an earlier run left it, positioned at its beginning, and removed if it is dropped empty.
    /// Partial files of other bodies of that name are removed now. `None` if nothing can be kept:
    /// another process writes it, or the system has no support.
    pub(super) fn open(&self, name: &str, identity: &str) -> Option<NamedTempFile> {
        let boot = self.boot.as_deref()?;
        let digest = Sha256::new().chain_update(boot).chain_update(identity).finalize();
        let hash = hexadecimal(digest.split_at(DIGITS / 2).0);
        let own = format!(".{name}.{hash}{EXTENSION}");
        if own.len() > LONGEST_NAME {
            return None;
        }
        self.remove_stale(name, Some(&own));
        // If the file system does not support this, the document is still written.
        locked(&self.directory.join(own)).ok().flatten()
    }

    /// Removes the partial files of the file `name` that earlier runs left, except `own` and those
    /// that another process writes.
    pub(super) fn remove_stale(&self, name: &str, own: Option<&str>) {
        for leftover in self.leftovers.get_or_init(|| leftovers_in(&self.directory)) {
            if own == Some(leftover) || final_name(leftover) != Some(name) {
                continue;
            }
            // Dropping it removes it. One that is locked is left to a later run.
            if let Ok(Some(mut partial)) = locked(&self.directory.join(leftover)) {
                partial.disable_cleanup(false);
            }
        }
    }
}

/// The names of all partial files in `directory`.
fn leftovers_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| final_name(name).is_some()).collect()
}

/// The final name of the file whose partial file is named `partial`.
fn final_name(partial: &str) -> Option<&str> {
    let (name, hash) = partial.strip_prefix('.')?.strip_suffix(EXTENSION)?.rsplit_once('.')?;
    let is_hash = hash.len() == DIGITS && hash.bytes().all(|digit| digit.is_ascii_hexdigit());
    (is_hash && !name.is_empty()).then_some(name)
}

/// Opens the partial file at `path`, and creates it if it is missing. `None` if another process has
/// it. A link is not followed.
fn locked(path: &Path) -> io::Result<Option<NamedTempFile>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match fs::symlink_metadata(path) {
        Ok(there) if there.is_file() => {}
        Ok(_) => return Err(io::Error::other("something else has its name")),
        // Another file that takes the name first is not opened.
        Err(error) if error.kind() == io::ErrorKind::NotFound => _ = options.create_new(true),
        Err(error) => return Err(error),
    }
    let file = match options.open(path) {
        Ok(file) => file,
        // Another process was first: it made the file or published it.
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
    // Before it was locked, it can have been published or replaced.
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
    // Nothing is kept on other systems, which have no identifier of a boot.
    there.is_file()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;
    use crate::steps::file_name::is_reserved;

    /// The partial files of `directory` in the boot `boot`, as one run sees them.
    fn partial_files(directory: &Path, boot: Option<&str>) -> PartialFiles {
        let boot = boot.map(str::to_owned);
        PartialFiles { directory: directory.to_owned(), boot, leftovers: OnceLock::new() }
    }

    /// Appends `bytes` to what is kept, like a process that is killed afterwards.
    fn leave(directory: &Path, name: &str, identity: &str, bytes: &[u8]) {
        let mut partial = partial_files(directory, Some("1")).open(name, identity).unwrap();
        partial.as_file_mut().read_to_end(&mut Vec::new()).unwrap();
        partial.write_all(bytes).unwrap();
        partial.disable_cleanup(true);
    }

    /// What a run in the boot `boot` reads of a partial file.
    fn held(directory: &Path, boot: &str, name: &str, identity: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut partial = partial_files(directory, Some(boot)).open(name, identity).unwrap();
        partial.read_to_end(&mut bytes).unwrap();
        bytes
    }

    fn count(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn what_was_left_is_held_for_its_name_and_its_body_alone() {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        leave(at, "a", "one", b"be");
        leave(at, "a", "one", b"gin");
        leave(at, "a.b", "one", b"other");
        assert_eq!(held(at, "1", "a", "one"), b"begin");
        assert_eq!(held(at, "1", "b", "one"), b"");
        assert_eq!(count(at), 2);
        // Another body replaces it. That of another name stays.
        assert_eq!(held(at, "1", "a", "two"), b"");
        assert_eq!(count(at), 1);
        assert_eq!(held(at, "1", "a.b", "one"), b"other");
    }

    #[test]
    fn nothing_of_an_earlier_boot_is_trusted() {
        let directory = tempfile::tempdir().unwrap();
        leave(directory.path(), "a", "one", b"begin");
        assert!(partial_files(directory.path(), None).open("a", "one").is_none());
        assert_eq!(held(directory.path(), "2", "a", "one"), b"");
        assert_eq!(count(directory.path()), 0);
    }

    #[test]
    fn what_another_process_writes_is_neither_given_out_nor_removed() {
        let directory = tempfile::tempdir().unwrap();
        let mut first = partial_files(directory.path(), Some("1")).open("a", "one").unwrap();
        first.write_all(b"begin").unwrap();
        let second = partial_files(directory.path(), Some("1"));
        assert!(second.open("a", "one").is_none());
        second.remove_stale("a", None);
        assert_eq!(count(directory.path()), 1);
        // Once published, it is no partial file.
        first.persist(directory.path().join("a")).unwrap();
        assert_eq!(held(directory.path(), "1", "a", "one"), b"");
        assert_eq!(fs::read(directory.path().join("a")).unwrap(), b"begin");
    }

    #[cfg(unix)]
    #[test]
    fn links_in_the_place_of_a_partial_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let directory = tempfile::tempdir().unwrap();
        leave(directory.path(), "a", "one", b"begin");
        let partial = fs::read_dir(directory.path()).unwrap().next().unwrap().unwrap().path();
        fs::remove_file(&partial).unwrap();
        for target in [victim.clone(), outside.path().join("missing")] {
            std::os::unix::fs::symlink(&target, &partial).unwrap();
            assert!(partial_files(directory.path(), Some("1")).open("a", "one").is_none());
            fs::remove_file(&partial).unwrap();
        }
        fs::hard_link(&victim, &partial).unwrap();
        assert!(partial_files(directory.path(), Some("1")).open("a", "one").is_none());
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(count(outside.path()), 1);
    }

    #[test]
    fn names_stay_within_what_file_systems_take() {
        let directory = tempfile::tempdir().unwrap();
        let partial_files = partial_files(directory.path(), Some("1"));
        let longest = LONGEST_NAME - EXTENSION.len() - DIGITS - 2;
        assert!(partial_files.open(&"a".repeat(longest), "one").is_some());
        assert!(partial_files.open(&"a".repeat(longest + 1), "one").is_none());
        assert!(is_reserved(".a.0123456789abcdef.partial"));
        assert!(!is_reserved("a.partial") && !is_reserved(".a"));
    }
}
