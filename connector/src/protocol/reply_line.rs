//! The lines that replies are made of (RFC 959 §4.2).

/// The three digits that `line` begins with and what follows them: nothing, a space or a hyphen.
pub(crate) fn split_code(line: &[u8]) -> Option<(u16, Option<u8>)> {
    let (digits, rest) = line.split_at_checked(3)?;
    let [first @ b'1'..=b'5', second @ b'0'..=b'9', third @ b'0'..=b'9'] = digits else {
        return None;
    };
    let separator = rest.first().copied();
    if !matches!(separator, None | Some(b' ' | b'-')) {
        return None;
    }
    let digit = |byte: &u8| u16::from(byte - b'0');
    Some((digit(first) * 100 + digit(second) * 10 + digit(third), separator))
}

/// Whether `line` ends the multi-line reply that began with `code`: the same code and no hyphen.
pub(crate) fn ends_reply(line: &[u8], code: u16) -> bool {
    matches!(split_code(line), Some((found, None | Some(b' '))) if found == code)
}

/// `line` without its CR and LF.
pub(crate) fn trim_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_opening_code_ends_a_multi_line_reply() {
        assert!(ends_reply(b"200 done", 200));
        assert!(ends_reply(b"200", 200));
        assert!(!ends_reply(b"123 Main Street", 200));
        assert!(!ends_reply(b"200-more", 200));
        assert!(!ends_reply(b" 200 indented", 200));
    }
}
