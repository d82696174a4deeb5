//! The exit codes of the program.

use host_sdk::ErrorKind;

/// The program's exit codes.
///
/// A script decides by these alone whether to continue, to repeat or to alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitCode {
    /// Everything was done.
    Success,
    /// A defect of this program or of a connector.
    Internal,
    /// Wrong usage, an invalid process or an invalid setting; nothing was sent.
    Configuration,
    /// No connection: network, TLS or login.
    Connection,
    /// The remote path does not exist.
    NotFound,
    /// A temporary condition; repeating it later is sensible.
    Temporary,
    /// Some documents failed, or all did for a reason that has no code of its own.
    Documents,
    /// A connector could not be loaded.
    Loader,
    /// Bytes, size or listing could not be proven.
    Integrity,
    /// Interrupted by the user; nothing half-written has a final name.
    Interrupted,
}

impl ExitCode {
    /// Every code, in the order of its number.
    pub const ALL: [Self; 10] = [
        Self::Success,
        Self::Internal,
        Self::Configuration,
        Self::Connection,
        Self::NotFound,
        Self::Temporary,
        Self::Documents,
        Self::Loader,
        Self::Integrity,
        Self::Interrupted,
    ];

    /// The number for the operating system.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Internal => 1,
            Self::Configuration => 2,
            Self::Connection => 3,
            Self::NotFound => 4,
            Self::Temporary => 5,
            Self::Documents => 6,
            Self::Loader => 7,
            Self::Integrity => 8,
            Self::Interrupted => 130,
        }
    }

    /// The code of a process that ended with an error of `kind`.
    #[must_use]
    pub fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Configuration => Self::Configuration,
            ErrorKind::Connection | ErrorKind::Tls | ErrorKind::Authentication => Self::Connection,
            ErrorKind::NotFound => Self::NotFound,
            ErrorKind::Timeout | ErrorKind::Busy | ErrorKind::Unavailable => Self::Temporary,
            ErrorKind::Integrity => Self::Integrity,
            ErrorKind::Cancelled => Self::Interrupted,
            ErrorKind::Internal => Self::Internal,
            _ => Self::Documents,
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_that_scripts_rely_on() {
        let numbers: Vec<u8> = ExitCode::ALL.iter().map(|code| code.number()).collect();
        assert_eq!(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 130]);
    }

    #[test]
    fn every_kind_has_its_code() {
        let cases = [
            (ErrorKind::Configuration, 2),
            (ErrorKind::Document, 6),
            (ErrorKind::Authentication, 3),
            (ErrorKind::Permission, 6),
            (ErrorKind::NotFound, 4),
            (ErrorKind::AlreadyExists, 6),
            (ErrorKind::Unavailable, 5),
            (ErrorKind::Busy, 5),
            (ErrorKind::Quota, 6),
            (ErrorKind::Unsupported, 6),
            (ErrorKind::Connection, 3),
            (ErrorKind::Tls, 3),
            (ErrorKind::Timeout, 5),
            (ErrorKind::Cancelled, 130),
            (ErrorKind::Protocol, 6),
            (ErrorKind::Integrity, 8),
            (ErrorKind::Host, 6),
            (ErrorKind::Internal, 1),
            (ErrorKind::Other, 6),
        ];
        for (kind, number) in cases {
            assert_eq!(ExitCode::of(kind).number(), number, "{kind}");
        }
    }
}
