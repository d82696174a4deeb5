//! The zone of the server's clock: LIST prints times in one that it does not name, MDTM and MLSD
//! state them in UTC (RFC 3659 §2.3). One file that is told of in both ways shows the difference.

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::file::is_plain;
use super::found::Found;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::file::time::zone::{Measured, ServerTimeZone};
use crate::listing::{Entry, Kind};
use crate::session::server::ServerBehaviour;
use crate::session::session::Session;

/// How many entries of a listing wait until the zone is known.
const BUFFERED_ENTRIES: usize = 1000;

/// How many files are remembered to measure with.
const SAMPLES: usize = 3;

/// How old a file may be whose time of day LIST shows: about half a year.
const RECENT: SignedDuration = SignedDuration::from_hours(170 * 24);

/// What a listing comes to as it arrives, with the zone of the server's clock as far as it is known; answers
/// whether more are wanted.
pub(crate) type TimedSink<'a> = dyn FnMut(Found, &ServerTimeZone) -> Result<bool, Failure> + 'a;

/// The newest files of a listing that have a plain name and, in LIST, a time of day; the newest
/// one first.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Entry>);

impl Samples {
    /// Keeps `entry` if it is one of them.
    pub(in crate::session) fn add_candidate(&mut self, entry: &Entry) {
        if entry.kind != Kind::RegularFile
            || !entry.modified.is_some_and(|modified| shows_time_of_day(&modified))
            || !is_plain(&entry.name)
        {
            return;
        }
        let age = |entry: &Entry| std::cmp::Reverse(entry.modified.map(|at| at.at));
        let place = self.0.partition_point(|known| age(known) <= age(entry));
        if place < SAMPLES {
            self.0.insert(place, entry.clone());
            self.0.truncate(SAMPLES);
        }
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the server told their times in UTC.
    pub(crate) fn are_utc(&self) -> bool {
        self.0.iter().filter_map(|file| file.modified).all(|modified| modified.zone == Zone::Utc)
    }
}

impl Session {
    /// Lists `directory` with the zone of the server's clock. The first listing of a connection
    /// measures it: its first entries wait for that, and a long listing is begun anew after it.
    ///
    /// # Errors
    ///
    /// As [`Session::list`].
    pub(crate) fn list_in_zone(
        &mut self,
        directory: &RemotePath,
        each: &mut TimedSink<'_>,
    ) -> Result<(), Failure> {
        if !self.can_measure() {
            let zone = self.zone().clone();
            return self.list(directory, &mut |found| each(found, &zone));
        }
        let mut samples = Samples::default();
        let mut held = Some(Vec::new());
        let mut is_long = false;
        self.list(directory, &mut |found| {
            let Some(entries) = &mut held else { return each(found, &ServerTimeZone::Auto) };
            if let Found::Entry(entry) = &found {
                samples.add_candidate(entry);
            }
            entries.push(found);
            is_long = entries.len() >= BUFFERED_ENTRIES;
            if !is_long {
                return Ok(true);
            }
            if !samples.is_empty() {
                return Ok(false);
            }
            // Nothing to measure with: the listing goes on as it is.
            is_long = false;
            emit_all(held.take().unwrap_or_default(), &ServerTimeZone::Auto, each)
        })?;
        let Some(entries) = held else { return Ok(()) };
        self.renew_if_lost()?;
        if !samples.is_empty() {
            self.learn_zone(directory, &samples)?;
        }
        let zone = self.zone().clone();
        if is_long {
            return self.list(directory, &mut |found| each(found, &zone));
        }
        emit_all(entries, &zone, each).map(drop)
    }

    /// When a file was last modified, as [`Session::modified`] tells; the clock is measured with
    /// it, if it has not been.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn modified_and_zone(
        &mut self,
        path: &RemotePath,
    ) -> Result<Option<Modified>, Failure> {
        let modified = self.modified(path)?;
        if !self.can_measure() && !self.may_be_local_mdtm() {
            return Ok(modified.map(|modified| self.in_server_zone(modified)));
        }
        let mut samples = Samples::default();
        samples.add_candidate(&Entry {
            modified,
            ..Entry::new(path.file_name().to_owned(), Kind::RegularFile)
        });
        if !samples.is_empty() {
            self.learn_zone(&path.parent(), &samples)?;
        }
        Ok(modified.map(|modified| self.in_server_zone(modified)))
    }

