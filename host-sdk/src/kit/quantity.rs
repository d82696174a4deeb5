//! Spans of time and numbers of bytes as people write them: `90s`, `30d`, `10MiB`.

use std::time::Duration;

/// The span that `text` states: one number and unit, or several of them, such as `1h 30m`.
///
/// Units are those of the crate humantime: `ms`, `s`, `m` or `min`, `h`, `d`, `w` and longer names.
/// None for another text, which a number without a unit is.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    humantime::parse_duration(text.trim()).ok()
}

/// The number of bytes that `text` states, such as `10MiB`, `1.5 GB` or `4096`.
///
/// Units with an `i` count in powers of 1024, others in powers of 1000. None for another text.
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    text.trim().parse::<bytesize::ByteSize>().ok().map(|size| size.as_u64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_units() {
        let cases = [
            ("90s", Some(90_000)),
            (" 1h 30m ", Some(5_400_000)),
            ("30d", Some(2_592_000_000)),
            ("2 weeks", Some(1_209_600_000)),
            ("500ms", Some(500)),
            ("30", None),
            ("-1s", None),
            ("1 fortnight", None),
            ("", None),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(parse_duration(text), milliseconds.map(Duration::from_millis), "{text:?}");
        }
    }

    #[test]
    fn sizes_may_have_units() {
        let cases = [
            ("4096", Some(4096)),
            ("10MiB", Some(10 << 20)),
            ("1 KB", Some(1000)),
            ("1.5GiB", Some(3 << 29)),
            ("10 m i b", None),
            ("-1", None),
            ("", None),
        ];
        for (text, bytes) in cases {
            assert_eq!(parse_size(text), bytes, "{text:?}");
        }
    }
}
