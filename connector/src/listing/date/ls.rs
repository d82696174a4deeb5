//! The dates of `ls -l`: month first, day first, ISO and numeric, with a year or with a time.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span};

use super::months::{self, Month};
use super::parts::{
    Orders, at_time, day_number, day_of, dmy, month_number_with_sign, offset, on_day,
    three_numbers, time, time_in_word, year, ymd,
};
use super::weekdays;
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::listing::scan::{Scan, is_digits, small, split_once};

/// What the client's clock says, to complete dates that lack a year, and what the listing says of
/// the order of its dates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// The orders that the dates of IBM i may be in.
    pub(in crate::listing) orders: Orders,
    now: DateTime,
    tomorrow: DateTime,
}

impl Clock {
    /// A clock that shows `now`, in any zone: a day more or less does not matter here.
    pub(crate) fn new(now: DateTime) -> Self {
        let tomorrow = now.checked_add(Span::new().days(1)).unwrap_or(DateTime::MAX);
        Self { orders: Orders::ANY, now, tomorrow }
    }

    /// Completes a date that was printed with a time instead of a year.
    ///
    /// It is the latest one that is no more than a day ahead: clocks and zones may differ by that
    /// much, across New Year's Eve too, and what lies further ahead is of last year.
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
            Some(at) if at <= self.tomorrow => Some(at),
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

    /// Whether a date lies ahead by more than any difference of zones.
    pub(in crate::listing) fn is_future(&self, date: Date) -> bool {
        date.to_datetime(Time::midnight()) > self.tomorrow
    }

    /// The date of three numbers, where only one is possible in a listing in these orders.
    pub(in crate::listing) fn only_one(&self, dates: [Option<Date>; 3]) -> Option<Date> {
        let possible = Orders::of(dates, |date| self.is_future(date));
        possible.within(self.orders).only_one(dates)
    }
}

/// A date at the front of a line and what follows it.
///
/// The time is absent where the words are a date but do not say which one.
pub(in crate::listing) type Dated<'l> = (Option<Modified>, Scan<'l>);

/// Reads a date whose month has a name or that is in ISO order, behind a day of the week or not.
pub(in crate::listing) fn named<'l>(at: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
    // `mar` is a month in some languages, and a day of the week in others.
    month_or_iso(at, clock).or_else(|| {
        let mut behind = at;
        weekdays::is_weekday(behind.word()?).then(|| month_or_iso(behind, clock))?
    })
}

fn month_or_iso<'l>(at: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
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

/// `01-jun-99`, `24-04-2003`, `23/11/2026` and `23.11.2026`, each with or without a time behind it;
/// the date is absent where its order does not show.
fn one_word<'l>(first: &[u8], scan: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
    let date = match dmy(first) {
        Some(date) => date,
        None => clock.only_one(three_numbers(first)?),
    };
    let mut behind = scan;
    match behind.word().and_then(time_in_word) {
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
/// that is one word, `01-jun-99` or `23/11/2026`.
///
/// The columns before the date are numbers too, so this comes after everything else failed.
pub(in crate::listing) fn numeric<'l>(at: Scan<'l>, clock: &Clock) -> Option<Dated<'l>> {
    let mut scan = at;
    let first = scan.word()?;
    if let Some(dated) = one_word(first, scan, clock) {
        return Some(dated);
    }
    let (month, day) = match split_once(first, b'-') {
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
        } else if blanks == 1
            && let Some((time, behind)) = time_before_name(scan)
        {
            let at = |month| Some(at_time(Date::new(year, month, day).ok()?, time));
            return Some((dated(month, at)?, behind));
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
    let (time, precision) = time_in_word(word)?;
    if precision == Precision::Second
        && let Some((year, zone, behind)) = year_and_zone(scan)
    {
        let at = |month| zone.modified(Date::new(year, month, day).ok()?, (time, precision));
        return Some((dated(month, at)?, behind));
    }
    let at = |month| clock.modified(month, day, time, precision);
    Some((dated(month, at)?, scan))
}

