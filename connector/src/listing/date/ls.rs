//! The dates of `ls -l`: month first, day first, ISO and numeric, with a year or with a time.

use jiff::Span;
use jiff::civil::{Date, DateTime, Time};

use super::months::{self, Month};
use super::parts::Orders;
use super::parts::{
    at_time, day_number, day_of, dmy, month_number_with_sign, offset, on_day, time, year, ymd,
};
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::listing::scan::{Scan, is_digits, small, split_once, split_twice};

/// What the client's clock says, to complete dates that lack a year, and what the listing says of
/// the order of its dates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The orders that the dates of IBM i may be in.
    pub(in crate::listing) orders: Orders,
    now: DateTime,
    latest: DateTime,
    tomorrow: DateTime,
}

impl Clock {
    /// A clock that shows `now`, in any zone: a day more or less does not matter here.
    pub(crate) fn new(now: DateTime) -> Self {
        let later = |days| now.checked_add(Span::new().days(days)).unwrap_or(DateTime::MAX);
        Self { orders: Orders::ANY, now, latest: later(183), tomorrow: later(1) }
    }

    /// The same clock for servers that print the time of day for all of the past year.
    pub(in crate::listing) fn looking_back(self) -> Self {
        Self { latest: self.tomorrow, ..self }
    }

    /// Completes a date that was printed with a time instead of a year.
    ///
    /// It lies in this calendar year, because IIS prints the time for the whole of it and BSD `ls`
    /// for the coming half-year too; in the last one, if that would be more than half a year
    /// ahead; in the next one only across New Year's Eve.
    fn complete(&self, month: i8, day: i8, time: Time) -> Option<DateTime> {
        let year = self.now.year();
        let in_year = |year| Some(Date::new(year, month, day).ok()?.to_datetime(time));
        if month == 1
            && self.now.month() == 12
            && let Some(at) = in_year(year.saturating_add(1))
            && at <= self.tomorrow
        {
            return Some(at);
        }
        match in_year(year) {
            Some(at) if at <= self.latest => Some(at),
            // 29 February exists in one of nine successive years.
            _ => (1..=8).find_map(|back| in_year(year.saturating_sub(back))),
        }
    }

    fn modified(&self, month: i8, day: i8, time: Time, precision: Precision) -> Option<Modified> {
        let at = self.complete(month, day, time)?;
        Some(Modified {
            at,
            zone: Zone::Server,
            precision,
            year_inferred: true,
            is_reference: false,
        })
    }

    /// Whether a time lies ahead by more than any difference of zones.
    pub(in crate::listing) fn is_future(&self, at: DateTime) -> bool {
        at > self.tomorrow
    }
}

/// A date at the front of a line and what follows it.
///
/// The time is absent where the words are a date but do not say which one.
pub(in crate::listing) type Dated<'l> = (Option<Modified>, Scan<'l>);

/// Reads a date whose month has a name or that is in ISO order.
pub(in crate::listing) fn named<'l>(at: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
    let mut scan = at;
    let first = scan.word()?;
    if !first.first()?.is_ascii_digit() {
        let month = months::month(first)?;
        return with_year_or_time(month, scan.word()?, scan, clock);
    }
    if first.get(..4).is_some_and(is_digits) {
        // Columns before the date, a size or an owner's number, come by here too.
        let has_separator = first.get(4).is_some_and(|byte| matches!(byte, b'-' | b'/' | b'.'));
        return if has_separator { iso(first, scan) } else { year_first(first, scan) };
    }
    if let Some((month, day)) = month_number_with_sign(first) {
        let day = if day.is_empty() { scan.word()? } else { day };
        return with_year_or_time(Month::Known(month), day, scan, clock);
    }
    let day = day_number(first)?;
    complete(months::month(scan.word()?)?, day, scan, clock)
}

/// `01-jun-99`, and `24-04-2003` where its order shows, each with or without a time behind it.
fn day_month_year<'l>(first: &[u8], scan: Scan<'l>) -> Option<Dated<'l>> {
    let date = match dmy(first) {
        Some(date) => date,
        None => {
            let [one, two, year_digits] = split_twice(first, b'-')?;
            let (one, two, year) = (day_number(one)?, day_number(two)?, year(year_digits)?);
            match (Date::new(year, two, one), Date::new(year, one, two)) {
                (Ok(day_first), Ok(month_first)) if day_first != month_first => None,
                (Ok(date), _) | (_, Ok(date)) => Some(date),
                _ => return None,
            }
        }
    };
    let mut behind = scan;
    match behind.word().and_then(time) {
        Some(time) => Some((date.map(|date| at_time(date, time)), behind)),
        None => Some((date.map(day_of), scan.behind_padding())),
    }
}

