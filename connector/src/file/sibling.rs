//! Names beside another: those that uploads and locks have for a while.

use host_sdk::Error;
use host_sdk::kit::random_suffix;

use super::path::RemotePath;

/// The longest name that file systems keep, in bytes.
pub(crate) const LONGEST_NAME: usize = 255;

impl RemotePath {
    /// A name beside this one that nobody else uses, which ends in `extension`. It begins with as
    /// much of this name as file systems have room for.
    ///
    /// # Errors
    ///
    /// As [`RemotePath::entry`].
    pub(crate) fn unique_sibling(&self, extension: &str) -> Result<Self, Error> {
        self.sibling("", &format!(".{:016x}.{extension}", random_suffix()))
    }

    /// The name of the lock beside this one. Long names that begin alike share a lock.
    ///
    /// # Errors
    ///
    /// As [`RemotePath::entry`].
    pub(crate) fn lock(&self) -> Result<Self, Error> {
        self.sibling(".", ".lock")
    }

    /// This name between `prefix` and `suffix`, cut so that the whole is a name for file systems.
    fn sibling(&self, prefix: &str, suffix: &str) -> Result<Self, Error> {
        let room = LONGEST_NAME.saturating_sub(prefix.len() + suffix.len());
        let kept = beginning(self.file_name(), room);
        self.parent().entry(&format!("{prefix}{kept}{suffix}"))
    }
}

/// As much of the beginning of `name` as fits into `room` bytes.
pub(crate) fn beginning(name: &str, room: usize) -> &str {
    let end = (0..=room.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
    end.and_then(|end| name.get(..end)).unwrap_or(name)
}

/// Whether `name` is one that [`RemotePath::unique_sibling`] makes.
pub(crate) fn is_unique_sibling(name: &str, extension: &str) -> bool {
    let bare = name.strip_suffix(extension).and_then(|name| name.strip_suffix('.'));
    let parts = bare.and_then(|bare| bare.rsplit_once('.'));
    parts.is_some_and(|(target, chance)| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        !target.is_empty() && chance.len() == 16 && chance.bytes().all(is_digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_beside_a_long_one_fit_into_file_systems() {
        for name in ["a".repeat(255), "發".repeat(85)] {
            let path = RemotePath::root().entry(&name).unwrap();
            let sibling = path.unique_sibling("part").unwrap();
            assert!(sibling.file_name().len() <= LONGEST_NAME);
            assert!(is_unique_sibling(sibling.file_name(), "part"), "{sibling}");
            assert!(name.starts_with(sibling.file_name().split('.').next().unwrap()));
            let lock = path.lock().unwrap();
            assert!(lock.file_name().len() <= LONGEST_NAME && lock.file_name().ends_with(".lock"));
        }
        assert_eq!(RemotePath::root().entry("a").unwrap().lock().unwrap().as_str(), "/.a.lock");
    }

    #[test]
    fn names_beside_another_differ_and_keep_the_extension() {
        let target = RemotePath::root().join("in/a.txt").unwrap();
        let (one, other) =
            (target.unique_sibling("tmp").unwrap(), target.unique_sibling("tmp").unwrap());
        assert_ne!(one, other);
        assert!(one.as_str().starts_with("/in/a.txt."));
        assert!(one.as_str().ends_with(".tmp"));
        assert!(is_unique_sibling(one.file_name(), "tmp"));
        for other in [
            "a.txt.0123456789abcdef.part",
            "0123456789abcdef.tmp",
            ".0123456789abcdef.tmp",
            "a.txt.0123456789ABCDEF.tmp",
            "a.txt.0123456789abcde.tmp",
            "a.txt.0123456789abcdef0.tmp",
            "a.txt.tmp",
            "a.txt.0123456789abcdeftmp",
        ] {
            assert!(!is_unique_sibling(other, "tmp"), "{other}");
        }
    }
}
