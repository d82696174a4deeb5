//! The parts that dates and times are made of, each of them one word.

use jiff::SignedDuration;
use jiff::civil::{Date, Time};

use super::months::{self, Month};
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::file::time::text::nanoseconds;
use crate::listing::scan::{Scan, is_digits, small, split_once, split_twice};

/// The date of `yyyy-MM-dd`, `yyyy/MM/dd` or `yyyy.MM.dd`.
pub(in crate::listing) fn ymd(word: &[u8]) -> Option<Date> {
    let separator = *word.get(4)?;
    if !matches!(separator, b'-' | b'/' | b'.') {
        return None;
    }
    let [year_digits, month, day] = split_twice(word, separator)?;
    if !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return None;
    }
    let (month, day) = (small(month)?, small(day)?);
    Date::new(year(year_digits)?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A time of which only the date is known.
pub(in crate::listing) fn day_of(date: Date) -> Modified {
    let at = date.to_datetime(Time::midnight());
    Modified {
        at,
        zone: Zone::Server,
        precision: Precision::Day,
        year_inferred: false,
        is_reference: false,
    }
}

/// A date with the time beside it.
pub(in crate::listing) fn at_time(date: Date, (time, precision): (Time, Precision)) -> Modified {
    let at = date.to_datetime(time);
    Modified { at, zone: Zone::Server, precision, year_inferred: false, is_reference: false }
}

/// The date of `24-APR-2003` or `12-Jan-14`, the inner `None` where the month is ambiguous.
pub(in crate::listing) fn dmy(word: &[u8]) -> Option<Option<Date>> {
    let [day, month, year_digits] = split_twice(word, b'-')?;
    let year = match year_digits.len() {
        2 => two_digit_year(small(year_digits)?),
        _ => year(year_digits)?,
    };
    let day = day_number(day)?;
    match months::month(month)? {
        Month::Known(month) => Date::new(year, month, day).ok().map(Some),
        Month::Ambiguous => Some(None),
    }
}

/// What a date of three numbers in one word means with the year, the month or the day first; none
/// where it means nothing in any order.
///
/// Dots are written by those who put the day first.
pub(in crate::listing) fn three_numbers(word: &[u8]) -> Option<[Option<Date>; 3]> {
    let separator = word.iter().copied().find(|byte| !byte.is_ascii_digit())?;
    if !matches!(separator, b'/' | b'.' | b'-') {
        return None;
    }
    let [first, second, third] = split_twice(word, separator)?;
    let dates = [
        date_of(first, second, third),
        date_of(third, first, second).filter(|_| separator != b'.'),
        date_of(third, second, first),
    ];
    let dates = match separator {
        b'.' if first.len() <= 2 => [None, None, dates[2]],
        _ => dates,
    };
    (dates != [None; 3]).then_some(dates)
}

/// The date of a year of two or four digits, and of a month and a day of one or two.
fn date_of(year: &[u8], month: &[u8], day: &[u8]) -> Option<Date> {
    if !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return None;
    }
    let year = match year.len() {
        2 => two_digit_year(small(year)?),
        _ => self::year(year)?,
    };
    Date::new(year, i8::try_from(small(month)?).ok()?, i8::try_from(small(day)?).ok()?).ok()
}

/// The year of two digits from 1980, when DOS began to count, to 2079.
pub(in crate::listing) fn two_digit_year(year: i16) -> i16 {
    if year < 80 { 2000 + year } else { 1900 + year }
}

pub(in crate::listing) fn on_day(year: i16, month: i8, day: i8) -> Option<Modified> {
    Date::new(year, month, day).ok().map(day_of)
}

/// A year of four digits, with or without the sign of Japanese, Chinese and Korean servers.
pub(in crate::listing) fn year(word: &[u8]) -> Option<i16> {
    let (digits, _sign) = number_and_sign(word)?;
    let year = small(digits).filter(|_| digits.len() == 4)?;
    (1000..=9999).contains(&year).then_some(year)
}

/// A day of one or two digits, as in `2`, `02`, `2.`, `2,` and `2日`.
pub(in crate::listing) fn day_number(word: &[u8]) -> Option<i8> {
    let digits = match word {
        [digits @ .., b'.' | b','] => digits,
        word => number_and_sign(word)?.0,
    };
    let day = small(digits).filter(|_| digits.len() <= 2)?;
    i8::try_from(day).ok().filter(|day| (1..=31).contains(day))
}

