//! Which files are old enough: somebody may still be writing the others.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::selected::Selected;
use crate::config::ConnectionSettings;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, Zone};
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Kind};
use crate::session::Session;

/// How far clocks may differ, and how long a minute is that a listing tells: a file that is dated
/// later than that lies in the future.
const FUTURE: SignedDuration = SignedDuration::from_mins(2);

/// How far the clock of a zone can be from UTC.
const FARTHEST_ZONE: SignedDuration = SignedDuration::from_hours(14);

/// What a listing tells of a file's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Old enough.
    Old,
    /// Too young.
    Young,
    /// MDTM has to tell.
    Open,
}

/// The minimum age of files, and how many of them lie in the future.
pub(super) struct MinimumAge {
    age: Duration,
    /// How far the listed times may be wrong.
    doubt: SignedDuration,
    future: usize,
    example: Option<RemotePath>,
}

impl MinimumAge {
    /// No file has been looked at.
    pub(super) fn new(age: Duration, settings: &ConnectionSettings) -> Self {
        // A zone that was measured is an hour out for files on the other side of a change of clocks.
        let doubt = match settings.zone {
            ServerTimeZone::Auto => SignedDuration::from_hours(1),
            ServerTimeZone::Known(_) => SignedDuration::ZERO,
        };
        Self { age, doubt, future: 0, example: None }
    }

    /// What the listing tells of `entry` in `directory`.
    ///
    /// # Errors
    ///
    /// `protocol` when its name is none.
    pub(super) fn of_listed(
        &mut self,
        directory: &RemotePath,
        entry: &Entry,
        zone: &ServerTimeZone,
    ) -> Result<Age, Failure> {
        if !matches!(entry.kind, Kind::RegularFile | Kind::Untold) {
            return Ok(Age::Old);
        }
        let Some(modified) = entry.modified else { return Ok(Age::Open) };
        let latest = self.latest(Timestamp::now());
        let Some(end) = latest_instant(modified, zone) else {
            return Ok(old_in_any_zone(modified, latest));
        };
        let is_sure =
            modified.zone != Zone::Server || end.duration_since(latest).abs() > self.doubt;
        if is_sure { self.judge(end, || directory.entry(&entry.name)) } else { Ok(Age::Open) }
    }

    /// Whether `file` is old enough, by its time that MDTM tells; one that is gone is not: an upload
    /// that was renamed since the listing.
    ///
    /// # Errors
    ///
    /// `unsupported` when the server does not tell; what a command can fail with.
    pub(super) fn is_old(
        &mut self,
        session: &mut Session,
        file: &Selected,
    ) -> Result<bool, Failure> {
        let path = file.path()?;
        let told = session.modified(&path)?;
        match told.and_then(|modified| latest_instant(modified, session.zone())) {
            Some(end) => Ok(self.judge(end, || Ok::<_, Failure>(path))? == Age::Old),
            None if session.exists(&path)? => Err(untold(&path)),
            None => Ok(false),
        }
    }

    /// Warns of the files that lie in the future.
    pub(super) fn warn_of_future(&self) {
        if let Some(path) = &self.example {
            log::warn!(
                "{} files are dated in the future, such as {path}: minimumAge leaves them out \
                 until then; compare the clocks, and check serverTimeZone",
                self.future
            );
        }
    }

    fn latest(&self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.age).unwrap_or(Timestamp::MIN)
    }

    /// Judges a file that was modified no later than at `end`.
    fn judge<E: Into<Failure>>(
        &mut self,
        end: Timestamp,
        path: impl FnOnce() -> Result<RemotePath, E>,
    ) -> Result<Age, Failure> {
        let now = Timestamp::now();
        if end.duration_since(now) > FUTURE {
            self.future += 1;
            if self.example.is_none() {
                self.example = Some(path().map_err(Into::into)?);
            }
        }
        Ok(if end <= self.latest(now) { Age::Old } else { Age::Young })
    }
}

/// Whether a time on a clock of an unknown zone is old enough wherever that is. Whether it is too
/// young MDTM has to tell.
fn old_in_any_zone(modified: Modified, latest: Timestamp) -> Age {
    let by_utc = latest_instant(modified, &ServerTimeZone::fixed(jiff::tz::Offset::UTC));
    let end = by_utc.and_then(|end| end.checked_add(FARTHEST_ZONE).ok());
    if end.is_some_and(|end| end <= latest) { Age::Old } else { Age::Open }
}

/// The last instant at which the file can have been modified, as exactly as that was told.
fn latest_instant(modified: Modified, zone: &ServerTimeZone) -> Option<Timestamp> {
    modified.instant(zone)?.checked_add(modified.precision.span()).ok()
}

fn untold(path: &RemotePath) -> Failure {
    Failure::new(Cause::Unsupported, format!("the server does not tell how old {path} is"))
        .with_path(path)
        .with_hint("set serverTimeZone, so that the listing's times can be understood")
}
