//! The time of a document as its source states it. It is part of the identity of a version.
//!
//! A source can state the same time less precisely later: `ls` omits the time of day once a file is
//! half a year old. So the text of a time is no identity. Two statements agree if the finer one is
//! within the span of the coarser one.

use host_sdk::Properties;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan};

/// The precision of a stated time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Precision {
    Day,
    Minute,
    Second,
    Millisecond,
}

impl Precision {
    /// The precision that `timestampPrecision` names. A time without one is exact to the
    /// millisecond.
    fn of(word: Option<&str>) -> Self {
        match word {
            Some("day") => Self::Day,
            Some("minute") => Self::Minute,
            Some("second") => Self::Second,
            _ => Self::Millisecond,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Minute => "minute",
            Self::Second => "second",
            Self::Millisecond => "millisecond",
        }
    }

    /// The length of the interval, from the stated time on, that contains the true time.
    fn span(self) -> SignedDuration {
        match self {
            Self::Day => SignedDuration::from_hours(24),
            Self::Minute => SignedDuration::from_secs(60),
            Self::Second => SignedDuration::from_secs(1),
            Self::Millisecond => SignedDuration::from_millis(1),
        }
    }
}

/// The clock of a stated time. Times of different clocks are not compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clock {
    Source,
    Utc,
}

/// One statement of a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StatedTime {
    text: String,
    precision: Precision,
    /// The first moment that the statement allows. `None` if the text is no time.
    start: Option<(Clock, DateTime)>,
}

impl StatedTime {
    /// What the properties `timestamp` and `timestampUtc` of a document state.
    pub(super) fn of(properties: &Properties) -> Vec<Self> {
        let precision = Precision::of(properties.get("timestampPrecision"));
        let texts = [properties.get("timestamp"), properties.get("timestampUtc")];
        texts.into_iter().flatten().map(|text| Self::new(text, precision)).collect()
    }

    fn new(text: &str, precision: Precision) -> Self {
        let utc = text.parse::<Timestamp>().ok();
        let utc = utc.map(|instant| (Clock::Utc, TimeZone::UTC.to_datetime(instant)));
        let start = utc.or_else(|| text.parse().ok().map(|at| (Clock::Source, at)));
        Self { text: text.to_owned(), precision, start }
    }

    /// Reads an entry of the ledger: a text and a precision, or only the text, as older versions
    /// wrote it.
    pub(super) fn from_entry(entry: &str) -> Self {
        match entry.rsplit_once('~') {
            Some((text, word)) => Self::new(text, Precision::of(Some(word))),
            None => Self::new(entry, Precision::Millisecond),
        }
    }

    /// The entry of the ledger for this time.
    pub(super) fn entry(&self) -> String {
        match self.precision {
            Precision::Millisecond => self.text.clone(),
            coarser => format!("{}~{}", self.text, coarser.word()),
        }
    }

    /// The range of entries that can agree: the first text, and the first text after the last.
    pub(super) fn range(&self) -> (String, String) {
        let days = self.start.and_then(|(_, at)| {
            let day = at.date();
            Some((day.checked_sub(1.day()).ok()?, day.checked_add(2.days()).ok()?))
        });
        match days {
            Some((first, end)) => (first.to_string(), end.to_string()),
            None => (self.text.clone(), format!("{}\u{10ffff}", self.text)),
        }
    }

    /// True if both can state the same time.
    pub(super) fn agrees(&self, other: &Self) -> bool {
        let (Some((clock, at)), Some((other_clock, other_at))) = (self.start, other.start) else {
            return self.text == other.text;
        };
        if clock != other_clock {
            return false;
        }
        let after = match self.precision.cmp(&other.precision) {
            std::cmp::Ordering::Equal => return at == other_at,
            std::cmp::Ordering::Greater => at.duration_since(other_at),
            std::cmp::Ordering::Less => other_at.duration_since(at),
        };
        !after.is_negative() && after < self.precision.min(other.precision).span()
    }

    /// True if this statement is more precise.
    pub(super) fn is_finer_than(&self, other: &Self) -> bool {
        self.precision > other.precision
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_agree_at_the_coarser_precision() {
        let cases = [
            ("2026-03-01 00:00:00.000~day", "2026-03-01 12:34:00.000~minute", true),
            ("2026-03-01 00:00:00.000~day", "2026-03-02 00:00:00.000~minute", false),
            ("2026-03-01 12:34:00.000~minute", "2026-03-01 12:34:59.000~second", true),
            ("2026-03-01 12:34:00.000~minute", "2026-03-01 12:35:00.000~second", false),
            ("2026-03-01 12:34:10.000~second", "2026-03-01 12:34:40.000~second", false),
            ("2026-03-01 12:34:10.000~second", "2026-03-01 12:34:10.999", true),
            // Days of the source's clock, stated in UTC.
            ("2026-02-28T22:00:00Z~day", "2026-03-01T21:59:59Z~second", true),
            ("2026-02-28T22:00:00Z~day", "2026-03-01T22:00:00Z~second", false),
            ("2026-03-01 12:34:10.000", "2026-03-01T12:34:10Z", false),
            ("revision 7", "revision 7", true),
            ("revision 7", "revision 8", false),
        ];
        for (one, other, agree) in cases {
            let (one, other) = (StatedTime::from_entry(one), StatedTime::from_entry(other));
            assert_eq!(one.agrees(&other), agree, "{one:?} {other:?}");
            assert_eq!(other.agrees(&one), agree, "{other:?} {one:?}");
            assert_eq!(StatedTime::from_entry(&one.entry()), one);
            let (first, end) = one.range();
            assert!(!agree || (first..end).contains(&other.entry()), "{one:?} {other:?}");
        }
    }
}
