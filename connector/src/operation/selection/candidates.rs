//! The files that a query is about: not those that it has tried, those that it has moved away
//! earlier, and those that uploads of this connector left behind.

use std::collections::{BTreeSet, HashSet};

use super::flaw::Flaws;
use super::select::select;
use super::selected::Selected;
use crate::config::{QuerySettings, Removal};
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::sibling::is_unique_sibling;
use crate::file::temporary_name::TemporaryName;
use crate::listing::Kind;
use crate::operation::execution::Execution;

/// The extensions of the names that uploads use for a while: a file that is not complete, and one
/// that is being replaced.
const TEMPORARY: [&str; 2] = ["part", "old"];

/// The files of one query.
pub(in crate::operation) struct Candidates<'s> {
    settings: &'s QuerySettings,
    /// Those that were tried.
    tried: HashSet<RemotePath>,
    /// Where files are moved to: what lies there has been read already.
    destinations: HashSet<RemotePath>,
    /// The directories that were listed, where files are moved.
    directories: HashSet<RemotePath>,
    /// Whether files that uploads left behind were reported.
    has_reported: bool,
}

impl<'s> Candidates<'s> {
    /// Nothing is tried yet.
    pub(in crate::operation) fn new(settings: &'s QuerySettings) -> Self {
        Self {
            settings,
            tried: HashSet::new(),
            destinations: HashSet::new(),
            directories: HashSet::new(),
            has_reported: false,
        }
    }

    /// Leaves `files` out from now on.
    ///
    /// # Errors
    ///
    /// As [`Selected::path`].
    pub(in crate::operation) fn leave_out(&mut self, files: &[Selected]) -> Result<(), Failure> {
        for file in files {
            self.tried.insert(file.path()?);
        }
        Ok(())
    }

    /// The files to read, no more than `limit`. The control connection lists or reads, never both, so
    /// they are known before the first one is read. There may be a great many of them: what its
    /// document tells is made when it is read.
    ///
    /// # Errors
    ///
    /// As [`select`].
    pub(in crate::operation) fn select(
        &mut self,
        execution: &mut Execution,
        directory: &RemotePath,
        limit: usize,
    ) -> Result<(Vec<Selected>, Flaws), Failure> {
        loop {
            let (mut files, flaws) = self.select_once(execution, directory, limit)?;
            let count = files.len();
            let namesakes = self.namesakes_of_destinations(execution, &files)?;
            files.retain(|file| !namesakes.contains(&*file.directory));
            self.destinations.extend(namesakes);
            if files.len() == count || count < limit {
                return Ok((files, flaws));
            }
        }
    }

    fn select_once(
        &mut self,
        execution: &mut Execution,
        directory: &RemotePath,
        limit: usize,
    ) -> Result<(Vec<Selected>, Flaws), Failure> {
        let settings = self.settings;
        let names = execution.server_behaviour().temporary_names();
        let uploads = execution.server_behaviour().uploads();
        let mut unfinished = BTreeSet::new();
        self.destinations.extend(destination(settings, directory));
        let moves = matches!(settings.reading.after.removal, Removal::Move(_));
        let selected =
            select(execution, &settings.selection, directory, limit, &mut |directory, entry| {
                if entry.kind == Kind::Directory && moves {
                    let below = directory.entry(&entry.name)?;
                    self.destinations.extend(destination(settings, &below));
                    self.directories.insert(below);
                }
                // Nothing of a file's document tells it, and there may be a great many.
                entry.unique = None;
                // What is told without a type is tried: a file that is left out would be lost.
                if !matches!(entry.kind, Kind::RegularFile | Kind::Untold) {
                    return Ok(false);
                }
                let is_upload =
                    !uploads.is_empty() && uploads.contains(&directory.entry(&entry.name)?);
                if is_upload || is_temporary(&entry.name, &names) {
                    unfinished.insert(directory.entry(&entry.name)?);
                    return Ok(false);
                }
                Ok(!self.destinations.contains(directory)
                    && (self.tried.is_empty()
                        || !self.tried.contains(&directory.entry(&entry.name)?)))
            })?;
        if let Some(example) = unfinished.first()
            && !std::mem::replace(&mut self.has_reported, true)
        {
            log::warn!(
                "{} files that uploads use for a while are not read, such as {example}",
                unfinished.len()
            );
        }
        Ok(selected)
    }

    /// The directories of `files` that are destinations under another spelling: they differ from one
    /// in case, no listing shows that one, and the server enters it all the same.
    fn namesakes_of_destinations(
        &self,
        execution: &mut Execution,
        files: &[Selected],
    ) -> Result<HashSet<RemotePath>, Failure> {
        let mut namesakes = HashSet::new();
        if self.destinations.is_empty() {
            return Ok(namesakes);
        }
        let directories: HashSet<&RemotePath> = files.iter().map(|file| &*file.directory).collect();
        for directory in directories {
            let folded = directory.as_str().to_lowercase();
            let is_namesake = |destination: &&RemotePath| {
                destination.as_str().to_lowercase() == folded
                    && *destination != directory
                    && !self.directories.contains(*destination)
            };
            let Some(destination) = self.destinations.iter().find(is_namesake) else { continue };
            match execution.repeat(|session| session.has_directory(destination)) {
                Ok(true) => {
                    log::info!("{directory} is {destination}, where files are moved to");
                    namesakes.insert(directory.clone());
                }
                Ok(false) => {}
                // Another refusal proves nothing: a file that is read again is not lost.
                Err(e) if e.is_answer() => log::info!("{destination}: {e}"),
                Err(e) => return Err(e),
            }
        }
        Ok(namesakes)
    }
}

/// Whether uploads of this connector use `name` for a while: one of `names` or the usual ones.
fn is_temporary(name: &str, names: &[TemporaryName]) -> bool {
    TEMPORARY.into_iter().any(|extension| is_unique_sibling(name, extension))
        || names.iter().any(|pattern| pattern.is_sure_to_make(name))
}

/// Where the files of `directory` are moved to, if they are.
fn destination(settings: &QuerySettings, directory: &RemotePath) -> Option<RemotePath> {
    let Removal::Move(destination) = &settings.reading.after.removal else { return None };
    directory.join(destination).ok().filter(|destination| destination != directory)
}
