//! Directory listings over a session.

use super::end::{confirm, has_names, not_listed, stop};
use super::found::{EntrySink, Found, FoundSink, Source, listing_error};
use crate::config::ListingPreference;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::listing::{Format, Item, Listing, ListingSettings};
use crate::protocol::reply_text::Emptiness;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use crate::session::transfer::download::Download;

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
        let at_directory = |e: Failure| e.at(directory);
        match self.shared.settings.listing {
            ListingPreference::Nlst => {
                return self.list_by_name(directory, each).map_err(at_directory);
            }
            ListingPreference::Stat => return self.list_by_status(each).map_err(at_directory),
            ListingPreference::Auto | ListingPreference::Mlsd | ListingPreference::List => {}
        }
        self.ask_for_types()?;
        let with_facts = self.lists_with_facts();
        let with_option = !with_facts && self.lists_with_option();
        let settings = self.listing_settings();
        let mut is_empty = true;
        let begun = match self.begin_listing(self.listing_command(with_facts)) {
            Ok(download) => {
                let listing = listing(download, with_facts, settings);
                let listing = listing.of_directory(directory.as_str());
                let mut counted = |found| {
                    is_empty = false;
                    each(found)
                };
                let read = read_all(listing, &mut counted);
                read.map_err(at_directory).map(|()| None)?
            }
            Err(e) => Some(e),
        };
        if with_option
            && is_empty
            && begun.as_ref().is_none_or(|e| e.is_answer() && self.is_usable())
        {
            // A directory has at least itself to show; the option was taken for a name.
            log::info!("the server lists nothing with LIST -a: hidden files stay hidden");
            self.shared.server.conventions.list_takes_no_option.note();
            return self.list_given(directory, each);
        }
        let Some(refused) = begun else { return Ok(()) };
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

    /// The command that lists the working directory: MLSD where `with_facts`, else LIST.
    pub(in crate::session) fn listing_command(&self, with_facts: bool) -> Command {
        match with_facts {
            true => Verb::Mlsd.into(),
            false if self.lists_with_option() => Command::new(Verb::List, "-a"),
            false => Verb::List.into(),
        }
    }

    /// Whether LIST is given the option that shows hidden files.
    fn lists_with_option(&self) -> bool {
        let conventions = &self.shared.server.conventions;
        self.shared.settings.hidden_files && !conventions.list_takes_no_option.is_known()
    }

    /// Whether directories are listed by MLSD.
    pub(in crate::session) fn lists_with_facts(&self) -> bool {
        match self.shared.settings.listing {
            ListingPreference::Auto => self.features.mlst && !self.shared.settings.hidden_files,
            ListingPreference::Mlsd => true,
            ListingPreference::List | ListingPreference::Nlst | ListingPreference::Stat => false,
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
