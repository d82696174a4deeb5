//! The causes of failures, and what the interface calls them.

use host_sdk::ErrorKind;

use crate::protocol::refusal::Meaning;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server does not permit it, or what it permits does not suffice to find something out.
    Denied,
    /// Nothing is there, and that is proven.
    Missing,
    /// Something is there already.
    Taken,
    /// The server cannot do it now.
    Unavailable,
    /// Too many sessions.
    Busy,
    /// This machine has no more files or threads.
    Exhausted,
    /// There is no room on the server.
    Full,
    /// The server does not have the command or the option.
    Unsupported,
    /// The login is rejected.
    LoginRejected,
    /// The connection ended, or could not be made.
    Lost,
    /// A time limit was reached.
    Late,
    /// A TLS handshake, a certificate or a record failed.
    Tls,
    /// What arrived is not FTP, or cannot be true.
    Nonsense,
    /// The request cannot be sent: CR, LF, NUL, or a character that the encoding lacks; or the
    /// document lacks what it needs.
    Unsendable,
    /// Bytes, a size, a listing or a resume point could not be proven.
    Unproven,
    /// The host wants no more.
    Cancelled,
    /// The host's source or sink failed.
    Host,
    /// A setting that cannot be used, or a broken invariant: passed on as it is.
    Foreign(ErrorKind),
}

impl From<Meaning> for Cause {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::LoginRejected => Self::LoginRejected,
            Meaning::Busy => Self::Busy,
            Meaning::Lost => Self::Lost,
            Meaning::Denied => Self::Denied,
            Meaning::Tls => Self::Tls,
            Meaning::Full => Self::Full,
            Meaning::Unsupported => Self::Unsupported,
            Meaning::Nonsense => Self::Nonsense,
            Meaning::Unavailable => Self::Unavailable,
        }
    }
}

impl Cause {
    pub(super) fn is_usually_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy | Self::Lost | Self::Late)
    }

    /// What the interface calls it.
    pub(crate) fn kind(self) -> ErrorKind {
        match self {
            Self::Denied => ErrorKind::Permission,
            Self::Missing => ErrorKind::NotFound,
            Self::Taken => ErrorKind::AlreadyExists,
            Self::Unavailable => ErrorKind::Unavailable,
            Self::Busy | Self::Exhausted => ErrorKind::Busy,
            Self::Full => ErrorKind::Quota,
            Self::Unsupported => ErrorKind::Unsupported,
            Self::LoginRejected => ErrorKind::Authentication,
            Self::Lost => ErrorKind::Connection,
            Self::Late => ErrorKind::Timeout,
            Self::Tls => ErrorKind::Tls,
            Self::Nonsense => ErrorKind::Protocol,
            Self::Unsendable => ErrorKind::Document,
            Self::Unproven => ErrorKind::Integrity,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Host => ErrorKind::Host,
            Self::Foreign(kind) => kind,
        }
    }

    /// What an error of the interface's `kind` is for the connector. What this machine lacks is a
    /// `busy` that no wait ends.
    pub(super) fn of(kind: ErrorKind, is_transient: bool) -> Self {
        match kind {
            ErrorKind::Permission => Self::Denied,
            ErrorKind::NotFound => Self::Missing,
            ErrorKind::AlreadyExists => Self::Taken,
            ErrorKind::Unavailable => Self::Unavailable,
            ErrorKind::Busy if is_transient => Self::Busy,
            ErrorKind::Busy => Self::Exhausted,
            ErrorKind::Quota => Self::Full,
            ErrorKind::Unsupported => Self::Unsupported,
            ErrorKind::Authentication => Self::LoginRejected,
            ErrorKind::Connection => Self::Lost,
            ErrorKind::Timeout => Self::Late,
            ErrorKind::Tls => Self::Tls,
            ErrorKind::Protocol => Self::Nonsense,
            ErrorKind::Document => Self::Unsendable,
            ErrorKind::Integrity => Self::Unproven,
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Host => Self::Host,
            kind => Self::Foreign(kind),
        }
    }
}
