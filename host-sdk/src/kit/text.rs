//! Text that is safe to print, and bytes as digits.

use std::fmt::Write;

use super::lossless::{byte_of, decode};

/// `text` for messages and logs: control characters, raw bytes (see [`super::lossless`]) and
/// characters that are invisible or reorder a line are escaped.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        // Writing to a String cannot fail.
        let _ = match byte_of(character) {
            Some(byte) => write!(out, "\\x{byte:02x}"),
            None if character.is_ascii_control() => write!(out, "\\x{:02x}", u32::from(character)),
            None if is_deceptive(character) => write!(out, "\\u{{{:x}}}", u32::from(character)),
            None => out.write_char(character),
        };
    }
    out
}

/// [`printable`] for bytes that need not be UTF-8.
#[must_use]
pub fn printable_bytes(bytes: &[u8]) -> String {
    printable(&decode(bytes))
}

/// `bytes` in lower-case hexadecimal digits, two for each.
#[must_use]
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// True if a character is invisible, breaks the line or changes the direction of its neighbours.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_carry_no_control_characters() {
        assert_eq!(
            printable_bytes(b"a\x1b[31m\r\n\0\x7f\xe9"),
            "a\\x1b[31m\\x0d\\x0a\\x00\\x7f\\xe9"
        );
        assert_eq!(printable("gpj.\u{202e}exe\u{85}é"), "gpj.\\u{202e}exe\\u{85}é");
    }

    #[test]
    fn digits_are_lower_case_and_two_for_each_byte() {
        assert_eq!(hexadecimal(&[0, 0x0a, 0xff]), "000aff");
        assert_eq!(hexadecimal(&[]), "");
    }
}