/// `2005년 1월 6일`, in whatever characters the server writes the signs.
fn year_first<'l>(first: &[u8], mut scan: Scan<'l>) -> Option<Dated<'l>> {
    let year = year(first)?;
    let (month, day) = month_number_with_sign(scan.word()?)?;
    let day = if day.is_empty() { scan.word()? } else { day };
    Some((Some(on_day(year, month, day_number(day)?)?), scan))
}

/// Reads a date whose month is a number and not in ISO order, `3 29 03:26` or `09-26 2000`, or
/// that is one word, `01-jun-99` or `24-04-2003`.
///
/// The columns before the date are numbers too, so this comes after everything else failed.
pub(in crate::listing) fn numeric<'l>(at: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
    let mut scan = at;
    let first = scan.word()?;
    let (month, day) = match split_once(first, b'-') {
        Some((_, rest)) if rest.contains(&b'-') => return day_month_year(first, scan),
        Some(parts) => parts,
        None => (first, scan.word()?),
    };
    let month = i8::try_from(small(month)?).ok().filter(|month| (1..=12).contains(month))?;
    complete(Month::Known(month), day_number(day)?, scan, clock)
}

/// Completes month and day; a day with a comma has the year behind it and often a time too.
fn with_year_or_time<'l>(
    month: Month,
    day: &[u8],
    scan: Scan<'l>,
    clock: &Clock,
) -> Option<Dated<'l>> {
    let number = day_number(day)?;
    let dated = complete(month, number, scan, clock)?;
    let mut behind = dated.1;
    if day.ends_with(b",")
        && let Some(day) = dated.0.filter(|modified| modified.precision == Precision::Day)
        && let Some(time) = behind.word().and_then(time)
    {
        return Some((Some(at_time(day.at.date(), time)), behind));
    }
    Some(dated)
}

/// Completes month and day by the word that follows: a year, a time, or BSD's `ls -T` both.
fn complete<'l>(month: Month, day: i8, mut scan: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
    let blanks = scan.skip_blanks();
    let word = scan.word()?;
    if let Some(year) = year(word) {
        // AIX aligns years to the left: the blank that others print before them is behind them.
        if blanks == 1 && scan.0.starts_with(b"  ") {
            scan.skip_blank();
        }
        return Some((dated(month, |month| on_day(year, month, day))?, scan));
    }
    if word == b"24:00" {
        let next = |modified: Modified| {
            let at = modified.at.tomorrow().ok()?;
            Some(Modified { at, ..modified })
        };
        let at = |month| next(clock.modified(month, day, Time::midnight(), Precision::Minute)?);
        return Some((dated(month, at)?, scan));
    }
    let (time, precision) = time(word)?;
    let mut behind = scan;
    if precision == Precision::Second
        && let Some(year) = behind.word().and_then(year)
    {
        let at = |month| {
            let at = Date::new(year, month, day).ok()?.to_datetime(time);
            Some(Modified {
                at,
                zone: Zone::Server,
                precision,
                year_inferred: false,
                is_reference: false,
            })
        };
        return Some((dated(month, at)?, behind));
    }
    let at = |month| clock.modified(month, day, time, precision);
    Some((dated(month, at)?, scan))
}

/// No time for an ambiguous month, and no date at all for an impossible one.
fn dated(month: Month, at: impl Fn(i8) -> Option<Modified>) -> Option<Option<Modified>> {
    match month {
        Month::Known(month) => at(month).map(Some),
        Month::Ambiguous => Some(None),
    }
}

/// `2024-01-02`, with `03:04`, `03:04:05` or `03:04:05.678901234 +0100` behind it or alone.
fn iso<'l>(first: &'l [u8], mut scan: Scan<'l>) -> Option<Dated<'l>> {
    let date = ymd(first)?;
    let mut behind = scan;
    let Some((time, precision)) = behind.word().and_then(time) else {
        return Some((Some(day_of(date)), scan.behind_padding()));
    };
    scan = behind;
    let at = date.to_datetime(time);
    let mut modified =
        Modified { at, zone: Zone::Server, precision, year_inferred: false, is_reference: false };
    // `--time-style=full-iso` prints an offset behind a fraction, BusyBox behind seconds.
    if precision >= Precision::Second
        && let Some(offset) = behind.word().and_then(offset)
    {
        modified = Modified::utc(at.checked_sub(offset).ok()?, precision);
        scan = behind;
    }
    Some((Some(modified), scan))
}

