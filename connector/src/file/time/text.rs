//! Times as text: the reference's `yyyy-MM-dd HH:mm:ss.SSS` and RFC 3659's
//! `YYYYMMDDHHMMSS[.sss]`.

use jiff::civil::{Date, DateTime, Time};

/// The reference's text, `yyyy-MM-dd HH:mm:ss.SSS`.
pub(crate) fn format_text(at: DateTime) -> String {
    let mut text = String::with_capacity(TEXT_LENGTH);
    if at.year() < 0 {
        text.push('-');
    }
    let parts = [
        (i32::from(at.year().abs()), 4, '-'),
        (i32::from(at.month()), 2, '-'),
        (i32::from(at.day()), 2, ' '),
        (i32::from(at.hour()), 2, ':'),
        (i32::from(at.minute()), 2, ':'),
        (i32::from(at.second()), 2, '.'),
    ];
    for (number, width, end) in parts {
        push_digits(&mut text, number, width);
        text.push(end);
    }
    push_digits(&mut text, i32::from(at.millisecond()), 3);
    text
}

/// The length of `yyyy-MM-dd HH:mm:ss.SSS`.
const TEXT_LENGTH: usize = 23;

/// Adds the last `width` digits of `number`. A listing has two times for each of its lines, and
/// formatting them in general takes longer than reading the line.
fn push_digits(text: &mut String, number: i32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_i32.pow(place) % 10;
        text.push(
            u32::try_from(digit).ok().and_then(|digit| char::from_digit(digit, 10)).unwrap_or('0'),
        );
    }
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
