//! The zone of a server's clock, as it is set or as files tell it.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

/// What one file told about the server's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// How far it is ahead of UTC.
    pub(crate) offset: Offset,
    /// The file's time in UTC: at another time of the year the clock may be set otherwise.
    pub(crate) utc: DateTime,
}

/// The zone of the server's clock (`serverTimeZone`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum ServerTimeZone {
    /// Unknown: every time stays as the server states it.
    #[default]
    Auto,
    /// A zone of the IANA database, or the difference from UTC that was measured.
    Known(TimeZone),
}

impl ServerTimeZone {
    /// The zone called `name`: `auto` or an IANA name such as `Europe/Berlin`.
    ///
    /// # Errors
    /// A name that the time zone database of this machine does not have.
    pub(crate) fn from_name(name: &str) -> Result<Self, UnknownTimeZone> {
        if name.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        match TimeZone::get(name.trim()) {
            Ok(zone) => Ok(Self::Known(zone)),
            Err(_) => Err(UnknownTimeZone { name: name.to_owned() }),
        }
    }

    /// A zone that is `offset` ahead of UTC all year.
    pub(crate) fn fixed(offset: Offset) -> Self {
        Self::Known(TimeZone::fixed(offset))
    }

    /// The time in UTC of `at` on the server's clock; an unknown zone counts as UTC.
    pub(crate) fn to_utc(&self, at: DateTime) -> DateTime {
        let Self::Known(zone) = self else { return at };
        let utc = zone.to_timestamp(at).map(|instant| TimeZone::UTC.to_datetime(instant));
        utc.unwrap_or(at)
    }
}

/// A time zone name without a zone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown time zone {name:?}")]
pub(crate) struct UnknownTimeZone {
    /// The name as it was given.
    pub(crate) name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zone_names_are_checked() {
        assert_eq!(ServerTimeZone::from_name("auto"), Ok(ServerTimeZone::Auto));
        assert!(ServerTimeZone::from_name("Mars/Olympus").is_err());
    }
}