/// The month of `3月` and what is written behind it in the same word, such as `2日`.
pub(in crate::listing) fn month_number_with_sign(word: &[u8]) -> Option<(i8, &[u8])> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, rest) = word.split_at_checked(digits)?;
    let month = i8::try_from(small(number)?).ok().filter(|month| (1..=12).contains(month))?;
    let sign = rest.iter().take_while(|byte| !byte.is_ascii_digit()).count();
    let (sign, rest) = rest.split_at_checked(sign)?;
    (!sign.is_empty() && is_sign(sign)).then_some((month, rest))
}

/// The digits of a number and the sign behind it, if any, that says what it counts.
fn number_and_sign(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, sign) = word.split_at_checked(digits)?;
    (sign.is_empty() || is_sign(sign)).then_some((digits, sign))
}

/// Whether bytes may be one character such as 月, 日 or 년, in an encoding that nobody states:
/// a byte that is not ASCII, and one to three more.
fn is_sign(sign: &[u8]) -> bool {
    sign.len() <= 4 && sign.first().is_some_and(|byte| !byte.is_ascii())
}

/// A time of day as in `3:04`, `03:04`, `03:04:05` and `03:04:05.678`.
pub(in crate::listing) fn time(word: &[u8]) -> Option<(Time, Precision)> {
    let (hour, rest) = split_once(word, b':')?;
    let (minute, second) = match split_once(rest, b':') {
        Some((minute, second)) => (minute, Some(second)),
        None => (rest, None),
    };
    let (second, fraction) = match second.map(|second| (second, split_once(second, b'.'))) {
        Some((_, Some((second, fraction)))) => (Some(second), Some(fraction)),
        Some((second, None)) => (Some(second), None),
        None => (None, None),
    };
    let two_digits = |part: &[u8]| part.len() == 2 && is_digits(part);
    if hour.len() > 2 || minute.len() > 2 || second.is_some_and(|second| !two_digits(second)) {
        return None;
    }
    let part = |digits| i8::try_from(small(digits)?).ok();
    let (precision, nanosecond) = match (second, fraction) {
        (None, _) => (Precision::Minute, 0),
        (Some(_), None) => (Precision::Second, 0),
        (Some(_), Some(fraction)) => (Precision::Fraction, nanoseconds(fraction)?),
    };
    let second = second.map_or(Some(0), part)?;
    Some((Time::new(part(hour)?, part(minute)?, second, nanosecond).ok()?, precision))
}

/// `17:03`, `05:03PM`, `05:03 PM`, with or without seconds.
pub(in crate::listing) fn time_of_day(scan: &mut Scan<'_>) -> Option<(Time, Precision)> {
    let word = scan.word()?;
    let mut behind = *scan;
    if let Some(half) = behind.word().and_then(half_of_day)
        && let Some(time) = time(word)
    {
        *scan = behind;
        return half.at(time);
    }
    time_in_word(word)
}

/// `17:03` or `05:03PM`, with or without seconds.
pub(in crate::listing) fn time_in_word(word: &[u8]) -> Option<(Time, Precision)> {
    let letters = word.iter().position(u8::is_ascii_alphabetic).unwrap_or(word.len());
    let (digits, letters) = word.split_at_checked(letters)?;
    let time = time(digits)?;
    if letters.is_empty() { Some(time) } else { half_of_day(letters)?.at(time) }
}

/// Before or after noon.
#[derive(Clone, Copy)]
enum Half {
    Morning,
    Afternoon,
}

fn half_of_day(word: &[u8]) -> Option<Half> {
    match word {
        [b'A' | b'a'] | [b'A' | b'a', b'M' | b'm'] => Some(Half::Morning),
        [b'P' | b'p'] | [b'P' | b'p', b'M' | b'm'] => Some(Half::Afternoon),
        _ => None,
    }
}

impl Half {
    /// The time of day that a clock of twelve hours shows; some count them from 0.
    fn at(self, (time, precision): (Time, Precision)) -> Option<(Time, Precision)> {
        let hour = match (self, time.hour()) {
            (_, 13..) => return None,
            (Self::Morning, hour) => hour % 12,
            (Self::Afternoon, hour) => hour % 12 + 12,
        };
        let time = Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()?;
        Some((time, precision))
    }
}

/// The offset of `+0100`.
pub(in crate::listing) fn offset(word: &[u8]) -> Option<SignedDuration> {
    let (sign, digits) = word.split_first()?;
    let (hours, minutes) = digits.split_at_checked(2).filter(|_| digits.len() == 4)?;
    let minutes = i64::from(small(hours)?) * 60 + i64::from(small(minutes)?);
    match sign {
        b'+' => Some(SignedDuration::from_mins(minutes)),
        b'-' => Some(SignedDuration::from_mins(-minutes)),
        _ => None,
    }
}

