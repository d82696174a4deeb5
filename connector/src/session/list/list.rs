//! Directory listings over a session.

use std::io::{self, Read};

use jiff::tz::TimeZone;

use super::end::{confirm, has_names, not_listed, stop};
use crate::config::ListingPreference;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Format, Item, Listing, ListingError, ListingSettings};
use crate::protocol::reply_text::Emptiness;
use crate::protocol::verb::{Command, Verb};
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
    /// Lists `directory`: MLSD (RFC 3659 §7) where the server has it and the settings allow, else
    /// LIST. Entries arrive before the server has confirmed that there are no more; a listing of
    /// which no more is wanted is stopped.
    ///
    /// # Errors
    ///
    /// `notFound`; `permission`, also where the server does not tell whether `directory` is empty or
    /// not_listed; `integrity` for a listing without one line that can be read and for one that was cut; `protocol` for one beyond its limits; those of `each`; what a command or a data
    /// connection can fail with.
    pub(in crate::session) fn list(
        &mut self,
        directory: &RemotePath,
        each: &mut FoundSink<'_>,
    ) -> Result<(), Failure> {
        let mut is_empty = true;
        let listed = self.list_given(directory, &mut |found| {
            is_empty = false;
            each(found)
        });
        match listed {
            // After an entry, it is the listing that failed.
            Err(e) if is_empty => self.list_refused(e, each),
            other => other,
        }
    }

    /// Ends a listing of the working directory that gave no entry and failed. A refusal whose words
    /// say that nothing is there is an empty listing. Where the words do not say why, the listing is
    /// asked for in another way: only one that is given, and whole, proves that nothing is there.
    ///
    /// # Errors
    ///
    /// As [`Session::list`].
    pub(in crate::session) fn list_refused(
        &mut self,
        refused: Failure,
        each: &mut FoundSink<'_>,
    ) -> Result<(), Failure> {
        match self.emptiness(&refused) {
            Some(Emptiness::Nothing) => return Ok(()),
            Some(Emptiness::Unclear) if self.is_usable() => {}
            _ => return Err(refused),
        }
        let was_mlsd = refused.is_refusal_of(Verb::Mlsd);
        let with_names = !was_mlsd || self.shared.settings.listing != ListingPreference::Auto;
        let settings = self.listing_settings();
        let answer = match self.begin_listing(if with_names { Verb::Nlst } else { Verb::List }) {
            Ok(download) if with_names => has_names(download),
            Ok(download) => read_all(listing(download, false, settings), each).map(|()| false),
            Err(e) => Err(e),
        };
        match answer {
            Ok(false) => Ok(()),
            Ok(true) => Err(empty_or_closed(&refused)),
            Err(e) if self.emptiness(&e) == Some(Emptiness::Nothing) => Ok(()),
            Err(e) if e.is_answer() && self.is_usable() => Err(empty_or_closed(&refused)),
            Err(e) => Err(e),
        }
    }

    /// What the refusal of the last listing says of the directory, which CWD has entered; none for
    /// any other error.
    fn emptiness(&self, error: &Failure) -> Option<Emptiness> {
        let is_listing = error.refused_verb().is_some_and(Verb::lists);
        self.refused_listing.filter(|_| is_listing)
    }

    /// As [`Session::list`], but a refused listing stays a refusal: for questions whose answer must
    /// not be "nothing is there" unless that is proven.
    ///
    /// # Errors
    ///
    /// As [`Session::list`]; `integrity` for any line that cannot be read.
    pub(crate) fn list_strict(
        &mut self,
        directory: &RemotePath,
        each: &mut EntrySink<'_>,
    ) -> Result<(), Failure> {
        self.list_given(directory, &mut |found| match found {
            Found::Entry(entry) => each(entry),
            Found::Unusable(e) => Err(e),
        })
    }

    /// As [`Session::list`], but a refused listing stays a refusal.
    fn list_given(
        &mut self,
        directory: &RemotePath,
        each: &mut FoundSink<'_>,
    ) -> Result<(), Failure> {
        // A bare command lists the working directory whatever its name looks like; a name given
        // to LIST may be taken for an option or a pattern.
        self.change_directory(directory)?;
        self.ask_for_types()?;
        let with_facts = self.lists_with_facts();
        let settings = self.listing_settings();
        let verb = if with_facts { Verb::Mlsd } else { Verb::List };
        let at_directory = |e: Failure| e.at(directory);
        let refused = match self.begin_listing(verb) {
            Ok(download) => {
                let listing = listing(download, with_facts, settings);
                let listing = listing.of_directory(directory.as_str());
                return read_all(listing, each).map_err(at_directory);
            }
            Err(e) => e,
        };
        let may_list = self.shared.settings.listing == ListingPreference::Auto;
        if with_facts && may_list && refused.is_unknown_command() {
            log::info!("the server announces MLSD and does not have it: {refused}");
            self.features.mlst = false;
            return self.list_given(directory, each);
        }
        if !with_facts && self.features.lacks_types && refused.is_unknown_command() {
            log::info!("the server has MLSD alone, which tells no types: each entry is tried");
            self.features.lacks_types = false;
            self.features.mlst = true;
            return self.list_given(directory, each);
        }
        Err(at_directory(refused))
    }

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

    /// Turns the type of entries on in MLSD, where the server announces that it is off; where it
    /// stays off, LIST tells it.
    fn ask_for_types(&mut self) -> Result<(), Failure> {
        if !self.features.type_is_off || !self.lists_with_facts() {
            return Ok(());
        }
        self.features.type_is_off = false;
        let facts = "MLST type;size;modify;perm;unique;UNIX.mode;";
        let reply = self.command(Command::new(Verb::Opts, facts))?;
        // The reply names the facts that are on (RFC 3659 §7.9).
        if !(reply.is_done() && reply.text().to_ascii_lowercase().contains("type;")) {
            self.ignore_refusal(&reply, Verb::Opts, &RemotePath::root())?;
            self.features.mlst = false;
            self.features.lacks_types = true;
        }
        Ok(())
    }

    /// Whether directories are listed by MLSD.
    pub(in crate::session) fn lists_with_facts(&self) -> bool {
        match self.shared.settings.listing {
            ListingPreference::Auto => self.features.mlst,
            ListingPreference::Mlsd => true,
            ListingPreference::List => false,
        }
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

/// The error of a directory that may be empty or not_listed to the user.
fn empty_or_closed(refused: &Failure) -> Failure {
    let message = format!("{refused}; the server does not tell whether the directory is empty");
    let error = Failure::new(Cause::Denied, message).with_transient(refused.is_transient());
    error.with_refusal_of(refused)
}

/// The listing that arrives by `download`, in the format of MLSD or in any of LIST.
fn listing(
    download: Download<'_>,
    with_facts: bool,
    settings: ListingSettings,
) -> Listing<Source<'_>> {
    let source = Source { download };
    if with_facts { Listing::mlsd(source, settings) } else { Listing::list(source, settings) }
}

/// Reads a listing to its end, or until no more is wanted.
fn read_all(listing: Listing<Source<'_>>, each: &mut FoundSink<'_>) -> Result<(), Failure> {
    read_on(listing, each).map(drop)
}

/// As [`read_all`]; with the format that its lines have shown.
pub(in crate::session) fn read_on(
    mut listing: Listing<Source<'_>>,
    each: &mut FoundSink<'_>,
) -> Result<Option<Format>, Failure> {
    let mut is_empty = true;
    while let Some(item) = listing.next_item().map_err(listing_error)? {
        is_empty = false;
        let found = match item {
            Item::Entry(entry) => Found::Entry(entry),
            Item::Unusable(e) => Found::Unusable(listing_error(e)),
        };
        if !each(found)? {
            let format = listing.format();
            return stop(listing.into_inner().download).map(|()| format);
        }
    }
    let format = listing.format();
    match confirm(listing.into_inner().download)? {
        None => {}
        Some(shortfall) if is_empty => return Err(not_listed(&shortfall)),
        Some(shortfall) => {
            let message = format!("the listing is not whole: {shortfall}");
            let error = Failure::new(Cause::Unproven, message).with_transient(false);
            each(Found::Unusable(error))?;
        }
    }
    Ok(format)
}

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
