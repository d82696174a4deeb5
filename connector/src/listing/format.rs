//! The formats of listing lines.

use super::date::ls::Clock;
use super::entry::RawEntry;
use super::formats::mlsd::{self, Place};
use super::formats::{cms, dls, dos, eplf, mvs, netware, os400, rare, tandem, unisys, unix, vms};

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
    /// CMS files of z/VM.
    Cms,
    /// z/VM's byte file system.
    ByteFiles,
    /// `ls -l` with numbers for everything.
    Numeric,
    /// Old VShell.
    VShell,
    /// VxWorks.
    VxWorks,
    /// Routers of Nortel and servers for Windows 3, which print the name first.
    NameFirst,
    /// OS-9.
    Os9,
    /// Unisys ClearPath MCP.
    Unisys,
    /// `dls`.
    Dls,
}

/// The formats of LIST, the likeliest first.
pub(super) const DETECTED: [Format; 22] = [
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
    Format::Cms,
    Format::ByteFiles,
    Format::Numeric,
    Format::VShell,
    Format::VxWorks,
    Format::NameFirst,
    Format::Os9,
    Format::Unisys,
    Format::Mlsd,
    Format::Dls,
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
            Self::Cms => "z/VM CMS",
            Self::ByteFiles => "z/VM byte file system",
            Self::Numeric => "numeric Unix",
            Self::VShell => "VShell",
            Self::VxWorks => "VxWorks",
            Self::NameFirst => "name-first",
            Self::Os9 => "OS-9",
            Self::Unisys => "Unisys",
            Self::Dls => "dls",
        }
    }

    /// Reads a line of this format; none where it is no such line.
    #[inline]
    pub(super) fn parse<'l>(self, line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
        match self {
            Self::Mlsd => match mlsd::parse(line)? {
                (Place::Within, entry) => Some(entry),
                (Place::Above, entry) => Some(RawEntry { name: b".", ..entry }),
            },
            Self::Unix => unix::parse(line, clock),
            Self::Dos => dos::parse(line, clock),
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
            Self::Cms => cms::parse(line),
            Self::ByteFiles => cms::parse_bytes(line),
            Self::Numeric => rare::parse_numeric(line),
            Self::VShell => rare::parse_vshell(line, clock),
            Self::VxWorks => rare::parse_vxworks(line),
            Self::NameFirst => rare::parse_name_first(line),
            Self::Os9 => rare::parse_os9(line),
            Self::Unisys => unisys::parse(line, clock),
            Self::Dls => dls::parse(line, clock),
        }
    }

    /// Reads a line that is to show its format; none where it does not.
    pub(super) fn detect<'l>(self, line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
        match self {
            Self::Mlsd if !mlsd::shows_itself(line) => None,
            _ => self.parse(line, clock),
        }
    }
}
