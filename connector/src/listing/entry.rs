//! One entry of a listing.

use super::perm::Perm;
use crate::file::name::NameEncoding;
pub(crate) use crate::file::time::modified::Modified;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file with bytes to read.
    RegularFile,
    /// A directory.
    Directory,
    /// A symbolic link, whatever it points to.
    SymbolicLink,
    /// A device, pipe or socket, or an entry whose kind the server stated in a way that is not
    /// understood.
    Unknown,
    /// An entry of MLSD without a type: mostly a file, which reading it shows.
    Untold,
}

impl Kind {
    /// The reference's word for the kind.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RegularFile => "regular_file",
            Self::Directory => "directory",
            Self::SymbolicLink => "symbolic_link",
            Self::Unknown | Self::Untold => "unknown",
        }
    }
}

/// An entry as its line states it; what the line leaves out or garbles is absent, never invented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RawEntry<'l> {
    /// The name's bytes; a path where the server was asked for one.
    pub(crate) name: &'l [u8],
    /// What it is.
    pub(crate) kind: Kind,
    /// Its size in bytes; for a link mostly that of the link itself.
    pub(crate) size: Option<u64>,
    /// About how many bytes it has, where only blocks or a rounded number are told.
    pub(crate) rounded_size: Option<u64>,
    /// When it was modified.
    pub(crate) modified: Option<Modified>,
    /// What a link points to.
    pub(crate) link_target: Option<&'l [u8]>,
    /// The Unix permission bits, set-id and sticky bits included.
    pub(crate) mode: Option<u16>,
    /// What the user may do with it.
    pub(crate) perm: Option<Perm>,
    /// What the server knows it by, whatever name and path lead to it (RFC 3659 §7.5.2).
    pub(crate) unique: Option<&'l [u8]>,
    /// Whether the name is a path from the listed directory: a member of a file, or a title.
    pub(crate) is_path: bool,
}

impl<'l> RawEntry<'l> {
    pub(super) fn new(name: &'l [u8], kind: Kind) -> Self {
        Self {
            name,
            kind,
            size: None,
            rounded_size: None,
            modified: None,
            link_target: None,
            mode: None,
            perm: None,
            unique: None,
            is_path: false,
        }
    }

    /// The entry with its names decoded.
    pub(crate) fn decode(&self, encoding: NameEncoding) -> Entry {
        Entry {
            name: encoding.decode(self.name),
            kind: self.kind,
            size: self.size,
            rounded_size: self.rounded_size,
            modified: self.modified,
            link_target: self.link_target.map(|target| encoding.decode(target)),
            mode: self.mode,
            perm: self.perm,
            unique: self.unique.map(|unique| encoding.decode(unique).into_boxed_str()),
            is_path: self.is_path,
            normalized: None,
        }
    }
}

/// An entry with decoded names; the fields are those of [`RawEntry`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name, mapped by [`NameEncoding`].
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: Kind,
    /// Its size in bytes.
    pub(crate) size: Option<u64>,
    /// About how many bytes it has, where no exact number is told.
    pub(crate) rounded_size: Option<u64>,
    /// When it was modified.
    pub(crate) modified: Option<Modified>,
    /// What a link points to, mapped by [`NameEncoding`].
    pub(crate) link_target: Option<String>,
    /// The Unix permission bits.
    pub(crate) mode: Option<u16>,
    /// What the user may do with it.
    pub(crate) perm: Option<Perm>,
    /// What the server knows it by.
    pub(crate) unique: Option<Box<str>>,
    /// Whether the name is a path from the listed directory.
    pub(crate) is_path: bool,
    /// The form in which the name is compared, where that is not as it is written.
    pub(crate) normalized: Option<Box<str>>,
}

impl Entry {
    /// An entry of which nothing but its name and its kind is known.
    pub(crate) fn new(name: String, kind: Kind) -> Self {
        Self { name, ..RawEntry::new(b"", kind).decode(NameEncoding::Auto) }
    }

    /// The size as far as it is told, to compare and to sort by; what a transfer is proven by is
    /// the exact one.
    pub(crate) fn approximate_size(&self) -> Option<u64> {
        self.size.or(self.rounded_size)
    }
}