/// The orders in which a listing's dates may be written: year, month or day first.
///
/// A server writes all of them in the same one, so that `28/11/15` tells what `04/12/15` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listing) struct Orders([bool; 3]);

impl Orders {
    /// Any order.
    pub(in crate::listing) const ANY: Self = Self([true; 3]);

    /// Those in which a date is possible and not in the future; `dates` are what it means in each.
    pub(in crate::listing) fn of(
        dates: [Option<Date>; 3],
        is_future: impl Fn(Date) -> bool,
    ) -> Self {
        Self(dates.map(|date| date.is_some_and(|date| !is_future(date))))
    }

    /// Those in which the first date of three numbers in a line is possible; none where the line has
    /// no such date.
    pub(in crate::listing) fn of_line(
        line: &[u8],
        is_future: impl Fn(Date) -> bool,
    ) -> Option<Self> {
        let mut scan = Scan(line);
        while let Some(word) = scan.word() {
            if let Some(dates) = three_numbers(word) {
                return Some(Self::of(dates, is_future));
            }
        }
        None
    }

    /// These orders, less those that `other` rules out, unless that leaves none.
    pub(in crate::listing) fn within(self, other: Self) -> Self {
        let (Self([a, b, c]), Self([d, e, f])) = (self, other);
        let both = [a && d, b && e, c && f];
        if both == [false; 3] { self } else { Self(both) }
    }

    /// Whether the month may come first.
    pub(in crate::listing) fn may_be_month_first(self) -> bool {
        let Self([_, month_first, _]) = self;
        month_first
    }

    /// The date, where it is the same in all these orders.
    pub(in crate::listing) fn only_one(self, dates: [Option<Date>; 3]) -> Option<Date> {
        let mut possible =
            dates.into_iter().zip(self.0).filter_map(|(date, may)| date.filter(|_| may));
        let first = possible.next()?;
        possible.all(|date| date == first).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;
    use crate::file::time::text::format_text;
    use crate::listing::date::ls::{Clock, named};

    #[test]
    fn clocks_of_twelve_hours_count_from_0_or_12() {
        for (text, expected) in [
            ("00:34AM", Some("00:34:00")),
            ("12:34AM", Some("00:34:00")),
            ("00:34PM", Some("12:34:00")),
            ("12:34 pm", Some("12:34:00")),
            ("11:59:58 P", Some("23:59:58")),
            ("10:11", Some("10:11:00")),
            ("13:31PM", None),
            ("10:11XM", None),
            ("24:00AM", None),
        ] {
            let time = time_of_day(&mut Scan(text.as_bytes()));
            assert_eq!(time.map(|(time, _)| time.to_string()).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn three_numbers_mean_a_date_in_some_order() {
        for (word, orders) in [
            ("2026/11/23", [Some("2026-11-23"), None, None]),
            ("2026.11.23", [Some("2026-11-23"), None, None]),
            ("23/11/2026", [None, None, Some("2026-11-23")]),
            ("11-23-2026", [None, Some("2026-11-23"), None]),
            ("3/4/2026", [None, Some("2026-03-04"), Some("2026-04-03")]),
            ("05-06-07", [Some("2005-06-07"), Some("2007-05-06"), Some("2007-06-05")]),
            ("05.06.07", [None, None, Some("2007-06-05")]),
            ("23.11.2026", [None, None, Some("2026-11-23")]),
        ] {
            let dates = three_numbers(word.as_bytes()).unwrap_or_else(|| panic!("{word}"));
            let text = dates.map(|date| date.map(|date| date.to_string()));
            assert_eq!(text.each_ref().map(|date| date.as_deref()), orders, "{word}");
        }
        for word in ["31-32-33", "1.2.3.4", "1/2", "11_23_26", "123-1-1", "a-b-c", "11-23-26.csv"] {
            assert_eq!(three_numbers(word.as_bytes()), None, "{word}");
        }
    }

    #[test]
    fn signs_may_be_in_any_encoding() {
        let clock = Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0));
        for (text, expected) in [
            // Shift_JIS, whose second bytes may be ASCII, and EUC.
            (&b"4\x8c\x8e 18\x93\xfa 2003\x94\x4e x"[..], "2003-04-18 00:00:00.000"),
            (b"2003   3\xed\xef 20 x", "2003-03-20 00:00:00.000"),
            (b"8\xed 17 08:52 x", "2026-08-17 08:52:00.000"),
        ] {
            let (modified, rest) = named(Scan(text), &clock).unwrap();
            assert_eq!(format_text(modified.unwrap().at), expected);
            assert_eq!(rest.name_after_one_blank(), Some(&b"x"[..]));
        }
    }
}