/// Whether a word may begin a date: the name of a month, or all of an ISO date.
pub(in crate::listing) fn is_part(word: &[u8]) -> bool {
    months::month(word).is_some() || ymd(word).is_some()
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;
    use crate::file::time::text::format_text;

    fn read(text: &str, now: DateTime) -> Option<(String, Precision, bool)> {
        let clock = Clock::new(now);
        let scan = Scan(text.as_bytes());
        let (modified, rest) = named(scan, &clock).or_else(|| numeric(scan, &clock))?;
        assert_eq!(rest.name_after_one_blank(), Some(&b"x"[..]), "{text}");
        let modified = modified?;
        Some((format_text(modified.at), modified.precision, modified.year_inferred))
    }

    #[test]
    fn dates_with_a_year() {
        let now = datetime(2026, 11, 22, 18, 0, 0, 0);
        for (text, expected, precision) in [
            ("Feb  3  2001 x", "2001-02-03 00:00:00.000", Precision::Day),
            ("3 Feb  2001 x", "2001-02-03 00:00:00.000", Precision::Day),
            ("3. Feb. 2001 x", "2001-02-03 00:00:00.000", Precision::Day),
            ("6月 3日 2003年 x", "2003-06-03 00:00:00.000", Precision::Day),
            ("09-26 2000 x", "2000-09-26 00:00:00.000", Precision::Day),
            ("Feb 29  2024 x", "2024-02-29 00:00:00.000", Precision::Day),
            ("Mar  2 15:13:44 2003 x", "2003-03-02 15:13:44.000", Precision::Second),
            ("2024-01-02 x", "2024-01-02 00:00:00.000", Precision::Day),
            ("2024-01-02 03:04 x", "2024-01-02 03:04:00.000", Precision::Minute),
            ("2024-01-02 03:04:05 x", "2024-01-02 03:04:05.000", Precision::Second),
            ("2024-01-02 00:04:05 +0100 x", "2024-01-01 23:04:05.000", Precision::Second),
            (
                "2024-01-02 00:04:05.678901234 +0100 x",
                "2024-01-01 23:04:05.678",
                Precision::Fraction,
            ),
        ] {
            assert_eq!(read(text, now), Some((expected.to_owned(), precision, false)), "{text}");
        }
    }

    #[test]
    fn dates_without_a_year_get_the_likeliest() {
        for (now, text, expected) in [
            ((2026, 11, 22), "Nov 22 17:25 x", "2026-11-22 17:25:00.000"),
            ((2026, 11, 22), "Jan 15 08:00 x", "2026-01-15 08:00:00.000"),
            ((2026, 1, 5), "Dec 30 23:59 x", "2025-12-30 23:59:00.000"),
            ((2026, 12, 31), "Jan  1 00:30 x", "2027-01-01 00:30:00.000"),
            ((2026, 12, 31), "Jan  4 00:30 x", "2026-01-04 00:30:00.000"),
            ((2026, 3, 10), "Jul 10 10:18 x", "2026-07-10 10:18:00.000"),
            ((2026, 3, 10), "Nov  9 19:45 x", "2025-11-09 19:45:00.000"),
            ((2026, 3, 10), "Feb 29 10:00 x", "2024-02-29 10:00:00.000"),
            ((2024, 1, 10), "Feb 29 10:00 x", "2024-02-29 10:00:00.000"),
            ((1903, 3, 10), "Feb 29 10:00 x", "1896-02-29 10:00:00.000"),
            ((2026, 3, 10), "3 29 03:26 x", "2026-03-29 03:26:00.000"),
            ((2026, 3, 10), "3月17日 0:26 x", "2026-03-17 00:26:00.000"),
            ((2026, 3, 10), "02 Mar 16:27 x", "2026-03-02 16:27:00.000"),
        ] {
            let now = datetime(now.0, now.1, now.2, 18, 0, 0, 0);
            assert_eq!(
                read(text, now),
                Some((expected.to_owned(), Precision::Minute, true)),
                "{text}"
            );
        }
    }

    #[test]
    fn impossible_dates_are_none() {
        let now = datetime(2026, 11, 22, 18, 0, 0, 0);
        for text in [
            "Jam  4 00:03 x",
            "Feb 23 30:01 x",
            "Aug 36  2001 x",
            "Aug 22  x",
            "Apr -7 18:79 x",
            "Aug 26  20 x",
            "Aug 26  201O x",
            "Dec 02  209 x",
            "Feb 30  2001 x",
            "Feb 29  2001 x",
            "13 29 03:26 x",
            "2024-13-02 03:04 x",
            "Feb",
            "",
        ] {
            assert_eq!(read(text, now), None, "{text}");
        }
    }

    #[test]
    fn an_ambiguous_month_is_a_date_without_a_time() {
        let clock = Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0));
        let (modified, rest) = named(Scan(b"lip  3 12:00 x"), &clock).unwrap();
        assert_eq!((modified, rest.name_after_one_blank()), (None, Some(&b"x"[..])));
    }

    #[test]
    fn the_ends_of_time_do_not_overflow() {
        for now in [DateTime::MIN, DateTime::MAX] {
            let clock = Clock::new(now);
            for text in ["Feb 29 10:00 x", "Dec 31 23:59 x", "Jan  1 00:00 x"] {
                let _ = named(Scan(text.as_bytes()), &clock);
            }
        }
    }
}
