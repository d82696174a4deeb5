//! Paths on a server, Unix style, normalised.

use std::fmt;

use host_sdk::kit::random_suffix;
use host_sdk::{Error, ErrorKind};

use host_sdk::kit::text::printable;

/// A path without empty, `.` and `..` parts. It is absolute, or counts from the directory after
/// login where the server does not tell which one that is.
///
/// Text is in the transparent form of [`super::name`], so every name a server shows has one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RemotePath(
    /// Begins with `/` where it is absolute, and ends in none unless it is the root. Blank is the
    /// directory after login.
    String,
);

/// The longest name that file systems keep, in bytes.
const LONGEST_NAME: usize = 255;

impl RemotePath {
    /// `/`.
    pub(crate) fn root() -> Self {
        Self("/".to_owned())
    }

    /// The directory after login, of a server that does not tell which one that is.
    pub(crate) fn login() -> Self {
        Self(String::new())
    }

    /// What `text` means seen from here: a relative path is appended, an absolute one replaces.
    ///
    /// # Errors
    ///
    /// `document` when it holds CR, LF or NUL, which would end the command early, and when it leads
    /// above a directory after login that is not known.
    pub(crate) fn join(&self, text: &str) -> Result<Self, Error> {
        if text.contains(['\r', '\n', '\0']) {
            return Err(Error::new(
                ErrorKind::Document,
                format!("path \"{}\" contains CR, LF or NUL", printable(text)),
            ));
        }
        let replaces = text.starts_with('/');
        let base = if replaces { "" } else { self.0.as_str() };
        let is_absolute = replaces || self.is_absolute();
        let mut parts: Vec<&str> = Vec::new();
        for part in base.split('/').chain(text.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    if parts.pop().is_none() && !is_absolute {
                        return Err(above_login(text));
                    }
                }
                name => parts.push(name),
            }
        }
        let root = if is_absolute { "/" } else { "" };
        Ok(Self(format!("{root}{}", parts.join("/"))))
    }

    /// The entry `name` of this directory, where `name` is one a server listed.
    ///
    /// # Errors
    ///
    /// `protocol` when it is not a single name: a hostile listing.
    pub(crate) fn entry(&self, name: &str) -> Result<Self, Error> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\r', '\n', '\0'])
        {
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the server listed \"{}\", which is no file name", printable(name)),
            )
            .with_path(self.to_string()));
        }
        let separator = if self.is_top() { "" } else { "/" };
        Ok(Self(format!("{}{separator}{name}", self.0)))
    }

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
        let name = self.file_name();
        let room = LONGEST_NAME.saturating_sub(prefix.len() + suffix.len());
        let end = (0..=room.min(name.len())).rev().find(|end| name.is_char_boundary(*end));
        let kept = end.and_then(|end| name.get(..end)).unwrap_or(name);
        self.parent().entry(&format!("{prefix}{kept}{suffix}"))
    }

    /// The directory it lies in; the topmost one lies in itself.
    pub(crate) fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            Some(("", _)) => Self::root(),
            Some((parent, _)) => Self(parent.to_owned()),
            None => Self::login(),
        }
    }

    /// The last part; blank for the topmost directory.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is the topmost directory that can be named: `/`, or the one after login.
    pub(crate) fn is_top(&self) -> bool {
        matches!(self.0.as_str(), "/" | "")
    }

    /// Whether it counts from the root.
    pub(crate) fn is_absolute(&self) -> bool {
        self.0.starts_with('/')
    }

    /// How a relative path is called inside the directory `from`, where it lies somewhere below
    /// that.
    pub(crate) fn seen_from(&self, from: &Self) -> Option<&str> {
        if self.is_absolute() || from.is_absolute() {
            return None;
        }
        if from.is_top() {
            return Some(self.as_str());
        }
        self.0.strip_prefix(&from.0)?.strip_prefix('/')
    }

    /// How a directory is called below the directory `from`: `.` for that one itself.
    pub(crate) fn below(&self, from: &Self) -> Option<&str> {
        if self == from {
            return Some(".");
        }
        match self.0.strip_prefix(&from.0)? {
            rest if from.0.is_empty() || from.0.ends_with('/') => Some(rest),
            rest => rest.strip_prefix('/'),
        }
    }

    /// The text for commands and document properties: `.` for a directory after login that is not
    /// known.
    pub(crate) fn as_str(&self) -> &str {
        if self.0.is_empty() { "." } else { &self.0 }
    }
}

fn above_login(text: &str) -> Error {
    Error::new(
        ErrorKind::Document,
        format!("path \"{}\" leads above the directory after login", printable(text)),
    )
    .with_hint("the server does not tell where the login leads (PWD): name an absolute path")
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.as_str()))
    }
}

impl fmt::Debug for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemotePath({self})")
    }
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
    fn relative_is_appended_and_absolute_replaces() {
        let base = RemotePath::root().join("aaa/bbb").unwrap();
        let cases = [
            ("ccc/ddd", "/aaa/bbb/ccc/ddd"),
            ("/x//y/", "/x/y"),
            ("./a/../b", "/aaa/bbb/b"),
            ("../../../..", "/"),
            ("", "/aaa/bbb"),
            (" lead", "/aaa/bbb/ lead"),
        ];
        for (text, expected) in cases {
            assert_eq!(base.join(text).unwrap().as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn line_ends_never_get_into_a_path() {
        for text in ["a\r\nDELE b", "a\nb", "a\0b"] {
            let error = RemotePath::root().join(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Document);
        }
    }

    #[test]
    fn a_listed_name_is_one_name() {
        let directory = RemotePath::root().join("in").unwrap();
        assert_eq!(directory.entry("a b").unwrap().as_str(), "/in/a b");
        for name in ["../etc/passwd", "..", "", "/etc", "a\nb"] {
            assert_eq!(directory.entry(name).unwrap_err().kind(), ErrorKind::Protocol, "{name:?}");
        }
    }

    #[test]
    fn a_relative_path_stays_below_the_login() {
        let login = RemotePath::login();
        assert_eq!((login.as_str(), login.file_name()), (".", ""));
        assert_eq!(login.parent(), login);
        for (text, expected) in [("in/a", "in/a"), ("./in//a/", "in/a"), ("", "."), ("/in", "/in")]
        {
            assert_eq!(login.join(text).unwrap().as_str(), expected, "{text:?}");
        }
        for text in ["..", "in/../.."] {
            assert_eq!(login.join(text).unwrap_err().kind(), ErrorKind::Document, "{text:?}");
        }
        let a = login.entry("in").unwrap().entry("a").unwrap();
        assert_eq!((a.as_str(), a.parent().as_str()), ("in/a", "in"));
        assert_eq!(a.parent().parent(), login);
    }

    #[test]
    fn a_relative_path_has_a_name_only_below() {
        let path = |text| RemotePath::login().join(text).unwrap();
        let cases = [
            ("in/a", "", Some("in/a")),
            ("in/a", "in", Some("a")),
            ("in", "in", None),
            ("inbox/a", "in", None),
            ("a", "in", None),
            ("", "", Some(".")),
            ("in/a", "/in", None),
            ("/in/a", "", None),
        ];
        for (of, from, expected) in cases {
            assert_eq!(path(of).seen_from(&path(from)), expected, "{of:?} from {from:?}");
        }
    }

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
    fn parent_and_name() {
        let path = RemotePath::root().join("a/b").unwrap();
        assert_eq!(path.parent().as_str(), "/a");
        assert_eq!(path.parent().parent().as_str(), "/");
        assert_eq!(path.file_name(), "b");
        assert_eq!(RemotePath::root().file_name(), "");
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
