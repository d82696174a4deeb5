//! Which entries of a directory are meant: what the filter selects, old enough, in order, and no
//! more than asked for.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::flaw::Flaws;
use super::walk::{Visited, VisitedEntry, walk};
use crate::config::{SelectionSettings, SortBy};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, Zone};
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Kind};
use crate::operation::execution::Execution;
use crate::session::Session;

/// How far clocks may differ, and how long a minute is that a listing tells: a file that is dated
/// later than that lies in the future.
const FUTURE: SignedDuration = SignedDuration::from_mins(2);

/// An entry that is meant. There may be a great many of them, most in one directory.
pub(in crate::operation) struct Selected {
    pub(in crate::operation) directory: Arc<RemotePath>,
    /// Apart from the others, so that a list that grows moves none of them.
    pub(in crate::operation) entry: Box<Entry>,
}

impl Selected {
    /// Where it is.
    ///
    /// # Errors
    ///
    /// `protocol` when its name is none.
    pub(in crate::operation) fn path(&self) -> Result<RemotePath, Failure> {
        Ok(self.directory.entry(&self.entry.name)?)
    }
}

impl SelectionSettings {
    /// How many entries are wanted at most.
    pub(in crate::operation) fn limit(&self) -> usize {
        let maximum = self.maximum.unwrap_or(u64::MAX);
        usize::try_from(maximum).unwrap_or(usize::MAX)
    }

    /// Whether it is known of each entry by itself if it is meant: without an order, in which the
    /// last one may come first, and without questions that the control connection cannot answer
    /// while it lists.
    pub(in crate::operation) fn can_stream(&self) -> bool {
        self.sort_by == SortBy::None && self.minimum_age.is_none()
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
    Ok(match settings.filter.evaluate(&seen.entry, seen.zone, seen.is_exact) {
        None => Visited::Refine(seen.entry),
        Some(true) if !take(seen)? => Visited::Stop,
        Some(_) => Visited::Continue,
    })
}

/// The entries of `directory`, and of those below it as far as the settings go, that are
/// `eligible` and meant, no more than `limit`; and what could not be used.
///
/// # Errors
///
/// Those of walking; `protocol` for more entries than one directory may have; `unsupported` when a minimum age is asked for and the server does not tell
/// how old a file is.
pub(in crate::operation) fn select(
    execution: &mut Execution,
    settings: &SelectionSettings,
    directory: &RemotePath,
    limit: usize,
    eligible: &mut dyn FnMut(&RemotePath, &mut Entry) -> Result<bool, Failure>,
) -> Result<(Vec<Selected>, Flaws), Failure> {
    let (mut selected, flaws) = execution.repeat(|session| {
        let mut selected: Vec<Selected> = Vec::new();
        let most = session.settings().maximum_entries;
        let flaws = walk(session, directory, &settings.walk, &mut |mut seen| {
            if !eligible(seen.directory, &mut seen.entry)? {
                return Ok(Visited::Continue);
            }
            filter_entry(settings, seen, &mut |VisitedEntry { directory, entry, .. }| {
                if selected.len() >= most {
                    return Err(too_many(directory, most));
                }
                let last = selected.last().map(|last| &last.directory);
                let directory = match last.filter(|last| ***last == *directory) {
                    Some(same) => Arc::clone(same),
                    None => Arc::new(directory.clone()),
                };
                selected.push(Selected { directory, entry: Box::new(entry) });
                Ok(!settings.can_stream() || selected.len() < limit)
            })
        })?;
        let mut selected = match settings.minimum_age {
            Some(age) => retain_old_enough(session, selected, age)?,
            None => selected,
        };
        sort(&mut selected, settings.sort_by, session.zone());
        Ok((selected, flaws))
    })?;
    selected.truncate(limit);
    Ok((selected, flaws))
}

fn too_many(directory: &RemotePath, most: usize) -> Failure {
    Failure::new(Cause::Nonsense, format!("more than {most} entries are selected"))
        .with_path(directory)
        .with_transient(false)
        .with_hint("raise maximumListingEntries, or select fewer by a filter or a maximum")
}

/// Leaves out files that are younger than `age`: somebody may still be writing them.
fn retain_old_enough(
    session: &mut Session,
    selected: Vec<Selected>,
    age: Duration,
) -> Result<Vec<Selected>, Failure> {
    let zone = session.zone().clone();
    // A zone that was measured is an hour out for files on the other side of a change of clocks.
    let doubt = match session.settings().zone {
        ServerTimeZone::Auto => SignedDuration::from_hours(1),
        ServerTimeZone::Known(_) => SignedDuration::ZERO,
    };
    let now = Timestamp::now();
    let latest = now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let mut kept = Vec::new();
    let mut future = 0_usize;
    let mut an_example = None;
    for candidate in selected {
        let listed = candidate.entry.modified.and_then(|modified| {
            let end = latest_instant(modified, &zone)?;
            let is_sure = modified.zone != Zone::Server || end.duration_since(latest).abs() > doubt;
            is_sure.then_some(end)
        });
        let end = match listed {
            _ if !matches!(candidate.entry.kind, Kind::RegularFile | Kind::Untold) => None,
            // A listing without a certain zone does not tell when; MDTM does.
            None => match modified_by_mdtm(session, &candidate, &zone)? {
                None => continue,
                told => told,
            },
            told => told,
        };
        if end.is_some_and(|end| end.duration_since(now) > FUTURE) {
            future += 1;
            an_example.get_or_insert(candidate.path()?);
        }
        if end.is_none_or(|end| end <= latest) {
            kept.push(candidate);
        }
    }
    if let Some(path) = an_example {
        log::warn!(
            "{future} files are dated in the future, such as {path}: minimumAge leaves them out \
             until then; compare the clocks, and check serverTimeZone"
        );
    }
    Ok(kept)
}

/// When the file was last written to, as MDTM tells; none for one that is gone: an upload that
/// was renamed since the listing.
fn modified_by_mdtm(
    session: &mut Session,
    file: &Selected,
    zone: &ServerTimeZone,
) -> Result<Option<Timestamp>, Failure> {
    let path = file.path()?;
    let told = session.modified(&path)?.and_then(|modified| latest_instant(modified, zone));
    if told.is_some() || !session.exists(&path)? {
        return Ok(told);
    }
    Err(Failure::new(Cause::Unsupported, format!("the server does not tell how old {path} is"))
        .with_path(path)
        .with_hint("set serverTimeZone, so that the listing's times can be understood"))
}

/// The last instant at which the file can have been modified, as exactly as that was told.
fn latest_instant(modified: Modified, zone: &ServerTimeZone) -> Option<Timestamp> {
    modified.instant(zone)?.checked_add(modified.precision.span()).ok()
}

fn sort(selected: &mut [Selected], by: SortBy, zone: &ServerTimeZone) {
    match by {
        SortBy::None => {}
        SortBy::FileName => selected
            .sort_by(|a, b| (&a.directory, &a.entry.name).cmp(&(&b.directory, &b.entry.name))),
        SortBy::Size => selected.sort_by_key(|one| {
            let size = one.entry.approximate_size();
            (size.is_none(), size)
        }),
        SortBy::Timestamp => selected.sort_by_key(|one| {
            let time = one.entry.modified.map(|modified| modified.server_time(zone));
            (time.is_none(), time)
        }),
    }
}
