//! The lines of one listing, whose format its first entry or heading shows.

use super::date::ls::Clock;
use super::date::parts::Orders;
use super::decoration::is_decoration;
use super::entry::RawEntry;
use super::format::{DETECTED, Format};
use super::formats::mvs::{self, Heading};
use super::formats::{cms, dls, tandem, unisys, unix, vms};
use super::scan::is_blank;

/// What a line turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parsed<'l> {
    /// An entry of the directory.
    Entry(RawEntry<'l>),
    /// Decoration, the directory itself, its parent, or the first half of an entry.
    Nothing,
    /// Neither.
    Unrecognised,
}

/// Reads the lines of one listing.
pub(super) struct Parser {
    format: Option<Format>,
    clock: Clock,
    /// The first line of an entry that takes two; while the entry is read, both lines.
    unfinished: Vec<u8>,
    waiting: bool,
}

impl Parser {
    /// Reads lines of `format`, or of the one that they show.
    pub(super) fn new(format: Option<Format>, clock: Clock) -> Self {
        Self { format, clock, unfinished: Vec::new(), waiting: false }
    }

    /// The format, once it is known.
    pub(super) fn format(&self) -> Option<Format> {
        self.format
    }

    /// The line that waits in vain for another one at the end of the listing.
    pub(super) fn unfinished(&self) -> Option<&[u8]> {
        self.waiting.then_some(&*self.unfinished)
    }

    /// Looks at the lines to come for what a single one does not tell: the order of dates.
    pub(super) fn look_at(&mut self, ahead: &[u8]) {
        let lines = ahead.split_inclusive(|byte| *byte == b'\n');
        for line in lines.filter(|line| line.ends_with(b"\n")).map(<[u8]>::trim_ascii_end) {
            let shows = |format: &&Format| format.detect(line, &self.clock).is_some();
            let format = DETECTED.iter().find(shows);
            let may_be_open = matches!(format, Some(Format::Os400 | Format::Unix | Format::Dos));
            match Orders::of_line(line, |date| self.clock.is_future(date)) {
                Some(orders) if may_be_open => self.clock.orders = orders.within(self.clock.orders),
                // Members of a file have no date.
                None if format == Some(&Format::Os400) => {}
                _ if format.is_none() => {}
                _ => return,
            }
        }
    }

    /// Reads the next line.
    #[inline]
    pub(super) fn line<'l>(&'l mut self, line: &'l [u8]) -> Parsed<'l> {
        if self.waiting {
            return self.second_half(line);
        }
        let parsed = match self.format {
            Some(format) => format.parse(line, &self.clock),
            None => self.detect(line),
        };
        match parsed {
            Some(entry) if matches!(entry.name, b"." | b"..") => Parsed::Nothing,
            Some(entry) if self.is_name(entry.name) => Parsed::Entry(entry),
            _ => self.decoration(line),
        }
    }

    fn detect<'l>(&mut self, line: &'l [u8]) -> Option<RawEntry<'l>> {
        let found = |format: &Format| Some((*format, format.detect(line, &self.clock)?));
        let (format, entry) = DETECTED.iter().find_map(found)?;
        self.format = Some(format);
        Some(entry)
    }

    /// Whether an entry can have such a name. RFC 3659 allows for one of blanks; elsewhere they
    /// pad the columns of a line that has none.
    fn is_name(&self, name: &[u8]) -> bool {
        let name = if self.format == Some(Format::Mlsd) { name } else { name.trim_ascii() };
        !name.is_empty()
    }

    fn second_half<'l>(&'l mut self, line: &[u8]) -> Parsed<'l> {
        self.waiting = false;
        self.unfinished.push(b' ');
        self.unfinished.extend_from_slice(line);
        let entry = match self.format {
            Some(Format::Dls) => dls::parse_joined(&self.unfinished, &self.clock),
            _ => vms::parse(&self.unfinished),
        };
        entry.map_or(Parsed::Unrecognised, Parsed::Entry)
    }

    /// Reads what is no entry: blank lines, totals, headings, and halves of entries.
    fn decoration<'l>(&mut self, line: &'l [u8]) -> Parsed<'l> {
        if line.trim_ascii().is_empty() && self.format != Some(Format::Mlsd) || line.is_empty() {
            return Parsed::Nothing;
        }
        let heading = match self.format {
            None | Some(Format::Unix) if unix::is_total(line) && !vms::is_frame(line) => {
                Some(Format::Unix)
            }
            None | Some(Format::Vms) if vms::is_frame(line) => Some(Format::Vms),
            None | Some(Format::Vms) if vms::is_name_alone(line) => {
                self.wait_with(line);
                Some(Format::Vms)
            }
            Some(Format::Dls) if !line.iter().any(|byte| is_blank(*byte)) => {
                self.wait_with(line);
                return Parsed::Nothing;
            }
            // `ls -R` and some servers name the directory first.
            None if is_directory_name(line) => Some(Format::Unix),
            None if unisys::is_heading(line) => Some(Format::Unisys),
            None if tandem::is_heading(line) => Some(Format::Tandem),
            None if cms::is_heading(line) => Some(Format::Cms),
            None => mvs::heading(line).map(|heading| match heading {
                Heading::DataSets => Format::DataSets,
                Heading::Members => Format::Members,
                Heading::LoadModules => Format::LoadModules,
                Heading::Jobs => Format::Jobs,
            }),
            Some(Format::Members) => match mvs::parse_member_alone(line) {
                Some(entry) => return Parsed::Entry(entry),
                None => None,
            },
            _ => None,
        };
        match heading {
            // A total stands above other formats too: the first entry still decides.
            Some(Format::Unix) => Parsed::Nothing,
            Some(format) => {
                self.format = Some(format);
                Parsed::Nothing
            }
            None if self.format != Some(Format::Mlsd) && is_decoration(line) => Parsed::Nothing,
            None => Parsed::Unrecognised,
        }
    }

    /// Keeps the first line of an entry that takes two.
    fn wait_with(&mut self, line: &[u8]) {
        self.waiting = true;
        self.unfinished.clear();
        self.unfinished.extend_from_slice(line);
    }
}

/// Whether a line is the `.:` or `/pub:` above a listing.
fn is_directory_name(line: &[u8]) -> bool {
    matches!(line, [b'.' | b'/', name @ .., b':'] if !name.contains(&b':'))
}
