//! What a listing comes to, and how one is begun.

use std::io::{self, Read};

use jiff::tz::TimeZone;

use crate::failure::Failure;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, ListingError, ListingSettings};
use crate::protocol::verb::Command;
use crate::session::session::Session;
use crate::session::transfer::download::Download;
use crate::transport::error::io_error;

/// Called for each entry as it arrives; answers whether more are wanted. An error ends the
/// listing.
pub(crate) type EntrySink<'a> = dyn FnMut(Entry) -> Result<bool, Failure> + 'a;

/// What a listing comes to, one at a time.
#[derive(Debug)]
pub(crate) enum Found {
    /// An entry.
    Entry(Entry),
    /// Something that is there and cannot be used: a line that is no entry, or entries that the
    /// server says it left out.
    Unusable(Failure),
}

/// As [`EntrySink`], for what cannot be used as well.
pub(in crate::session) type FoundSink<'a> = dyn FnMut(Found) -> Result<bool, Failure> + 'a;

impl Session {
    /// Begins a listing with `command`, in a new session where the last one was cut.
    ///
    /// # Errors
    ///
    /// As [`Session::download`]; what logging in can fail with.
    pub(in crate::session) fn begin_listing(
        &mut self,
        command: impl Into<Command>,
    ) -> Result<Download<'_>, Failure> {
        let limit = self.transfer_limit();
        if self.has_cut_listing {
            self.renew(limit)?;
        }
        self.download(command.into(), 0, limit)
    }

    pub(in crate::session) fn listing_settings(&self) -> ListingSettings {
        let settings = &self.shared.settings;
        let zone = match self.zone() {
            ServerTimeZone::Known(zone) => zone.clone(),
            ServerTimeZone::Auto => TimeZone::UTC,
        };
        ListingSettings {
            encoding: settings.encoding,
            normalization: settings.normalization,
            maximum_line_length: settings.maximum_line,
            maximum_entries: settings.maximum_entries as u64,
            now: jiff::Timestamp::now().to_zoned(zone).datetime(),
        }
    }
}

/// What an error of the parser is.
pub(in crate::session) fn listing_error(error: ListingError) -> Failure {
    match error {
        ListingError::Read(e) => io_error("the listing", &e),
        other => host_sdk::Error::from(other).into(),
    }
}

/// A download as the parser reads it.
pub(in crate::session) struct Source<'s> {
    pub(in crate::session) download: Download<'s>,
}

impl Read for Source<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.download.read(buffer).map_err(io::Error::other)
    }
}