    /// The zone of the server's clock; measured, if it has not been, with the files in the
    /// directory of `path`, where there is such a directory.
    ///
    /// # Errors
    ///
    /// What a command can fail with, where the session is lost.
    pub(crate) fn measure_zone_near(
        &mut self,
        path: &RemotePath,
    ) -> Result<ServerTimeZone, Failure> {
        if self.features.mfmt && self.can_measure() {
            match self.list_in_zone(&path.parent(), &mut |_, _| Ok(false)) {
                Err(e) if !self.is_usable() => return Err(e),
                // A directory that is missing is made later; one that is hidden stays that.
                Err(e) => log::debug!("no files to measure the server's time zone with: {e}"),
                Ok(()) => {}
            }
        }
        Ok(self.zone().clone())
    }

    /// Whether the zone is neither configured nor measured, and there is a way to measure it.
    fn can_measure(&self) -> bool {
        let is_open =
            *self.zone() == ServerTimeZone::Auto && self.shared.server.zone.get().is_none();
        is_open && (self.features.mlst || self.features.mdtm)
    }

    /// Whether MDTM may be about the same clock as LIST: vsftpd with `use_localtime` has no time in
    /// UTC at all. Servers with MLSD keep to its standard.
    fn may_be_local_mdtm(&self) -> bool {
        let configured = self.shared.settings.zone != ServerTimeZone::Auto;
        configured && !self.features.mlst && self.shared.server.zone.get().is_none()
    }

    /// What MDTM told, in the zone in which it was told.
    fn in_server_zone(&self, modified: Modified) -> Modified {
        let measured = self.shared.server.zone.get();
        let is_same_clock = *self.zone() != ServerTimeZone::Auto
            && measured.is_some_and(|zone| *zone == ServerTimeZone::fixed(Offset::UTC));
        if is_same_clock { Modified { zone: Zone::Server, ..modified } } else { modified }
    }

    /// Measures the zone, once in a connection's life: what fails now would fail again.
    fn learn_zone(&mut self, directory: &RemotePath, samples: &Samples) -> Result<(), Failure> {
        let measured = self.measure(directory, samples);
        let zone = match &measured {
            Ok(Some(measured)) => ServerTimeZone::fixed(measured.offset),
            _ => ServerTimeZone::Auto,
        };
        self.shared.server.learn_zone(zone);
        match measured {
            Err(e) if e.is(Cause::Cancelled) => Err(e),
            Err(e) => {
                log::debug!("measuring the server's time zone failed: {e}");
                self.renew_if_lost()
            }
            Ok(_) => Ok(()),
        }
    }

    /// How far the clock that LIST goes by is ahead of UTC; none where nothing tells.
    ///
    /// # Errors
    ///
    /// What a command can fail with, where the session is lost.
    pub(crate) fn measure(
        &mut self,
        directory: &RemotePath,
        samples: &Samples,
    ) -> Result<Option<Measured>, Failure> {
        for file in &samples.0 {
            let Some(told) = file.modified else { continue };
            let other = if told.zone == Zone::Utc {
                match self.list_file(directory, &file.name) {
                    Err(e) if e.ends_session() => return Err(e),
                    // Servers need not list single files, and nothing depends on it. A transfer
                    // that broke off has cost the session.
                    Err(_) => {
                        self.renew_if_lost()?;
                        return Ok(None);
                    }
                    Ok(entry) => entry.and_then(|entry| entry.modified),
                }
            } else {
                self.modified(&directory.entry(&file.name)?)?
            };
            let Some(other) = other else { continue };
            let (local, utc) = if told.zone == Zone::Utc { (other, told) } else { (told, other) };
            if let Some(offset) = local.ahead_of(&utc) {
                return Ok(Some(Measured { offset, utc: utc.at }));
            }
        }
        Ok(None)
    }
}

impl ServerBehaviour {
    fn learn_zone(&self, zone: ServerTimeZone) {
        match &zone {
            ServerTimeZone::Auto => log::debug!("the server's time zone cannot be measured"),
            ServerTimeZone::Known(known) => log::debug!("the server's listings are in {known:?}"),
        }
        // Another session may have been faster, with the same result.
        let _ = self.zone.set(zone);
    }
}

/// Hands held entries over; whether more are wanted.
fn emit_all(
    entries: Vec<Found>,
    zone: &ServerTimeZone,
    each: &mut TimedSink<'_>,
) -> Result<bool, Failure> {
    for entry in entries {
        if !each(entry, zone)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether LIST shows the time of day of a file: for one that is old, or ahead of its time, it
/// shows the year instead.
fn shows_time_of_day(modified: &Modified) -> bool {
    if modified.zone != Zone::Utc {
        return modified.precision >= Precision::Minute;
    }
    let now = TimeZone::UTC.to_datetime(Timestamp::now());
    let age = now.duration_since(modified.at);
    // What is said to be UTC may be a clock in the far east.
    (-SignedDuration::from_hours(15)..RECENT).contains(&age)
}
