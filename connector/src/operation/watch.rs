//! Whether a file is still the one that was read: only that one is removed.

use super::fetch::RemoteFile;
use super::run::Run;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;

/// When a file that is to be removed was last modified before it was read.
#[derive(Clone, Copy)]
pub(super) struct Watch {
    modified: Option<Modified>,
    /// Whether that is a fact of MLSD's, which MLST tells together with the size.
    by_facts: bool,
}

impl Watch {
    /// Asks for the time of `file`, unless its listing told.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(super) fn begin(run: &mut Run, file: &RemoteFile) -> Result<Self, Failure> {
        if file.listed.is_some() && run.session()?.features().mlst {
            return Ok(Self { modified: file.listed, by_facts: true });
        }
        let modified = match file.stated {
            None => run.repeat(|session| session.modified(&file.path))?,
            stated => stated,
        };
        Ok(Self { modified, by_facts: false })
    }

    /// Whether the file is another one than the one of `size` that was read.
    ///
    /// # Errors
    ///
    /// `notFound` when it is gone; what a command can fail with.
    pub(super) fn sees_change(
        &self,
        run: &mut Run,
        path: &RemotePath,
        size: Option<u64>,
    ) -> Result<bool, Failure> {
        let (size_now, modified_now) = run.repeat(|session| {
            if self.by_facts
                && let Some(entry) = session.facts(path)?
            {
                let size = match entry.size {
                    None => session.known_size(path)?,
                    told => told,
                };
                return Ok((size, entry.modified));
            }
            let size = session.known_size(path)?;
            // A time told by MDTM says nothing about one that MLSD told.
            let modified = if self.by_facts { None } else { session.modified(path)? };
            Ok((size, modified))
        })?;
        Ok(size.zip(size_now).is_some_and(|(then, now)| then != now)
            || self.modified.zip(modified_now).is_some_and(|(then, now)| !then.agrees(&now)))
    }
}

/// The error about a file that is another one by now.
pub(super) fn rewritten(path: &RemotePath) -> Failure {
    Failure::new(
        Cause::Unproven,
        format!("{path} was written to after it had been read, so it is kept"),
    )
    .with_path(path)
    .with_hint("set minimumAge, so that files are read only when they are complete")
}
