//! Times as text: the reference's `yyyy-MM-dd HH:mm:ss.SSS` and RFC 3659's
//! `YYYYMMDDHHMMSS[.sss]`.

use jiff::civil::{Date, DateTime, Time};

use super::{Modified, Precision};

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

    #[test]
    fn time_val_is_read_literally() {
        let modified = parse_time_val(b"20150813224845").unwrap();
        assert_eq!(
            modified,
            Modified::utc(datetime(2015, 8, 13, 22, 48, 45, 0), Precision::Second)
        );
        assert_eq!(format_time_val(modified.at), "20150813224845");
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
