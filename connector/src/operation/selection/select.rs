//! Which entries of a directory are meant: what the filter selects, old enough, in order, and no
//! more than asked for.

use std::sync::Arc;

use super::age::{Age, AgeCheck};
use super::flaw::Flaws;
use super::selected::Selected;
use super::shortlist::Shortlist;
use super::walk::{Visited, VisitedEntry, walk};
use crate::config::{SelectionSettings, SortBy};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::listing::{Entry, Kind};
use crate::operation::execution::Execution;

impl SelectionSettings {
    /// How many entries are wanted at most.
    pub(in crate::operation) fn limit(&self) -> usize {
        let most = if self.sort_by == SortBy::Newest { 1 } else { u64::MAX };
        let maximum = self.maximum.unwrap_or(most).min(most);
        usize::try_from(maximum).unwrap_or(usize::MAX)
    }

    /// Whether it is known of each entry by itself if it is meant: without an order, in which the
    /// last one may come first, and without questions that the control connection cannot answer
    /// while it lists.
    pub(in crate::operation) fn can_stream(&self) -> bool {
        self.sort_by == SortBy::None && self.age.is_open()
    }
}

/// Lets the filter judge `seen`, and hands what it selects to `take`, which answers whether more
/// are wanted.
///
/// # Errors
///
/// Those of `take`.
pub(in crate::operation) fn filter_entry(
    settings: &SelectionSettings,
    seen: VisitedEntry<'_>,
    take: &mut dyn FnMut(VisitedEntry<'_>) -> Result<bool, Failure>,
) -> Result<Visited, Failure> {
    let is_selected = match is_large_enough(settings, &seen) {
        Some(true) => settings.filter.evaluate(&seen.entry, seen.zone, seen.is_exact),
        other => other,
    };
    Ok(match is_selected {
        None => Visited::Refine(seen.entry),
        Some(true) if !take(seen)? => Visited::Stop,
        Some(_) => Visited::Continue,
    })
}

/// Whether a file has as many bytes as are asked for; none where that takes a more exact size than
/// is known. Directories and links have no size that counts.
fn is_large_enough(settings: &SelectionSettings, seen: &VisitedEntry<'_>) -> Option<bool> {
    let Some(minimum) = settings.minimum_size else { return Some(true) };
    let entry = &seen.entry;
    if !matches!(entry.kind, Kind::RegularFile | Kind::Untold) {
        return Some(true);
    }
    if !seen.is_exact && entry.size.is_none() {
        return None;
    }
    Some(entry.approximate_size().is_some_and(|size| size >= minimum))
}

/// The entries of `directory`, and of those below it as far as the settings go, that are
/// `eligible` and meant, no more than `limit`; and what could not be used.
///
/// # Errors
///
/// Those of walking; `protocol` for more entries than one directory may have; `unsupported` when an age is asked for, or the
/// newest file, and the server does not tell how old a file is.
pub(in crate::operation) fn select(
    execution: &mut Execution,
    settings: &SelectionSettings,
    directory: &RemotePath,
    limit: usize,
    eligible: &mut dyn FnMut(&RemotePath, &mut Entry) -> Result<bool, Failure>,
) -> Result<(Vec<Selected>, Flaws), Failure> {
    execution.repeat(|session| {
        let mut list = Shortlist::new(settings.sort_by, limit);
        let mut age =
            (!settings.age.is_open()).then(|| AgeCheck::new(settings.age, session.settings()));
        let most = session.settings().maximum_entries;
        let flaws = walk(session, directory, &settings.walk, &mut |mut seen| {
            if !eligible(seen.directory, &mut seen.entry)? {
                return Ok(Visited::Continue);
            }
            filter_entry(settings, seen, &mut |VisitedEntry { directory, entry, zone, .. }| {
                if list.len() >= most {
                    return Err(too_many(directory, most));
                }
                let age = match &mut age {
                    None => Age::Meant,
                    Some(age) => age.of_listed(directory, &entry, zone)?,
                };
                let last = list.last().map(|last| &last.directory);
                let directory = match last.filter(|last| ***last == *directory) {
                    Some(same) => Arc::clone(same),
                    None => Arc::new(directory.clone()),
                };
                Ok(list.add(Selected { directory, entry: Box::new(entry) }, age, zone))
            })
        })?;
        let selected = list.finish(session, age.as_mut())?;
        if let Some(age) = age {
            age.warn_of_future();
        }
        Ok((selected, flaws))
    })
}

fn too_many(directory: &RemotePath, most: usize) -> Failure {
    Failure::new(Cause::Nonsense, format!("more than {most} entries are selected"))
        .with_path(directory)
        .with_transient(false)
        .with_hint("raise maximumListingEntries, or select fewer by a filter or a maximum")
}
