//! Times as servers state them: when a file was modified, in which zone, and how exactly.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

use super::text::{format_text, nanoseconds, two};
use super::zone::ServerTimeZone;

/// Zones differ from UTC by whole quarters of an hour.
const QUARTER: i32 = 15 * 60;

/// The zones farthest west and east, in seconds.
const WESTERNMOST: i32 = -12 * 3600;
const EASTERNMOST: i32 = 14 * 3600;

/// How far the clock of a zone can be from UTC.
pub(crate) const FARTHEST_ZONE: SignedDuration = SignedDuration::from_secs(EASTERNMOST as i64);

/// How exact a stated time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Precision {
    /// Only the date is known.
    Day,
    /// Hours and minutes are known.
    Minute,
    /// Seconds are known.
    Second,
    /// A fraction of a second is known.
    Fraction,
}

impl Precision {
    /// The word for this precision (`timestampPrecision`).
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Fraction => "millisecond",
        }
    }

    /// How far after the stated time the true one may lie.
    pub(crate) fn span(self) -> SignedDuration {
        match self {
            Self::Day => SignedDuration::from_hours(24),
            Self::Minute => SignedDuration::from_secs(60),
            Self::Second => SignedDuration::from_secs(1),
            Self::Fraction => SignedDuration::ZERO,
        }
    }
}

/// In which zone a time is stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Zone {
    /// In UTC, as RFC 3659 demands of `modify` and MDTM.
    Utc,
    /// In the zone in which the server prints its listings, which no listing states.
    Server,
    /// In that zone as well, which is so far ahead of UTC at this time.
    Ahead(Offset),
}

/// When a file was last modified, as far as the server said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modified {
    /// The time on the clock of `zone`.
    pub(crate) at: DateTime,
    /// The zone.
    pub(crate) zone: Zone,
    /// How exact `at` is.
    pub(crate) precision: Precision,
    /// Whether the server left out the year, which is then the likeliest one: MDTM knows better.
    pub(crate) year_inferred: bool,
    /// Whether it is the time of the last use, which is no earlier than that of the last change and
    /// no property of what the file holds.
    pub(crate) is_reference: bool,
}

impl Modified {
    /// A complete time in UTC.
    pub(crate) fn utc(at: DateTime, precision: Precision) -> Self {
        Self { at, zone: Zone::Utc, precision, year_inferred: false, is_reference: false }
    }

    /// The time on the server's clock.
    ///
    /// A time in UTC is converted when the zone is known and stays in UTC otherwise. A time that
    /// is already the server's own stays as it is.
    pub(crate) fn server_time(&self, zone: &ServerTimeZone) -> DateTime {
        match (self.zone, zone) {
            (Zone::Utc, ServerTimeZone::Known(zone)) => match self.at.to_zoned(TimeZone::UTC) {
                Ok(utc) => zone.to_datetime(utc.timestamp()),
                Err(_) => self.at,
            },
            _ => self.at,
        }
    }

    /// [`Modified::server_time`] as the reference's text.
    pub(crate) fn text(&self, zone: &ServerTimeZone) -> String {
        format_text(self.server_time(zone))
    }

    /// Whether the other time can be the same one: exactly where both are equally exact, otherwise
    /// at the coarser precision.
    pub(crate) fn agrees(&self, other: &Self) -> bool {
        if self.zone != other.zone || self.is_reference != other.is_reference {
            return false;
        }
        let after = match self.precision.cmp(&other.precision) {
            Ordering::Equal => return self.at == other.at,
            Ordering::Greater => self.at.duration_since(other.at),
            Ordering::Less => other.at.duration_since(self.at),
        };
        !after.is_negative() && after < self.precision.min(other.precision).span()
    }

    /// The first instant that the statement allows; none where the server's zone is unknown.
    ///
    /// The last such instant is [`Precision::span`] later. Where clocks are set back, the first of the
    /// two hours that look the same counts; in an hour that they skip, the difference from UTC is
    /// that from before (RFC 5545 §3.3.5).
    pub(crate) fn instant(&self, zone: &ServerTimeZone) -> Option<Timestamp> {
        match (self.zone, zone) {
            (Zone::Utc, _) => TimeZone::UTC.to_timestamp(self.at).ok(),
            (Zone::Ahead(offset), _) => offset.to_timestamp(self.at).ok(),
            (Zone::Server, ServerTimeZone::Known(zone)) => zone.to_timestamp(self.at).ok(),
            (Zone::Server, ServerTimeZone::Auto) => None,
        }
    }

    /// [`Modified::instant`] as RFC 3339 writes it, in UTC (`timestampUtc`).
    pub(crate) fn utc_text(&self, zone: &ServerTimeZone) -> Option<String> {
        self.instant(zone).map(|instant| instant.to_string())
    }

