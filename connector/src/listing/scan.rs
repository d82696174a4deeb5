//! Words and numbers at the front of a byte string.

/// The rest of a line that is read word by word.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan<'l>(pub(super) &'l [u8]);

impl<'l> Scan<'l> {
    /// Takes the next word and the blanks before it; the blank behind it stays.
    pub(super) fn word(&mut self) -> Option<&'l [u8]> {
        self.skip_blanks();
        let length = self.0.iter().position(|byte| is_blank(*byte)).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        (!word.is_empty()).then_some(word)
    }

    /// The word behind `count` others.
    pub(super) fn nth_word(mut self, count: usize) -> Option<&'l [u8]> {
        for _ in 0..count {
            self.word()?;
        }
        self.word()
    }

    /// Skips blanks and says how many there were.
    pub(super) fn skip_blanks(&mut self) -> usize {
        let before = self.0.len();
        while let Some((byte, rest)) = self.0.split_first()
            && is_blank(*byte)
        {
            self.0 = rest;
        }
        before - self.0.len()
    }

    /// Skips one blank where there is one.
    pub(super) fn skip_blank(&mut self) {
        if let Some((byte, rest)) = self.0.split_first()
            && is_blank(*byte)
        {
            self.0 = rest;
        }
    }

    /// The rest with all blanks before the next word made one.
    pub(super) fn behind_padding(mut self) -> Self {
        while self.0.starts_with(b"  ") {
            self.skip_blank();
        }
        self
    }

    /// The name behind exactly one blank, or one tab: all further blanks belong to it.
    pub(super) fn name_after_one_blank(self) -> Option<&'l [u8]> {
        let (separator, name) = self.0.split_first()?;
        (is_blank(*separator) && !name.is_empty()).then_some(name)
    }

    /// The name behind any number of blanks, for columns that are padded.
    pub(super) fn name_after_blanks(mut self) -> Option<&'l [u8]> {
        (self.skip_blanks() > 0 && !self.0.is_empty()).then_some(self.0)
    }
}

/// Whether a byte separates columns.
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether a word is one or more decimal digits.
pub(super) fn is_digits(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// The number that a word of decimal digits means; none where it does not fit.
pub(super) fn number(word: &[u8]) -> Option<u64> {
    if word.is_empty() {
        return None;
    }
    let mut value: u64 = 0;
    for digit in word {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?;
    }
    Some(value)
}

/// The size in `953`, `9,730`, `9.730` and `9'730`; the inner `None` where it does not fit.
pub(super) fn grouped(word: &[u8]) -> Option<Option<u64>> {
    if is_digits(word) {
        return Some(number(word));
    }
    let (first, mut rest) = group(word).filter(|(first, _)| (1..=3).contains(&first.len()))?;
    let mut value = number(first);
    let mut separator = None;
    while !rest.is_empty() {
        let next = GROUP_SEPARATORS.iter().find(|next| rest.starts_with(next))?;
        if *separator.get_or_insert(next) != next {
            return None;
        }
        let (digits, behind) = group(rest.get(next.len()..)?)?;
        let more = number(digits).filter(|_| digits.len() == 3)?;
        value = value.and_then(|value| value.checked_mul(1000)?.checked_add(more));
        rest = behind;
    }
    Some(value)
}

/// What stands between the groups of a number's digits: also the blank that does not break a line,
/// in UTF-8 (wide and narrow), in windows-1252 and in IBM 850.
const GROUP_SEPARATORS: [&[u8]; 8] =
    [b",", b".", b"'", b"\xc2\xa0", b"\xe2\x80\xaf", b"\xe2\x80\x99", b"\xa0", b"\xff"];

/// The digits at the front of a word, and what follows them.
fn group(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let digits = word.iter().take_while(|byte| byte.is_ascii_digit()).count();
    word.split_at_checked(digits)
}

/// About how many bytes `33.5k` and `1,2M` mean; none for any other word.
pub(super) fn rounded(word: &[u8]) -> Option<u64> {
    let (unit, number) = word.split_last()?;
    let power = match unit {
        b'k' | b'K' => 1,
        b'M' => 2,
        b'G' => 3,
        b'T' => 4,
        b'P' => 5,
        _ => return None,
    };
    let point = number.iter().position(|byte| matches!(byte, b'.' | b','));
    let (whole, fraction) = number.split_at_checked(point.unwrap_or(number.len()))?;
    let fraction = fraction.get(1..).unwrap_or_default();
    let bytes = 1024_u64.pow(power);
    let mut parts = 0.0;
    for digit in fraction.iter().rev() {
        parts = (parts + f64::from(char::from(*digit).to_digit(10)?)) / 10.0;
    }
    // A part of a unit is less than 2^53 bytes.
    self::number(whole)?.checked_mul(bytes)?.checked_add((parts * bytes as f64) as u64)
}

/// The number of at most four digits, for the parts of dates.
pub(super) fn small(word: &[u8]) -> Option<i16> {
    if word.len() > 4 {
        return None;
    }
    i16::try_from(number(word)?).ok()
}

/// Where `wanted` is first, looked for in eight bytes at a time: most of MLSD is looking for ends.
pub(super) fn find(bytes: &[u8], wanted: u8) -> Option<usize> {
    const LOW: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let wanted_eight = u64::from_ne_bytes([wanted; 8]);
    let mut rest = bytes;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        // A byte that is wanted becomes 0, and subtracting 1 from it borrows its highest bit.
        let differing = u64::from_le_bytes(*eight) ^ wanted_eight;
        let found = differing.wrapping_sub(LOW) & !differing & HIGH;
        if found != 0 {
            let within = usize::try_from(found.trailing_zeros() / 8).ok()?;
            return Some(bytes.len() - rest.len() + within);
        }
        rest = behind;
    }
    let within = rest.iter().position(|byte| *byte == wanted)?;
    Some(bytes.len() - rest.len() + within)
}

