//! The interface version of this build, and the plain C record in which a library states it.

use std::ffi::{CStr, c_char};
use std::fmt;
use std::mem;

/// The interface version as text.
pub const INTERFACE: &str = if cfg!(interface_next) { "1.1.0" } else { "1.0.0" };

/// A version of the interface: equal majors fit, whatever their minors.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct InterfaceVersion {
    /// Changes when older and newer builds do not understand each other.
    pub major: u32,
    /// Changes when something is added.
    pub minor: u32,
}

impl InterfaceVersion {
    /// The version of this build.
    pub const CURRENT: Self = Self { major: 1, minor: if cfg!(interface_next) { 1 } else { 0 } };
}

impl fmt::Display for InterfaceVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The name of the symbol that holds the [`Handshake`].
pub const HANDSHAKE_SYMBOL: &CStr = c"CONNECTOR_HANDSHAKE";

/// The first bytes of every [`Handshake`].
pub const MAGIC: [u8; 8] = *b"CONNECT\x01";

/// What a host reads before it trusts anything else of a library; plain C, never changed, only
/// appended to.
#[repr(C)]
#[derive(Debug)]
pub struct Handshake {
    /// [`MAGIC`].
    pub magic: [u8; 8],
    /// The size of the record in bytes.
    pub size: u32,
    /// The interface's major version.
    pub interface_major: u32,
    /// The interface's minor version.
    pub interface_minor: u32,
    /// 1 where panics unwind, 0 where they abort.
    pub unwinds: u8,
    /// Nothing yet.
    pub reserved: [u8; 3],
    /// The connector's id, ended by a zero byte.
    pub id: *const c_char,
}

// SAFETY: the record is immutable and `id` points to an immutable string with static lifetime.
unsafe impl Sync for Handshake {}

impl Handshake {
    /// The handshake of a library of this build; `id` ends with its only zero byte.
    ///
    /// # Panics
    ///
    /// When it does not, while the library is compiled.
    #[must_use]
    pub const fn new(id: &'static str, unwinds: bool) -> Self {
        let Ok(id) = CStr::from_bytes_with_nul(id.as_bytes()) else {
            panic!("an id ends with its only zero byte");
        };
        Self {
            magic: MAGIC,
            size: mem::size_of::<Self>() as u32,
            interface_major: InterfaceVersion::CURRENT.major,
            interface_minor: InterfaceVersion::CURRENT.minor,
            unwinds: unwinds as u8,
            reserved: [0; 3],
            id: id.as_ptr(),
        }
    }

    /// The interface version.
    #[must_use]
    pub const fn interface(&self) -> InterfaceVersion {
        InterfaceVersion { major: self.interface_major, minor: self.interface_minor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_has_the_version_of_the_package() {
        let package = env!("CARGO_PKG_VERSION");
        assert!(package.starts_with(&format!("{}.", InterfaceVersion::CURRENT)));
        assert_eq!(INTERFACE, format!("{}.0", InterfaceVersion::CURRENT));
    }
}