    /// How far the clock that this time was read from is ahead of UTC, by `utc`, the same time
    /// told in UTC; none where the two do not differ by what a zone can be.
    pub(crate) fn ahead_of(&self, utc: &Self) -> Option<Offset> {
        if self.zone != Zone::Server || utc.zone != Zone::Utc {
            return None;
        }
        if self.precision < Precision::Minute || utc.precision < Precision::Minute {
            return None;
        }
        let ahead = whole_minute(self.at)?.duration_since(whole_minute(utc.at)?);
        let seconds = i32::try_from(ahead.as_secs()).ok()?;
        let is_zone = (WESTERNMOST..=EASTERNMOST).contains(&seconds) && seconds % QUARTER == 0;
        Offset::from_seconds(seconds).ok().filter(|_| is_zone)
    }

    /// This time of a listing as exactly as `exact`, which MDTM told of the same file.
    pub(crate) fn refined(&self, exact: &Self, zone: &ServerTimeZone) -> Self {
        if self.is_reference {
            return *exact;
        }
        let own = self.ahead_of(exact).and_then(|offset| {
            let at = exact.at.checked_add(SignedDuration::from_secs(offset.seconds().into()));
            let zone = match zone {
                // Both are about one clock, whose zone is known: MDTM was not in UTC.
                ServerTimeZone::Known(_) if offset == Offset::UTC => Zone::Server,
                // The file's own difference holds for its time of the year, another's may not.
                _ => Zone::Ahead(offset),
            };
            Some(Self { at: at.ok()?, zone, ..*exact })
        });
        own.unwrap_or(match zone {
            ServerTimeZone::Known(_) => *exact,
            ServerTimeZone::Auto => *self,
        })
    }
}

/// The time that RFC 3659's `time-val` states, in UTC; none for any other form.
///
/// The form is taken literally: 13 digits, or the `19116…` of servers that count years from 1900,
/// would otherwise be read as some other time. A leap second counts as the second before it.
pub(crate) fn parse_time_val(value: &[u8]) -> Option<Modified> {
    let &[c1, c2, y1, y2, o1, o2, d1, d2, h1, h2, m1, m2, s1, s2, ref fraction @ ..] = value else {
        return None;
    };
    let year = i16::from(two(c1, c2)?) * 100 + i16::from(two(y1, y2)?);
    let date = Date::new(year, two(o1, o2)?, two(d1, d2)?).ok()?;
    let second = match two(s1, s2)? {
        60 => 59,
        second => second,
    };
    let (nanoseconds, precision) = match fraction.split_first() {
        None => (0, Precision::Second),
        Some((b'.', digits)) => (nanoseconds(digits)?, Precision::Fraction),
        Some(_) => return None,
    };
    let time = Time::new(two(h1, h2)?, two(m1, m2)?, second, nanoseconds).ok()?;
    Some(Modified::utc(date.to_datetime(time), precision))
}

