//! Directory listings: lines in, entries out, one at a time.
//!
//! MLSD is a standard (RFC 3659). LIST is not: every server prints what its system's own command
//! would. The first line that parses decides the format, which is safe because no known line fits
//! two of them; what a single line leaves open, the first chunk of lines tells. From then on a line
//! that does not parse is an error of its own, beside the entries: an entry that goes missing
//! without a word is worse than a listing that fails.

mod date;
mod decoration;
pub(crate) mod entry;
pub(crate) mod error;
mod format;
pub(crate) mod formats;
pub(crate) mod lines;
mod name;
mod parser;
mod perm;
mod scan;

#[cfg(test)]
mod score;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io::Read;

use jiff::civil::DateTime;

pub(crate) use entry::{Entry, Kind, RawEntry};
pub(crate) use error::ListingError;
pub(crate) use format::Format;
pub(crate) use perm::Perm;

use crate::file::name::NameEncoding;
use crate::file::normalization::Normalization;
use date::ls::Clock;
use host_sdk::kit::text::printable;
use lines::Lines;
use parser::{Parsed, Parser};

/// What a listing is read with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ListingSettings {
    /// How names are written (`fileNameEncoding`).
    pub(crate) encoding: NameEncoding,
    /// How names are compared (`fileNameNormalization`).
    pub(crate) normalization: Normalization,
    /// The longest line in bytes (`maximumLineLength`).
    pub(crate) maximum_line_length: usize,
    /// The most entries (`maximumListingEntries`).
    pub(crate) maximum_entries: u64,
    /// The time now, in the server's zone where it is known; it completes dates without a year.
    pub(crate) now: DateTime,
}

/// Reads the entries of one listing from a data connection.
pub(crate) struct Listing<R> {
    lines: Lines<R>,
    parser: Parser,
    settings: ListingSettings,
    /// The path of the listed directory, which some servers print in front of names.
    directory: Option<String>,
    entries: u64,
    last_line: u64,
    begun: bool,
    /// The last name of a listing of OpenVMS, whose older versions follow the newest one.
    newest: Option<String>,
    /// What was read and not handed out yet.
    ready: VecDeque<Item>,
    /// An entry whose line ends without CR: its name may go on in the next line.
    suspect: Option<Entry>,
    /// How many lines are no entries.
    unusable: u64,
}

/// How many lines may be no entries before the first one that is.
const HELD: u64 = 20;

/// What a line of a listing comes to.
#[derive(Debug)]
pub(crate) enum Item {
    /// An entry.
    Entry(Entry),
    /// A line, or an entry, that cannot be used.
    Unusable(ListingError),
}

impl<R: Read> Listing<R> {
    /// Reads the answer to MLSD.
    pub(crate) fn mlsd(read: R, settings: ListingSettings) -> Self {
        Self::new(read, Some(Format::Mlsd), settings)
    }

    /// Reads the answer to LIST, whose format shows itself.
    pub(crate) fn list(read: R, settings: ListingSettings) -> Self {
        Self::new(read, None, settings)
    }

    fn new(read: R, format: Option<Format>, settings: ListingSettings) -> Self {
        let lines = Lines::new(read, settings.maximum_line_length);
        let parser = Parser::new(format, Clock::new(settings.now));
        Self {
            lines,
            parser,
            settings,
            directory: None,
            entries: 0,
            last_line: 0,
            begun: false,
            newest: None,
            ready: VecDeque::new(),
            suspect: None,
            unusable: 0,
        }
    }

    /// The same listing, of the directory at `path`: names that begin with it are told without.
    pub(crate) fn of_directory(self, path: &str) -> Self {
        Self { directory: Some(path.to_owned()), ..self }
    }

    /// The next entry; none at the end. The directory itself and its parent are left out.
    ///
    /// After an error the listing is not to be read on.
    ///
    /// # Errors
    /// A line that is no entry, a limit exceeded, a last line without its end, or a read error.
    pub(crate) fn next_entry(&mut self) -> Result<Option<Entry>, ListingError> {
        match self.next_item()? {
            Some(Item::Entry(entry)) => Ok(Some(entry)),
            Some(Item::Unusable(e)) => Err(e),
            None => Ok(None),
        }
    }

