//! Times as text: the reference's `yyyy-MM-dd HH:mm:ss.SSS` and RFC 3659's
//! `YYYYMMDDHHMMSS[.sss]`.

use jiff::civil::{Date, DateTime, Time};

/// The reference's text, `yyyy-MM-dd HH:mm:ss.SSS`.
pub(crate) fn format_text(at: DateTime) -> String {
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02}:{:02}.{:03}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second(),
        at.millisecond()
    )
}

/// The time that the reference's text states; none for any other form and for impossible times.
pub(crate) fn parse_text(text: &str) -> Option<DateTime> {
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        o1,
        o2,
        b'-',
        d1,
        d2,
        b' ',
        h1,
        h2,
        b':',
        m1,
        m2,
        b':',
        s1,
        s2,
        b'.',
        f @ ..,
    ] = text.as_bytes()
    else {
        return None;
    };
    let &[f1, f2, f3] = f else {
        return None;
    };
    let year = i16::from(two(*y1, *y2)?) * 100 + i16::from(two(*y3, *y4)?);
    let date = Date::new(year, two(*o1, *o2)?, two(*d1, *d2)?).ok()?;
    let milliseconds = i32::from(two(f1, f2)?) * 10 + i32::from(two(b'0', f3)?);
    let (hour, minute, second) = (two(*h1, *h2)?, two(*m1, *m2)?, two(*s1, *s2)?);
    Some(date.to_datetime(Time::new(hour, minute, second, milliseconds * 1_000_000).ok()?))
}

/// RFC 3659's `time-val` of `at`, to the second, as MFMT takes it.
pub(crate) fn format_time_val(at: DateTime) -> String {
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    )
}

/// The nanoseconds that the digits after a decimal point mean; digits beyond the ninth are cut.
pub(crate) fn nanoseconds(digits: &[u8]) -> Option<i32> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some(padded.fold(0, |sum, digit| sum * 10 + i32::from(digit - b'0')))
}

/// The number that two digits mean.
pub(crate) fn two(tens: u8, ones: u8) -> Option<i8> {
    if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
        return None;
    }
    i8::try_from((tens - b'0') * 10 + (ones - b'0')).ok()
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn reference_text_round_trips() {
        let at = datetime(2026, 11, 1, 23, 59, 59, 7_000_000);
        assert_eq!(format_text(at), "2026-11-01 23:59:59.007");
        assert_eq!(parse_text("2026-11-01 23:59:59.007"), Some(at));
        assert!(parse_text("2026-11-01 00:00:00.000") < parse_text("2026-11-01 00:00:00.001"));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in [
            "",
            "2026-11-01",
            "2026-11-01 00:00:00",
            "2026-11-01T00:00:00.000",
            "2026-11-01 00:00:00.0000",
            " 2026-11-01 00:00:00.000",
            "2026-11-31 00:00:00.000",
            "2026-13-01 00:00:00.000",
            "2026-11-01 24:00:00.000",
            "2026-11-01 00:00:60.000",
            "+026-11-01 00:00:00.000",
            "２026-11-01 00:00:00.000",
        ] {
            assert_eq!(parse_text(text), None, "{text}");
        }
    }
}
