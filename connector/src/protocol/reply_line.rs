//! The lines that commands and replies are made of (RFC 959 §4.2; Telnet's IAC, RFC 854).

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

/// The text of a line that begins with a code. Some servers leave out the space after a bare code.
pub(crate) fn text_after_code(line: &[u8]) -> &[u8] {
    line.get(4..).unwrap_or(&[])
}

/// Telnet's "interpret as command", which stands for itself only where it is doubled.
const IAC: u8 = 0xff;

/// A line to send: each IAC of a name is doubled.
pub(crate) fn escape_iac(line: &[u8]) -> Vec<u8> {
    let doubled = |byte: &u8| std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 });
    line.iter().flat_map(doubled).collect()
}

/// A line that was received: each doubled IAC is one byte. A single one stays, because many servers
/// do not double it.
pub(crate) fn unescape_iac(line: &[u8]) -> Vec<u8> {
    let mut bytes = line.iter().copied().peekable();
    let mut text = Vec::with_capacity(line.len());
    while let Some(byte) = bytes.next() {
        if byte == IAC {
            let _ = bytes.next_if_eq(&IAC);
        }
        text.push(byte);
    }
    text
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
    fn iac_is_doubled_on_the_wire() {
        assert_eq!(escape_iac(b"RETR \xff\xfe"), b"RETR \xff\xff\xfe");
        assert_eq!(unescape_iac(b"257 \xff\xff\xfe"), b"257 \xff\xfe");
        assert_eq!(unescape_iac(b"257 \xff\xfe\xff"), b"257 \xff\xfe\xff");
    }

    #[test]
    fn only_the_opening_code_ends_a_multi_line_reply() {
        assert!(ends_reply(b"200 done", 200));
        assert!(ends_reply(b"200", 200));
        assert!(!ends_reply(b"123 Main Street", 200));
        assert!(!ends_reply(b"200-more", 200));
        assert!(!ends_reply(b" 200 indented", 200));
    }
}
