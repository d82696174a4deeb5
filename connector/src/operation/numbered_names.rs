//! The names output.txt, output1.txt, output2.txt, …, and which of them are taken.

use std::collections::BTreeSet;

use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;

/// How many numbers are tried in search of a free name.
const CANDIDATES: u32 = 100_000;

/// How many numbered names are asked for by themselves before the directory is listed.
const QUESTIONS: usize = 16;

/// The numbers of output.txt, output1.txt, output2.txt, … that are taken, as far as is known. An
/// execution keeps it from one document to the next.
pub(super) struct NumberedNames {
    target: RemotePath,
    taken: BTreeSet<u32>,
    /// Whether the directory was listed, or cannot be.
    pub(super) is_listed: bool,
}

impl NumberedNames {
    /// None is known to be taken.
    pub(super) fn new(target: RemotePath) -> Self {
        Self { target, taken: BTreeSet::new(), is_listed: false }
    }

    /// The name without a number, and its directory.
    pub(super) fn target(&self) -> &RemotePath {
        &self.target
    }

    /// Forgets that the name without a number was taken: it may have become free since.
    pub(super) fn free_the_bare_name(&mut self) {
        self.taken.remove(&0);
    }

    /// Whether so many are taken that a listing costs less than a question about each.
    pub(super) fn are_many(&self) -> bool {
        self.taken.len() >= QUESTIONS
    }

    /// Notes that the name with `number` is taken.
    pub(super) fn take(&mut self, number: u32) {
        self.taken.insert(number);
    }

    /// The first name that is not known to be taken, and its number.
    ///
    /// # Errors
    ///
    /// `alreadyExists` where all of them are.
    pub(super) fn first_unknown(&self) -> Result<(String, u32), Failure> {
        let gap = (0..CANDIDATES).zip(&self.taken).find(|(number, taken)| number != *taken);
        let number = match gap {
            Some((number, _)) => Some(number),
            None => u32::try_from(self.taken.len()).ok(),
        };
        let number = number.filter(|number| *number < CANDIDATES).ok_or_else(|| {
            Failure::new(
                Cause::Taken,
                format!("{} and its first {CANDIDATES} numbered names exist already", self.target),
            )
        })?;
        Ok((with_number(self.target.file_name(), number), number))
    }
}

/// `name` with `number` before its extension; 0 leaves it as it is.
fn with_number(name: &str, number: u32) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() => format!("{stem}{number}.{extension}"),
        _ => format!("{name}{number}"),
    }
}

/// The number with which `listed` is `name`, as [`with_number`] makes it.
pub(super) fn number_of(name: &str, listed: &str) -> Option<u32> {
    if listed == name {
        return Some(0);
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => (stem, name.get(stem.len()..)?),
        _ => (name, ""),
    };
    let digits = listed.strip_prefix(stem)?.strip_suffix(extension)?;
    let number: u32 = digits.parse().ok()?;
    (number < CANDIDATES && with_number(name, number) == listed).then_some(number)
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
            assert_eq!(with_number(name, number), expected);
            assert_eq!(number_of(name, expected), Some(number));
        }
        for other in
            ["output.tx", "output01.txt", "output-1.txt", "output+1.txt", "x", "output.txt1"]
        {
            assert_eq!(number_of("output.txt", other), None, "{other}");
        }
    }
}
