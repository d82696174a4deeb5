//! Names: free ones, and ones that nobody else has.

use std::collections::BTreeSet;

use super::run::Run;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::session::{Presence, SizeAnswer};

/// How many numbers are tried in search of a free name.
const CANDIDATES: u32 = 100_000;

/// How many numbered names are asked for by themselves before the directory is listed.
const QUESTIONS: usize = 16;

/// The numbers of output.txt, output1.txt, output2.txt, … that are taken, as far as is known. An
/// execution keeps it from one document to the next.
pub(super) struct Numbers {
    target: RemotePath,
    taken: BTreeSet<u32>,
    /// Whether the directory was listed, or cannot be.
    is_listed: bool,
}

impl Numbers {
    /// What `run` knows about the numbers of `target`. The name without a number may have become
    /// free since.
    pub(super) fn of(run: &mut Run, target: &RemotePath) -> Self {
        let mut numbers = match run.numbers.take().filter(|known| known.target == *target) {
            Some(known) => known,
            None => Self { target: target.clone(), taken: BTreeSet::new(), is_listed: false },
        };
        numbers.taken.remove(&0);
        numbers
    }

    /// Notes that the name with `number` is taken.
    pub(super) fn take(&mut self, number: u32) {
        self.taken.insert(number);
    }

    /// The first name that is not seen to be taken, and its number. Once some are taken, one
    /// listing of the directory stands for a question about each number.
    ///
    /// # Errors
    ///
    /// `alreadyExists` when none is; what a command or a data connection can fail with.
    pub(super) fn next_free(&mut self, run: &mut Run) -> Result<(RemotePath, u32), Failure> {
        loop {
            if self.taken.len() >= QUESTIONS && !self.is_listed {
                self.is_listed = true;
                refuse_if_anything_exists(run, &self.target)?;
                self.list(run)?;
            }
            let number = self.first_unknown()?;
            let name = numbered(self.target.file_name(), number);
            let candidate = self.target.parent().entry(&name)?;
            match run.repeat(|session| session.ask_size(&candidate))? {
                SizeAnswer::Bytes(_) => self.take(number),
                _ => return Ok((candidate, number)),
            }
        }
    }

    fn first_unknown(&self) -> Result<u32, Failure> {
        let gap = (0..CANDIDATES).zip(&self.taken).find(|(number, taken)| number != *taken);
        let number = gap.map_or(self.taken.len(), |(number, _)| number as usize);
        u32::try_from(number).ok().filter(|number| *number < CANDIDATES).ok_or_else(|| {
            Failure::new(
                Cause::Taken,
                format!("{} and its first {CANDIDATES} numbered names exist already", self.target),
            )
        })
    }

    fn list(&mut self, run: &mut Run) -> Result<(), Failure> {
        let target = &self.target;
        let listed = run.repeat(|session| {
            let mut taken = BTreeSet::new();
            session.list_proven(&target.parent(), &mut |entry| {
                taken.extend(number_of(target.file_name(), &entry.name));
                Ok(true)
            })?;
            Ok(taken)
        });
        match listed {
            Ok(taken) => self.taken.extend(taken),
            // Each number is asked for by itself then.
            Err(e) if e.is_about_document() => {
                log::debug!("{} cannot be listed: {e}", target.parent());
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }
}

/// Refuses to look for a free name on a server that says of a name that nobody has that it is there.
fn refuse_if_anything_exists(run: &mut Run, target: &RemotePath) -> Result<(), Failure> {
    let nobodys = target.unique_sibling("none")?;
    if !matches!(run.repeat(|session| session.presence(&nobodys))?, Presence::Present) {
        return Ok(());
    }
    let message = format!("the server says that {nobodys} exists, as it does of any name");
    Err(Failure::new(Cause::Denied, message)
        .with_path(target)
        .with_hint("set actionIfFileExists to overwrite: nothing shows which names are free"))
}

/// Whether `name` is one that [`RemotePath::unique_sibling`] makes.
pub(super) fn is_beside(name: &str, extension: &str) -> bool {
    let bare = name.strip_suffix(extension).and_then(|name| name.strip_suffix('.'));
    let parts = bare.and_then(|bare| bare.rsplit_once('.'));
    parts.is_some_and(|(target, chance)| {
        let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        !target.is_empty() && chance.len() == 16 && chance.bytes().all(is_digit)
    })
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

/// The number with which `listed` is `name`, as [`numbered`] makes it.
fn number_of(name: &str, listed: &str) -> Option<u32> {
    if listed == name {
        return Some(0);
    }
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => (stem, name.get(stem.len()..)?),
        _ => (name, ""),
    };
    let digits = listed.strip_prefix(stem)?.strip_suffix(extension)?;
    let number: u32 = digits.parse().ok()?;
    (number < CANDIDATES && numbered(name, number) == listed).then_some(number)
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
            assert_eq!(number_of(name, expected), Some(number));
        }
        for other in
            ["output.tx", "output01.txt", "output-1.txt", "output+1.txt", "x", "output.txt1"]
        {
            assert_eq!(number_of("output.txt", other), None, "{other}");
        }
    }

    #[test]
    fn names_beside_another_differ_and_keep_the_extension() {
        let target = RemotePath::root().join("in/a.txt").unwrap();
        let (one, other) =
            (target.unique_sibling("tmp").unwrap(), target.unique_sibling("tmp").unwrap());
        assert_ne!(one, other);
        assert!(one.as_str().starts_with("/in/a.txt."));
        assert!(one.as_str().ends_with(".tmp"));
        assert!(is_beside(one.file_name(), "tmp"));
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
            assert!(!is_beside(other, "tmp"), "{other}");
        }
    }
}
