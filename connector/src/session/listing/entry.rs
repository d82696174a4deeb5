//! One entry of a listing.

pub(crate) use crate::timestamp::Modified;
use crate::wire_name::NameEncoding;

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file with bytes to read.
    RegularFile,
    /// A directory.
    Directory,
    /// A symbolic link, whatever it points to.
    SymbolicLink,
    /// A device, pipe or socket, or an entry whose kind the server did not state.
    Unknown,
}

impl Kind {
    /// The reference's word for the kind.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::RegularFile => "regular_file",
            Self::Directory => "directory",
            Self::SymbolicLink => "symbolic_link",
            Self::Unknown => "unknown",
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
    /// When it was modified.
    pub(crate) modified: Option<Modified>,
    /// What a link points to.
    pub(crate) link_target: Option<&'l [u8]>,
    /// The Unix permission bits, set-id and sticky bits included.
    pub(crate) mode: Option<u16>,
}

impl<'l> RawEntry<'l> {
    pub(super) fn new(name: &'l [u8], kind: Kind) -> Self {
        Self { name, kind, size: None, modified: None, link_target: None, mode: None }
    }

    /// The entry with its names decoded.
    pub(crate) fn decode(&self, encoding: NameEncoding) -> Entry {
        Entry {
            name: encoding.decode(self.name),
            kind: self.kind,
            size: self.size,
            modified: self.modified,
            link_target: self.link_target.map(|target| encoding.decode(target)),
            mode: self.mode,
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
    /// When it was modified.
    pub(crate) modified: Option<Modified>,
    /// What a link points to, mapped by [`NameEncoding`].
    pub(crate) link_target: Option<String>,
    /// The Unix permission bits.
    pub(crate) mode: Option<u16>,
}
