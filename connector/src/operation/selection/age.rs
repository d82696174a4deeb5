//! Which files have the age that is asked for: somebody may still be writing the young ones.

use jiff::{SignedDuration, Timestamp};

use super::selected::Selected;
use crate::config::{AgeLimits, ConnectionSettings};
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{FARTHEST_ZONE, Modified, Zone};
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Kind};
use crate::session::Session;

/// How far clocks may differ, and how long a minute is that a listing tells: a file that is dated
/// later than that lies in the future.
const FUTURE: SignedDuration = SignedDuration::from_mins(2);

/// What a listing tells of a file's age.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Age {
    /// Within the limits.
    Meant,
    /// Too young or too old.
    NotMeant,
    /// MDTM has to tell.
    Open,
}

/// The limits of files' ages, and how many of them lie in the future.
pub(super) struct AgeCheck {
    limits: AgeLimits,
    /// How far the listed times may be wrong.
    doubt: SignedDuration,
    future: usize,
    example: Option<RemotePath>,
}

impl AgeCheck {
    /// No file has been looked at.
    pub(super) fn new(limits: AgeLimits, settings: &ConnectionSettings) -> Self {
        // A zone that was measured is an hour out for files on the other side of a change of clocks.
        let doubt = match settings.zone {
            ServerTimeZone::Auto => SignedDuration::from_hours(1),
            ServerTimeZone::Known(_) => SignedDuration::ZERO,
        };
        Self { limits, doubt, future: 0, example: None }
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
            return Ok(Age::Meant);
        }
        let Some(modified) = entry.modified else { return Ok(Age::Open) };
        let window = self.window(Timestamp::now());
        let Some(end) = latest_instant(modified, zone) else {
            return Ok(window.of_any_zone(modified));
        };
        let is_sure = modified.zone != Zone::Server || !window.has_edge_near(end, self.doubt);
        if is_sure { self.judge(end, || directory.entry(&entry.name)) } else { Ok(Age::Open) }
    }

    /// Whether `file` has the right age, by its time that MDTM tells; one that is gone is not: an upload
    /// that was renamed since the listing.
    ///
    /// # Errors
    ///
    /// `unsupported` when the server does not tell; what a command can fail with.
    pub(super) fn is_meant(
        &mut self,
        session: &mut Session,
        file: &Selected,
    ) -> Result<bool, Failure> {
        let path = file.path()?;
        let told = session.modified(&path)?;
        match told.and_then(|modified| latest_instant(modified, session.zone())) {
            Some(end) => Ok(self.judge(end, || Ok::<_, Failure>(path))? == Age::Meant),
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

    fn window(&self, now: Timestamp) -> Window {
        let before = |age| now.checked_sub(age).unwrap_or(Timestamp::MIN);
        Window {
            latest: self.limits.minimum.map(before),
            earliest: self.limits.maximum.map(before),
        }
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
        Ok(if self.window(now).contains(end) { Age::Meant } else { Age::NotMeant })
    }
}

/// When a file of the right age was modified.
struct Window {
    earliest: Option<Timestamp>,
    latest: Option<Timestamp>,
}

impl Window {
    fn contains(&self, at: Timestamp) -> bool {
        self.latest.is_none_or(|latest| at <= latest)
            && self.earliest.is_none_or(|earliest| at >= earliest)
    }

    /// Whether a time that is wrong by `doubt` could lie on the other side of an edge.
    fn has_edge_near(&self, at: Timestamp, doubt: SignedDuration) -> bool {
        let edges = self.latest.iter().chain(&self.earliest);
        edges.into_iter().any(|edge| at.duration_since(*edge).abs() <= doubt)
    }

    /// Whether a time on a clock of an unknown zone lies within, wherever that is. Whether it lies
    /// outside MDTM has to tell.
    fn of_any_zone(&self, modified: Modified) -> Age {
        let by_utc = latest_instant(modified, &ServerTimeZone::fixed(jiff::tz::Offset::UTC));
        let is_within = by_utc.is_some_and(|at| {
            let ends = [at.checked_add(FARTHEST_ZONE), at.checked_sub(FARTHEST_ZONE)];
            ends.into_iter().all(|end| end.is_ok_and(|end| self.contains(end)))
        });
        if is_within { Age::Meant } else { Age::Open }
    }
}

/// The last instant at which the file can have been modified, as exactly as that was told.
fn latest_instant(modified: Modified, zone: &ServerTimeZone) -> Option<Timestamp> {
    modified.instant(zone)?.checked_add(modified.precision.span()).ok()
}

pub(super) fn untold(path: &RemotePath) -> Failure {
    Failure::new(Cause::Unsupported, format!("the server does not tell how old {path} is"))
        .with_path(path)
        .with_hint("set serverTimeZone, so that the listing's times can be understood")
}