/// The time behind a year that is not padded to the width of a time: where a name follows, it is
/// no name itself.
fn time_before_name(mut scan: Scan<'_>) -> Option<((Time, Precision), Scan<'_>)> {
    let time = time_in_word(scan.word()?)?;
    scan.name_after_one_blank().is_some().then_some((time, scan))
}

/// What a word behind a time says of its zone.
enum Offset {
    /// Nothing that counts: the names of zones are not unique.
    Unknown,
    /// How far the clock is ahead of UTC.
    Known(SignedDuration),
}

impl Offset {
    /// The zone of `UTC`, `Z`, `+0100`, `CET`.
    fn parse(word: &[u8]) -> Option<Self> {
        match word {
            b"UTC" | b"GMT" | b"Z" | b"z" => Some(Self::Known(SignedDuration::ZERO)),
            word if (3..=5).contains(&word.len()) && word.iter().all(u8::is_ascii_uppercase) => {
                Some(Self::Unknown)
            }
            word => offset(word).map(Self::Known),
        }
    }

    fn modified(&self, date: Date, (time, precision): (Time, Precision)) -> Option<Modified> {
        match self {
            Self::Unknown => Some(at_time(date, (time, precision))),
            Self::Known(ahead) => {
                Some(Modified::utc(date.to_datetime(time).checked_sub(*ahead).ok()?, precision))
            }
        }
    }
}

/// The year of BSD's `ls -T`, and of `date` with the zone before it.
fn year_and_zone(mut scan: Scan<'_>) -> Option<(i16, Offset, Scan<'_>)> {
    let word = scan.word()?;
    if let Some(year) = year(word) {
        return Some((year, Offset::Unknown, scan));
    }
    let zone = Offset::parse(word)?;
    Some((year(scan.word()?)?, zone, scan))
}

/// No time for an ambiguous month, and no date at all for an impossible one.
fn dated(month: Month, at: impl Fn(i8) -> Option<Modified>) -> Option<Option<Modified>> {
    match month {
        Month::Known(month) => at(month).map(Some),
        Month::Ambiguous => Some(None),
    }
}