/// The parts before and after the first `separator`.
pub(super) fn split_once(word: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let at = find(word, separator)?;
    let (before, after) = word.split_at_checked(at)?;
    Some((before, after.get(1..)?))
}

/// Three parts around two of the same `separator`.
pub(super) fn split_twice(word: &[u8], separator: u8) -> Option<[&[u8]; 3]> {
    let (first, rest) = split_once(word, separator)?;
    let (second, third) = split_once(rest, separator)?;
    Some([first, second, third])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_numbers_have_a_unit() {
        for (word, bytes) in [
            ("33k", Some(33_792)),
            ("1.5M", Some(1_572_864)),
            ("1,25G", Some(1_342_177_280)),
            ("3.P", Some(3_377_699_720_527_872)),
            ("99999999999P", None),
            ("33", None),
            ("k", None),
            (".5k", None),
            ("1.5.5M", None),
            ("x1M", None),
        ] {
            assert_eq!(rounded(word.as_bytes()), bytes, "{word}");
        }
    }

    #[test]
    fn digits_come_in_groups() {
        for (word, bytes) in [
            (&b"953"[..], Some(Some(953))),
            (b"1,234,567", Some(Some(1_234_567))),
            (b"1.234.567", Some(Some(1_234_567))),
            (b"1'234'567", Some(Some(1_234_567))),
            (b"1\xc2\xa0234\xc2\xa0567", Some(Some(1_234_567))),
            (b"1\xe2\x80\xaf234", Some(Some(1234))),
            (b"12\xa0345", Some(Some(12_345))),
            (b"12\xff345", Some(Some(12_345))),
            (b"99,999,999,999,999,999,999", Some(None)),
            (b"1,234.567", None),
            (b"1,23", None),
            (b"1234,567", None),
            (b",123", None),
            (b"1,", None),
            (b"1,2345", None),
            (b"", None),
            (b"12x", None),
        ] {
            assert_eq!(grouped(word), bytes, "{word:x?}");
        }
    }

    #[test]
    fn bytes_are_found_wherever_they_are() {
        for length in 0..40 {
            // Bytes beside the wanted one differ from it by one or by the highest bit.
            let mut bytes: Vec<u8> =
                [b':', b'<', b';' | 0x80, 0, 0xff].into_iter().cycle().take(length).collect();
            assert_eq!(find(&bytes, b';'), None);
            for at in (0..length).rev() {
                bytes[at] = b';';
                assert_eq!(find(&bytes, b';'), Some(at), "{length}");
            }
        }
    }
}
