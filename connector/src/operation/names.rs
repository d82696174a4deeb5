//! Names: free ones, and ones that nobody else has.

use host_sdk::{Error, ErrorKind};

use super::run::Run;
use crate::remote_path::RemotePath;
use crate::retry::chance;

/// How many numbers are tried in search of a free name.
const CANDIDATES: u32 = 100_000;

/// The first of output.txt, output1.txt, output2.txt, … that is free, from `number` on, and its
/// number.
///
/// # Errors
///
/// `alreadyExists` when none is; what a command can fail with.
pub(super) fn free_name(
    run: &mut Run,
    target: &RemotePath,
    number: u32,
) -> Result<(RemotePath, u32), Error> {
    let directory = target.parent();
    for number in number..CANDIDATES {
        let candidate = directory.entry(&numbered(target.file_name(), number))?;
        if !run.repeat(|session| session.exists(&candidate))? {
            return Ok((candidate, number));
        }
    }
    Err(Error::new(
        ErrorKind::AlreadyExists,
        format!("{target} and its first {CANDIDATES} numbered names exist already"),
    ))
}

/// A name beside `path` that nobody else uses.
///
/// # Errors
///
/// As [`RemotePath::entry`].
pub(super) fn beside(path: &RemotePath, extension: &str) -> Result<RemotePath, Error> {
    let name = format!("{}.{:016x}.{extension}", path.file_name(), chance());
    path.parent().entry(&name)
}

/// `name` with `number` before its extension; 0 leaves it as it is.
fn numbered(name: &str, number: u32) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}{number}.{extension}"),
        _ => format!("{name}{number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_before_the_extension() {
        let cases = [
            ("output.txt", 0, "output.txt"),
            ("output.txt", 1, "output1.txt"),
            ("a.tar.gz", 2, "a.tar2.gz"),
            ("README", 3, "README3"),
            (".profile", 1, ".profile1"),
        ];
        for (name, number, expected) in cases {
            assert_eq!(numbered(name, number), expected);
        }
    }

    #[test]
    fn names_beside_another_differ_and_keep_the_extension() {
        let target = RemotePath::root().join("in/a.txt").unwrap();
        let (one, other) = (beside(&target, "tmp").unwrap(), beside(&target, "tmp").unwrap());
        assert_ne!(one, other);
        assert!(one.as_str().starts_with("/in/a.txt."));
        assert!(one.as_str().ends_with(".tmp"));
    }
}
