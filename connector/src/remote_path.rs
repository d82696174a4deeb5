//! Absolute paths on a server, Unix style, normalised.

use std::fmt;

use host_sdk::{Error, ErrorKind};

use crate::wire_name::printable;

/// An absolute path without empty, `.` and `..` parts: it begins with `/` and, unless it is the
/// root, does not end in one.
///
/// Text is in the transparent form of [`crate::wire_name`], so every name a server shows has one.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RemotePath(String);

impl RemotePath {
    /// `/`.
    pub(crate) fn root() -> Self {
        Self("/".to_owned())
    }

    /// What `text` means seen from here: a relative path is appended, an absolute one replaces.
    ///
    /// # Errors
    ///
    /// `document` when it holds CR, LF or NUL, which would end the command early.
    pub(crate) fn join(&self, text: &str) -> Result<Self, Error> {
        if text.contains(['\r', '\n', '\0']) {
            return Err(Error::new(
                ErrorKind::Document,
                format!("path \"{}\" contains CR, LF or NUL", printable(text)),
            ));
        }
        let base = if text.starts_with('/') { "" } else { self.0.as_str() };
        let mut parts: Vec<&str> = Vec::new();
        for part in base.split('/').chain(text.split('/')) {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        Ok(Self(format!("/{}", parts.join("/"))))
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
        let separator = if self.is_root() { "" } else { "/" };
        Ok(Self(format!("{}{separator}{name}", self.0)))
    }

    /// The directory it lies in; the root lies in itself.
    pub(crate) fn parent(&self) -> Self {
        match self.0.rsplit_once('/') {
            None | Some(("", _)) => Self::root(),
            Some((parent, _)) => Self(parent.to_owned()),
        }
    }

    /// The last part; blank for the root.
    pub(crate) fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it is `/`.
    pub(crate) fn is_root(&self) -> bool {
        self.0 == "/"
    }

    /// The text for commands and document properties.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl fmt::Debug for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemotePath({self})")
    }
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
    fn parent_and_name() {
        let path = RemotePath::root().join("a/b").unwrap();
        assert_eq!(path.parent().as_str(), "/a");
        assert_eq!(path.parent().parent().as_str(), "/");
        assert_eq!(path.file_name(), "b");
        assert_eq!(RemotePath::root().file_name(), "");
    }
}