    /// The next entry, or a line that is none; none at the end. The directory itself and its parent
    /// are left out.
    ///
    /// After an error the listing is not to be read on.
    ///
    /// # Errors
    /// Lines without one entry among them, a limit exceeded, a last line without its end, or a read
    /// error.
    pub(crate) fn next_item(&mut self) -> Result<Option<Item>, ListingError> {
        if !self.begun {
            self.begun = true;
            if self.parser.format().is_none() {
                self.parser.look_at(self.lines.ahead()?);
            }
        }
        loop {
            // Until an entry shows that it is a listing, what is unusable may be all there is.
            if self.entries > 0
                && let Some(item) = self.ready.pop_front()
            {
                return Ok(Some(item));
            }
            if !self.read_line()? {
                break;
            }
        }
        if let Some(line) = self.parser.unfinished() {
            let format = self.parser.format();
            let error = ListingError::unrecognised(self.last_line, line, format);
            self.ready.push_back(Item::Unusable(error));
        }
        self.ready.extend(self.suspect.take().map(Item::Entry));
        if self.entries == 0 { self.no_entry() } else { Ok(self.ready.pop_front()) }
    }

    /// What a listing comes to that has no entry: nothing, or the error of its first line.
    fn no_entry(&mut self) -> Result<Option<Item>, ListingError> {
        match self.ready.pop_front() {
            Some(Item::Unusable(e)) => Err(e.of_all()),
            item => Ok(item),
        }
    }

    /// Reads one line; whether there was one.
    fn read_line(&mut self) -> Result<bool, ListingError> {
        let Some(line) = self.lines.next_line()? else { return Ok(false) };
        let (number, format) = (line.number, self.parser.format());
        self.last_line = number;
        if !line.complete {
            return Err(ListingError::Unterminated { number });
        }
        match self.parser.line(line.bytes) {
            Parsed::Nothing => {}
            Parsed::Unrecognised => {
                // A name with a line feed in it: its entry is cut, and the rest is no entry.
                let error = match self.suspect.take() {
                    Some(Entry { name, .. }) if line.has_return => {
                        ListingError::LineFeed { number, name: printable(&name) }
                    }
                    entry => {
                        self.ready.extend(entry.map(Item::Entry));
                        ListingError::unrecognised(number, line.bytes, format)
                    }
                };
                self.unusable += 1;
                self.ready.push_back(Item::Unusable(error));
                if self.entries == 0 && self.unusable > HELD {
                    return self.no_entry().map(|_| false);
                }
                if self.unusable > self.settings.maximum_entries {
                    let limit = self.settings.maximum_entries;
                    return Err(ListingError::TooManyEntries { limit });
                }
            }
            Parsed::Entry(entry) => {
                let limit = self.settings.maximum_entries;
                if self.entries >= limit {
                    return Err(ListingError::TooManyEntries { limit });
                }
                self.entries += 1;
                let mut entry = entry.decode(self.settings.encoding);
                let format = self.parser.format();
                name::strip(&mut entry, self.directory.as_deref(), format);
                match format {
                    Some(Format::Cms) => entry.name = formats::cms::dotted(&entry.name),
                    Some(Format::Vms) if self.newest.as_ref() == Some(&entry.name) => {
                        return Ok(true);
                    }
                    Some(Format::Vms) => self.newest = Some(entry.name.clone()),
                    _ => {}
                }
                let compared = self.settings.normalization.of(&entry.name);
                entry.normalized = compared.map(String::into_boxed_str);
                self.ready.extend(self.suspect.take().map(Item::Entry));
                if line.has_return {
                    self.ready.push_back(Item::Entry(entry));
                } else {
                    self.suspect = Some(entry);
                }
            }
        }
        Ok(true)
    }

    /// The format, once a line has shown it.
    pub(crate) fn format(&self) -> Option<Format> {
        self.parser.format()
    }

    /// Gives the data connection back, to finish the transfer.
    pub(crate) fn into_inner(self) -> R {
        self.lines.into_inner()
    }
}
