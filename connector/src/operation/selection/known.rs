//! Which directories a walk has come to: each is walked once, whatever names and links lead there.

use std::collections::HashSet;

use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::session::Session;

/// The directories that a walk has come to.
pub(in crate::operation) struct KnownDirectories {
    /// Their real paths, as far as those are told.
    paths: HashSet<RemotePath>,
    /// What the server knows them by (fact `unique`).
    unique: HashSet<Box<str>>,
    /// The first one, until its own `unique` is asked for.
    first: Option<RemotePath>,
}

impl KnownDirectories {
    /// Knows `directory`, whose real path is `real`.
    pub(in crate::operation) fn new(directory: &RemotePath, real: &RemotePath) -> Self {
        Self {
            paths: HashSet::from([directory.clone(), real.clone()]),
            unique: HashSet::new(),
            first: Some(directory.clone()),
        }
    }

    /// Notes a directory; whether it is new.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(in crate::operation) fn add(
        &mut self,
        session: &mut Session,
        real: &RemotePath,
        unique: Option<Box<str>>,
    ) -> Result<bool, Failure> {
        if let Some(unique) = unique.filter(|unique| tells_apart(unique)) {
            if let Some(first) = self.first.take() {
                // No listing tells of the directory that it begins with.
                self.unique.extend(session.unique_of(&first)?);
            }
            if !self.unique.insert(unique) {
                log::info!("{real} leads to a directory that is read under another name");
                return Ok(false);
            }
        }
        Ok(self.paths.insert(real.clone()))
    }

    /// How many there are.
    pub(in crate::operation) fn count(&self) -> usize {
        self.paths.len()
    }
}

/// Whether `unique` identifies anything: servers on systems without inodes state zeros.
fn tells_apart(unique: &str) -> bool {
    unique.bytes().any(|byte| matches!(byte, b'1'..=b'9' | b'a'..=b'f' | b'A'..=b'F'))
}

/// Where a link in the directory `real` ends, by its target alone: `..` only at the beginning, where
/// it leads out of real directories, and never above the topmost one; `None` for any other target.
pub(in crate::operation) fn target_path(real: &RemotePath, target: &str) -> Option<RemotePath> {
    if target.is_empty() || target.starts_with('/') {
        return None;
    }
    let mut path = real.clone();
    let mut may_ascend = true;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." if !may_ascend || path.is_top() => return None,
            ".." => path = path.parent(),
            name => {
                may_ascend = false;
                path = path.entry(name).ok()?;
            }
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_identify_nothing() {
        for (unique, expected) in [("0g0", false), ("", false), ("0g1", true), ("FD00U9", true)] {
            assert_eq!(tells_apart(unique), expected, "{unique}");
        }
    }

    #[test]
    fn a_target_is_followed_only_where_it_is_unambiguous() {
        let directory = RemotePath::root().join("in/a").unwrap();
        let cases = [
            (".", Some("/in/a")),
            ("..", Some("/in")),
            ("../b/", Some("/in/b")),
            ("../..", Some("/")),
            ("../../..", None),
            ("b/../c", None),
            ("/in/a", None),
            ("", None),
        ];
        for (target, expected) in cases {
            let path = target_path(&directory, target);
            assert_eq!(path.as_ref().map(RemotePath::as_str), expected, "{target}");
        }
    }
}
