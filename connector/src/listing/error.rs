//! What can be wrong with a listing.

use std::io;

use host_sdk::{Error, ErrorKind};

use super::Format;
use host_sdk::kit::text::printable_bytes;

/// How much of an unrecognised line a message quotes.
const QUOTED: usize = 120;

/// Why a listing cannot be trusted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ListingError {
    /// The data connection failed.
    #[error("cannot read the listing: {0}")]
    Read(#[from] io::Error),
    /// A line is longer than configured.
    #[error("line {number} of the listing is longer than {limit} bytes")]
    LineTooLong {
        /// The line's number, from 1.
        number: u64,
        /// The configured limit in bytes.
        limit: usize,
    },
    /// More entries arrived than configured.
    #[error("the listing has more than {limit} entries")]
    TooManyEntries {
        /// The configured limit.
        limit: u64,
    },
    /// A line is neither an entry nor known decoration.
    #[error("line {number} of the listing is not in {} format: \"{line}\"", expected(.format))]
    Unrecognised {
        /// The line's number, from 1.
        number: u64,
        /// The line's beginning, safe to print.
        line: String,
        /// The format of the lines before it, if there were any.
        format: Option<Format>,
    },
    /// No line is an entry: this one is the first that is no decoration either.
    #[error("line {number} of the listing is not in {} format: \"{line}\"", expected(.format))]
    UnknownFormat {
        /// The line's number, from 1.
        number: u64,
        /// The line's beginning, safe to print.
        line: String,
        /// The format that a heading showed, if there was one.
        format: Option<Format>,
    },
    /// A name goes on in the next line.
    #[error("line {number} of the listing goes on a name with a line feed in it: \"{name}\"")]
    LineFeed {
        /// The number of the line that goes on with it, from 1.
        number: u64,
        /// The name up to the line feed, safe to print.
        name: String,
    },
    /// The listing ends within a line.
    #[error("the listing ends within line {number}")]
    Unterminated {
        /// The line's number, from 1.
        number: u64,
    },
}

impl ListingError {
    pub(super) fn unrecognised(number: u64, line: &[u8], format: Option<Format>) -> Self {
        let mut quoted = printable_bytes(line.get(..QUOTED).unwrap_or(line));
        if line.len() > QUOTED {
            quoted.push('…');
        }
        Self::Unrecognised { number, line: quoted, format }
    }

    /// The same error where it is that of all lines.
    pub(super) fn of_all(self) -> Self {
        match self {
            Self::Unrecognised { number, line, format } => {
                Self::UnknownFormat { number, line, format }
            }
            other => other,
        }
    }
}

fn expected(format: &Option<Format>) -> &'static str {
    format.map_or("any known", Format::as_str)
}

impl From<ListingError> for Error {
    fn from(error: ListingError) -> Self {
        let kind = match &error {
            ListingError::Read(source) => match source.kind() {
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => ErrorKind::Timeout,
                _ => ErrorKind::Connection,
            },
            ListingError::Unterminated { .. }
            | ListingError::Unrecognised { .. }
            | ListingError::UnknownFormat { .. }
            | ListingError::LineFeed { .. } => ErrorKind::Integrity,
            ListingError::LineTooLong { .. } | ListingError::TooManyEntries { .. } => {
                ErrorKind::Protocol
            }
        };
        // The same line comes again; a listing that was cut may be whole the next time.
        let is_final = matches!(
            error,
            ListingError::Unrecognised { .. }
                | ListingError::UnknownFormat { .. }
                | ListingError::LineFeed { .. }
        );
        let hint = match &error {
            ListingError::LineTooLong { .. } => Some("raise maximumLineLength"),
            ListingError::TooManyEntries { .. } => Some("raise maximumListingEntries"),
            ListingError::UnknownFormat { format: Some(Format::Mlsd), .. } => {
                Some("set listing to list: the server answers MLSD with other lines than facts")
            }
            ListingError::UnknownFormat { .. } => {
                Some("set listing to nlst: NLST asks for the names alone, which have one format")
            }
            _ => None,
        };
        let message = error.to_string();
        let error =
            Self::new(kind, message).with_retryable(kind != ErrorKind::Protocol && !is_final);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}
