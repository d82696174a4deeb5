//! The format of a listing: found by its first entry or heading, then kept.

use super::date::Clock;
use super::entry::RawEntry;
use super::mlsd::{self, Place};
use super::mvs::{self, Heading};
use super::{dos, eplf, netware, os400, tandem, unix, vms};

/// A format of listing lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// RFC 3659 facts.
    Mlsd,
    /// `ls -l`.
    Unix,
    /// Windows' `dir`.
    Dos,
    /// EPLF.
    Eplf,
    /// NetWare.
    Netware,
    /// OpenVMS.
    Vms,
    /// IBM i.
    Os400,
    /// Data sets of z/OS.
    DataSets,
    /// Members of a z/OS library.
    Members,
    /// Load modules of a z/OS library.
    LoadModules,
    /// Jobs of z/OS.
    Jobs,
    /// OS/2's `dir`.
    Os2,
    /// HPE NonStop.
    Tandem,
}

/// The formats of LIST, the likeliest first.
const DETECTED: [Format; 12] = [
    Format::Unix,
    Format::Dos,
    Format::Eplf,
    Format::Netware,
    Format::Vms,
    Format::Os400,
    Format::DataSets,
    Format::Members,
    Format::LoadModules,
    Format::Jobs,
    Format::Os2,
    Format::Tandem,
];

impl Format {
    /// The format's name in messages.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Mlsd => "MLSD",
            Self::Unix => "Unix",
            Self::Dos => "DOS",
            Self::Eplf => "EPLF",
            Self::Netware => "NetWare",
            Self::Vms => "OpenVMS",
            Self::Os400 => "IBM i",
            Self::DataSets => "z/OS data set",
            Self::Members => "z/OS member",
            Self::LoadModules => "z/OS load module",
            Self::Jobs => "z/OS job",
            Self::Os2 => "OS/2",
            Self::Tandem => "NonStop",
        }
    }

    fn parse<'l>(self, line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
        match self {
            Self::Mlsd => match mlsd::parse(line)? {
                (Place::Within, entry) => Some(entry),
                (Place::Above, entry) => Some(RawEntry { name: b".", ..entry }),
            },
            Self::Unix => unix::parse(line, clock),
            Self::Dos => dos::parse(line),
            Self::Eplf => eplf::parse(line),
            Self::Netware => netware::parse(line, clock),
            Self::Vms => vms::parse(line),
            Self::Os400 => os400::parse(line, clock),
            Self::DataSets => mvs::parse_data_set(line),
            Self::Members => mvs::parse_member(line),
            Self::LoadModules => mvs::parse_load_module(line),
            Self::Jobs => mvs::parse_job(line),
            Self::Os2 => dos::parse_os2(line),
            Self::Tandem => tandem::parse(line),
        }
    }
}

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
    /// The first line of a two-line entry of OpenVMS; while an entry is read, both lines.
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

    /// Reads the next line.
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
            Some(entry) if !entry.name.is_empty() => Parsed::Entry(entry),
            _ => self.decoration(line),
        }
    }

    fn detect<'l>(&mut self, line: &'l [u8]) -> Option<RawEntry<'l>> {
        let found = |format: &Format| Some((*format, format.parse(line, &self.clock)?));
        let (format, entry) = DETECTED.iter().find_map(found)?;
        self.format = Some(format);
        Some(entry)
    }

    fn second_half<'l>(&'l mut self, line: &[u8]) -> Parsed<'l> {
        self.waiting = false;
        self.unfinished.push(b' ');
        self.unfinished.extend_from_slice(line);
        vms::parse(&self.unfinished).map_or(Parsed::Unrecognised, Parsed::Entry)
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
                self.waiting = true;
                self.unfinished.clear();
                self.unfinished.extend_from_slice(line);
                Some(Format::Vms)
            }
            None if tandem::is_heading(line) => Some(Format::Tandem),
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
            None => Parsed::Unrecognised,
        }
    }
}
