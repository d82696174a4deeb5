//! The directory of a document below that of a step, from untrusted peers.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use host_sdk::{Error, ErrorKind};

use super::file_name::check_name;

/// How many directories lie below each other at most.
const DEEPEST: usize = 256;

/// The names of the directories that lead to a file, none of which leaves its place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct RelativeDirectory(Vec<String>);

impl RelativeDirectory {
    /// Reads `text`: names with `/` between them; `.` and nothing at all are the directory itself.
    ///
    /// # Errors
    ///
    /// `document` for an absolute path, for `..` and for names that no file may have.
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let refused = |reason: &str| {
            let shown = text.escape_debug();
            let message = format!("\"{shown}\" cannot be a directory to write to: {reason}");
            Error::new(ErrorKind::Document, message)
                .with_hint("set the property relativeDirectory with a setProperties step")
        };
        if text.starts_with('/') {
            return Err(refused("it is absolute"));
        }
        let names: Vec<&str> =
            text.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        if names.contains(&"..") {
            return Err(refused("it leads upwards"));
        }
        if names.len() > DEEPEST {
            return Err(refused("it is too deep"));
        }
        for name in &names {
            check_name(name).map_err(|e| refused(e.message()))?;
        }
        Ok(Self(names.into_iter().map(str::to_owned).collect()))
    }

    /// The path below `root`.
    pub(super) fn below(&self, root: &Path) -> PathBuf {
        self.0.iter().fold(root.to_owned(), |path, name| path.join(name))
    }

    /// The path of `name` in it, for messages.
    pub(super) fn shown(&self, name: &str) -> String {
        let mut path = self.0.join("/");
        if !path.is_empty() {
            path.push('/');
        }
        path + name
    }

    /// Makes it below `root`. A link in it is not followed: it could lead anywhere.
    ///
    /// # Errors
    ///
    /// That of a directory that cannot be made, and `NotADirectory` for what is none.
    pub(super) fn make(&self, root: &Path) -> io::Result<()> {
        let mut path = root.to_owned();
        for name in &self.0 {
            path.push(name);
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !fs::symlink_metadata(&path)?.is_dir() {
                        let message = format!("{} is no directory", path.display());
                        return Err(io::Error::new(io::ErrorKind::NotADirectory, message));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The directories from the deepest one up to `root`.
    pub(super) fn upwards(&self, root: &Path) -> Vec<PathBuf> {
        let mut paths = vec![root.to_owned()];
        for name in &self.0 {
            paths.extend(paths.last().map(|path| path.join(name)));
        }
        paths.reverse();
        paths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_out() {
        for text in
            ["/etc", "../a", "a/../..", "a/..", "con/a", "a\\b", "a\nb", "a /b", &"a/".repeat(300)]
        {
            let error = RelativeDirectory::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Document, "{text}");
        }
        for (text, shown) in
            [("", "f"), (".", "f"), ("a//b/./c/", "a/b/c/f"), (".hidden", ".hidden/f")]
        {
            assert_eq!(RelativeDirectory::parse(text).unwrap().shown("f"), shown);
        }
    }

    #[cfg(unix)]
    #[test]
    fn links_are_not_followed() {
        let (inside, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(outside.path(), inside.path().join("a")).unwrap();
        let directory = RelativeDirectory::parse("a/b").unwrap();
        let error = directory.make(inside.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
        RelativeDirectory::parse("c/d").unwrap().make(inside.path()).unwrap();
        assert!(inside.path().join("c/d").is_dir());
    }
}
