//! Directory listings over a session.

use std::io::{self, Read};

use host_sdk::{Error, ErrorKind};
use jiff::tz::TimeZone;

use super::listing::{Entry, Listing, ListingError, ListingSettings};
use super::reply::Reply;
use super::{Download, Session, io_error};
use crate::config::ListingPreference;
use crate::remote_path::RemotePath;
use crate::timestamp::ServerTimeZone;

/// Called for each entry as it arrives; answers whether more are wanted. An error ends the
/// listing.
pub(crate) type EntrySink<'a> = dyn FnMut(Entry) -> Result<bool, Error> + 'a;

/// How much of a listing whose rest nobody wants is read all the same: servers complain about a
/// listing that is cut, and a short one is over sooner than that.
const REST: usize = 64 * 1024;

impl Session {
    /// Lists `directory`: MLSD (RFC 3659 §7) where the server has it and the settings allow, else
    /// LIST. Entries arrive before the server has confirmed that there are no more; a listing of
    /// which no more is wanted is stopped.
    ///
    /// # Errors
    ///
    /// `notFound`, `permission`; `integrity` for a listing that cannot be read and for one that was
    /// cut; `protocol` for one beyond its limits; those of `each`; what a command or a data
    /// connection can fail with.
    pub(super) fn list(
        &mut self,
        directory: &RemotePath,
        each: &mut EntrySink<'_>,
    ) -> Result<(), Error> {
        let mut is_empty = true;
        let listed = self.list_proven(directory, &mut |entry| {
            is_empty = false;
            each(entry)
        });
        match listed {
            // After an entry, it is the listing that failed.
            Err(e) if is_empty && means_empty(&e) => Ok(()),
            other => other,
        }
    }

    /// As [`Session::list`], but a refused LIST stays a refusal: for questions whose answer must
    /// not be "nothing is there" unless that is proven.
    pub(crate) fn list_proven(
        &mut self,
        directory: &RemotePath,
        each: &mut EntrySink<'_>,
    ) -> Result<(), Error> {
        // A bare command lists the working directory whatever its name looks like; a name given
        // to LIST may be taken for an option or a pattern.
        self.change_directory(directory)?;
        let with_facts = self.lists_with_facts();
        let settings = self.listing_settings();
        let verb = if with_facts { "MLSD" } else { "LIST" };
        let at_directory = |e: Error| {
            if e.report().path.is_some() { e } else { e.with_path(directory.to_string()) }
        };
        let refused = match self.begin_listing(verb) {
            Ok(download) => {
                return read_all(download, with_facts, settings, each).map_err(at_directory);
            }
            Err(e) => e,
        };
        let may_list = self.shared.settings.listing == ListingPreference::Auto;
        if with_facts && may_list && is_unknown_command(&refused) {
            log::info!("the server announces MLSD and does not have it: {refused}");
            self.features.mlst = false;
            return self.list_proven(directory, each);
        }
        Err(at_directory(refused))
    }

    /// Begins a listing with `command`, in a new session where the last one was cut.
    ///
    /// # Errors
    ///
    /// As [`Session::download`]; what logging in can fail with.
    pub(super) fn begin_listing(&mut self, command: &str) -> Result<Download<'_>, Error> {
        let limit = self.transfer_limit();
        if self.has_cut_listing {
            self.renew(limit)?;
        }
        self.download(command, 0, limit)
    }

    /// Whether directories are listed by MLSD.
    pub(super) fn lists_with_facts(&self) -> bool {
        match self.shared.settings.listing {
            ListingPreference::Auto => self.features.mlst,
            ListingPreference::Mlsd => true,
            ListingPreference::List => false,
        }
    }

    pub(super) fn listing_settings(&self) -> ListingSettings {
        let settings = &self.shared.settings;
        let zone = match self.zone() {
            ServerTimeZone::Known(zone) => zone.clone(),
            ServerTimeZone::Auto => TimeZone::UTC,
        };
        ListingSettings {
            encoding: settings.encoding,
            maximum_line_length: settings.maximum_line,
            maximum_entries: settings.maximum_entries as u64,
            now: jiff::Timestamp::now().to_zoned(zone).datetime(),
        }
    }
}

/// Whether the server refused a command that it does not have.
fn is_unknown_command(error: &Error) -> bool {
    error.kind() == ErrorKind::Unsupported && error.report().reply.is_some()
}

/// Some servers answer the listing of an empty directory, which CWD has just entered, with 450 or
/// 550. The same answer to anything before the listing means something else.
pub(super) fn means_empty(error: &Error) -> bool {
    let report = error.report();
    matches!(report.command.as_deref(), Some("LIST" | "MLSD"))
        && report.reply.as_ref().is_some_and(|it| Reply::may_mean_empty(it.code, &it.text))
}

fn read_all(
    download: Download<'_>,
    with_facts: bool,
    settings: ListingSettings,
    each: &mut EntrySink<'_>,
) -> Result<(), Error> {
    let source = Source { download };
    let mut listing =
        if with_facts { Listing::mlsd(source, settings) } else { Listing::list(source, settings) };
    while let Some(entry) = listing.next_entry().map_err(listing_error)? {
        if !each(entry)? {
            return stop(listing.into_inner().download);
        }
    }
    listing.into_inner().download.finish()?;
    Ok(())
}

/// Ends a listing whose rest nobody wants: whatever becomes of that, what is wanted has arrived.
fn stop(mut download: Download<'_>) -> Result<(), Error> {
    let mut buffer = [0; 8192];
    let mut rest = 0;
    while rest < REST {
        match download.read(&mut buffer) {
            Ok(0) => return unwanted(download.finish().map(drop)),
            Ok(count) => rest += count,
            failed => return unwanted(failed.map(drop)),
        }
    }
    download.stop()
}

/// Only a cancellation counts; a session that failed is poisoned by now.
fn unwanted(rest: Result<(), Error>) -> Result<(), Error> {
    match rest {
        Err(e) if e.kind() != ErrorKind::Cancelled => {
            log::debug!("the rest of a listing that is not wanted: {e}");
            Ok(())
        }
        other => other,
    }
}

pub(super) fn listing_error(error: ListingError) -> Error {
    match error {
        ListingError::Read(e) => io_error("the listing", &e),
        other => other.into(),
    }
}

/// A download as the parser reads it.
pub(super) struct Source<'s> {
    pub(super) download: Download<'s>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.download.read(buffer).map_err(io::Error::other)
    }
}