/// `2024-01-02`, with `03:04`, `03:04:05` or `03:04:05.678901234 +0100` behind it, with all of that
/// in the same word behind a `T`, or alone.
fn iso<'l>(first: &'l [u8], scan: Scan<'l>) -> Option<Dated<'l>> {
    if let Some((date, clock)) = split_once(first, b'T') {
        let digits = clock.iter().position(|byte| !matches!(byte, b'0'..=b'9' | b':' | b'.'));
        let (clock, zone) = clock.split_at_checked(digits.unwrap_or(clock.len()))?;
        let zone = if zone.is_empty() { Offset::Unknown } else { Offset::parse(zone)? };
        return Some((Some(zone.modified(ymd(date)?, time(clock)?)?), scan));
    }
    let date = ymd(first)?;
    let mut behind = scan;
    let Some((time, precision)) = behind.word().and_then(time_in_word) else {
        return Some((Some(day_of(date)), scan.behind_padding()));
    };
    // `--time-style=full-iso` prints an offset behind a fraction, BusyBox behind seconds.
    let mut further = behind;
    if precision >= Precision::Second
        && let Some(offset) = further.word().and_then(offset)
    {
        let modified = Offset::Known(offset).modified(date, (time, precision))?;
        return Some((Some(modified), further));
    }
    Some((Some(at_time(date, (time, precision))), behind))
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
            ("Nov 03 2026 10:11 x", "2026-11-03 10:11:00.000", Precision::Minute),
            ("Nov 03 2026 10:11PM x", "2026-11-03 22:11:00.000", Precision::Minute),
            ("Nov\t03\t2026\t10:11\tx", "2026-11-03 10:11:00.000", Precision::Minute),
            ("03 Nov 2026 10:11:12 x", "2026-11-03 10:11:12.000", Precision::Second),
            ("Nov  3 2026 10:11 x", "2026-11-03 10:11:00.000", Precision::Minute),
            ("Nov 03 2026 x", "2026-11-03 00:00:00.000", Precision::Day),
            ("Tue Nov 03 2026 x", "2026-11-03 00:00:00.000", Precision::Day),
            ("Tue, 3 Nov 2026 10:11 x", "2026-11-03 10:11:00.000", Precision::Minute),
            ("Tue Nov  3 10:11:12 2026 x", "2026-11-03 10:11:12.000", Precision::Second),
            ("Tue Nov  3 10:11:12 CET 2026 x", "2026-11-03 10:11:12.000", Precision::Second),
            ("Tue Nov  3 10:11:12 +0100 2026 x", "2026-11-03 09:11:12.000", Precision::Second),
            ("mar. 3 nov. 2026 x", "2026-11-03 00:00:00.000", Precision::Day),
            ("23/11/2025 x", "2025-11-23 00:00:00.000", Precision::Day),
            ("23/11/2025 10:11 x", "2025-11-23 10:11:00.000", Precision::Minute),
            ("11/23/2025 10:11:12 x", "2025-11-23 10:11:12.000", Precision::Second),
            ("11-23-25 10:11 x", "2025-11-23 10:11:00.000", Precision::Minute),
            ("23.11.2025 10:11 x", "2025-11-23 10:11:00.000", Precision::Minute),
            ("3.4.2025 10:11 x", "2025-04-03 10:11:00.000", Precision::Minute),
            ("2025/11/23 10:11 x", "2025-11-23 10:11:00.000", Precision::Minute),
            ("2025-11-23T10:11:12 x", "2025-11-23 10:11:12.000", Precision::Second),
            ("2025-11-23T10:11:12Z x", "2025-11-23 10:11:12.000", Precision::Second),
            ("2025-11-23T10:11+0100 x", "2025-11-23 09:11:00.000", Precision::Minute),
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
            ((2026, 3, 10), "Jul 10 10:18 x", "2025-07-10 10:18:00.000"),
            ((2026, 3, 10), "Mar 11 10:18 x", "2026-03-11 10:18:00.000"),
            ((2026, 3, 10), "Mar 12 10:18 x", "2025-03-12 10:18:00.000"),
            ((2026, 3, 10), "Tue Mar 10 10:18 x", "2026-03-10 10:18:00.000"),
            ((2026, 1, 1), "Jan  2 10:18 x", "2026-01-02 10:18:00.000"),
            ((2026, 3, 10), "Mar 10 10:18AM x", "2026-03-10 10:18:00.000"),
            ((2026, 3, 10), "Nov  9 19:45 x", "2025-11-09 19:45:00.000"),
            ((2026, 3, 10), "Feb 29 10:00 x", "2024-02-29 10:00:00.000"),
            ((2024, 1, 10), "Feb 29 10:00 x", "2020-02-29 10:00:00.000"),
            ((1903, 3, 10), "Feb 29 10:00 x", "1896-02-29 10:00:00.000"),
            ((2026, 4, 10), "3 29 03:26 x", "2026-03-29 03:26:00.000"),
            ((2026, 4, 10), "3月17日 0:26 x", "2026-03-17 00:26:00.000"),
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
            "31/31/2026 x",
            "Tue Wed Nov  3 10:11 x",
            "Tue 10:11 x",
            "2025-11-23Tx x",
            "13 29 03:26 x",
            "2024-13-02 03:04 x",
            "Feb",
            "",
        ] {
            assert_eq!(read(text, now), None, "{text}");
        }
    }

    #[test]
    fn a_time_belongs_to_a_name_where_the_year_is_padded() {
        let clock = Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0));
        for (text, name) in [
            ("Nov  3  2025 10:11 a.csv", "10:11 a.csv"),
            ("Nov  3 2025  10:11 a.csv", "10:11 a.csv"),
            ("Nov 03 2025 10:11", "10:11"),
            ("Nov 03 2025 10:11 a.csv", "a.csv"),
            ("Nov 03 2025 10:71 a.csv", "10:71 a.csv"),
        ] {
            let (_, rest) = named(Scan(text.as_bytes()), &clock).unwrap();
            assert_eq!(rest.name_after_one_blank(), Some(name.as_bytes()), "{text}");
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