fn whole_minute(at: DateTime) -> Option<DateTime> {
    at.with().second(0).subsec_nanosecond(0).build().ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn only_utc_times_are_converted() {
        let berlin = ServerTimeZone::from_name("Europe/Berlin").unwrap();
        let utc = parse_time_val(b"20260701120000").unwrap();
        assert_eq!(utc.text(&ServerTimeZone::Auto), "2026-07-01 12:00:00.000");
        assert_eq!(utc.text(&berlin), "2026-07-01 14:00:00.000");
        let listed = Modified { zone: Zone::Server, precision: Precision::Minute, ..utc };
        assert_eq!(listed.text(&berlin), "2026-07-01 12:00:00.000");
        assert_eq!(listed.instant(&ServerTimeZone::Auto), None);
        let apart = utc.instant(&berlin).unwrap().duration_since(listed.instant(&berlin).unwrap());
        assert_eq!(apart, SignedDuration::from_hours(2));
        assert!(utc.precision.span() < listed.precision.span());
    }

    #[test]
    fn offsets_are_those_that_zones_have() {
        let utc = Modified::utc(datetime(2026, 7, 1, 22, 10, 59, 0), Precision::Second);
        let listed = |at, precision| Modified { at, zone: Zone::Server, precision, ..utc };
        let cases = [
            (datetime(2026, 7, 1, 22, 10, 0, 0), Some(0)),
            (datetime(2026, 7, 2, 3, 40, 0, 0), Some(330)),
            (datetime(2026, 7, 1, 18, 10, 0, 0), Some(-240)),
            (datetime(2026, 7, 2, 12, 10, 0, 0), Some(840)),
            (datetime(2026, 7, 2, 12, 25, 0, 0), None),
            (datetime(2026, 7, 1, 22, 17, 0, 0), None),
            (datetime(2025, 7, 1, 22, 10, 0, 0), None),
        ];
        for (at, minutes) in cases {
            let ahead = listed(at, Precision::Minute).ahead_of(&utc);
            assert_eq!(ahead.map(|offset| offset.seconds() / 60), minutes, "{at}");
        }
        let day = listed(datetime(2026, 7, 1, 0, 0, 0, 0), Precision::Day);
        assert_eq!(day.ahead_of(&utc), None);
        assert_eq!(utc.ahead_of(&utc), None);
    }

    #[test]
    fn a_refined_time_keeps_its_own_difference_from_utc() {
        let exact = parse_time_val(b"20260701221059").unwrap();
        let winter = ServerTimeZone::fixed(Offset::from_seconds(3600).unwrap());
        let at = datetime(2026, 7, 2, 0, 10, 0, 0);
        let listed = Modified { at, zone: Zone::Server, precision: Precision::Minute, ..exact };
        for zone in [&winter, &ServerTimeZone::Auto] {
            let refined = listed.refined(&exact, zone);
            assert_eq!(refined.text(zone), "2026-07-02 00:10:59.000");
            assert_eq!(refined.utc_text(zone).unwrap(), "2026-07-01T22:10:59Z");
            assert_eq!(refined.precision, Precision::Second);
        }
        let same = Modified { at: datetime(2026, 7, 1, 22, 10, 0, 0), ..listed };
        let refined = same.refined(&exact, &winter);
        assert_eq!(refined.text(&winter), "2026-07-01 22:10:59.000");
        assert_eq!(refined.utc_text(&winter).unwrap(), "2026-07-01T21:10:59Z");
        let day = Modified { precision: Precision::Day, ..listed };
        assert_eq!(day.refined(&exact, &winter).text(&winter), "2026-07-01 23:10:59.000");
        assert_eq!(day.refined(&exact, &ServerTimeZone::Auto), day);
    }

    #[test]
    fn where_clocks_are_set_the_offset_from_before_counts() {
        let berlin = ServerTimeZone::from_name("Europe/Berlin").unwrap();
        for (at, utc) in [
            (datetime(2026, 10, 25, 2, 30, 0, 0), "2026-10-25T00:30:00Z"),
            (datetime(2026, 10, 25, 3, 0, 0, 0), "2026-10-25T02:00:00Z"),
            (datetime(2026, 3, 29, 2, 30, 0, 0), "2026-03-29T01:30:00Z"),
            (datetime(2026, 3, 29, 3, 0, 0, 0), "2026-03-29T01:00:00Z"),
        ] {
            let precision = Precision::Minute;
            let listed = Modified {
                at,
                zone: Zone::Server,
                precision,
                year_inferred: true,
                is_reference: false,
            };
            assert_eq!(listed.utc_text(&berlin).unwrap(), utc, "{at}");
            assert_eq!(listed.utc_text(&ServerTimeZone::Auto), None);
        }
    }

    #[test]
    fn times_agree_at_the_coarser_precision() {
        let cases = [
            ("20260701120000.100", "20260701120000.100", true),
            ("20260701120000.100", "20260701120000.700", false),
            ("20260701120000", "20260701120000.700", true),
            ("20260701120000", "20260701120001.000", false),
            ("20260701120001", "20260701120000.999", false),
        ];
        for (one, other, agree) in cases {
            let time = |text: &str| parse_time_val(text.as_bytes()).unwrap();
            assert_eq!(time(one).agrees(&time(other)), agree, "{one} {other}");
            assert_eq!(time(other).agrees(&time(one)), agree, "{other} {one}");
        }
    }

    #[test]
    fn extreme_times_do_not_overflow() {
        let zone = ServerTimeZone::from_name("Pacific/Kiritimati").unwrap();
        for value in [&b"99991231235959"[..], b"00000101000000", b"00010101000000"] {
            if let Some(modified) = parse_time_val(value) {
                let _ = (modified.text(&zone), modified.utc_text(&zone));
            }
        }
    }

    #[test]
    fn time_val_is_read_literally() {
        let modified = parse_time_val(b"20150813224845").unwrap();
        assert_eq!(
            modified,
            Modified::utc(datetime(2015, 8, 13, 22, 48, 45, 0), Precision::Second)
        );
        assert_eq!(super::super::text::format_time_val(modified.at), "20150813224845");
        let fraction = parse_time_val(b"20141022065102.999").unwrap();
        assert_eq!(fraction.precision, Precision::Fraction);
        assert_eq!(fraction.at.millisecond(), 999);
        assert_eq!(parse_time_val(b"19691231235960").unwrap().at.second(), 59);
        for value in [
            &b""[..],
            b"2014",
            b"1911606120000",
            b"191160612000000",
            b"20141022065102Z",
            b"20141022065102.",
            b"20141022065102.9x",
            b"20141322065102",
            b"20140230065102",
            b"-0140230065102",
        ] {
            assert_eq!(parse_time_val(value), None, "{}", String::from_utf8_lossy(value));
        }
    }
}
