//! Bytes as text, without loss.
//!
//! A file name is bytes to a server and a `String` to a host. Bytes that are not UTF-8 become
//! private characters, U+10FF80 to U+10FFFF. Every name round-trips and no two names become one.

use std::borrow::Cow;

/// Added to a byte of 0x80 and above, this gives its private character.
const PRIVATE: u32 = 0x10_FF00;

/// The text that stands for `bytes`. UTF-8 stays as it is; [`encode`] gives exactly `bytes` back.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    // 0xF4 starts the UTF-8 form of every private character.
    if !bytes.contains(&0xF4)
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return text.to_owned();
    }
    let mut out = String::with_capacity(bytes.len() * 2);
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if byte_of(character).is_some() {
                // The bytes hold the UTF-8 form of a private character. Escaped byte by byte, it
                // stays apart from the byte that this character stands for.
                out.extend(character.encode_utf8(&mut [0; 4]).bytes().map(character_of));
            } else {
                out.push(character);
            }
        }
        out.extend(chunk.invalid().iter().copied().map(character_of));
    }
    out
}

/// The bytes that `text` stands for: the inverse of [`decode`].
#[must_use]
pub fn encode(text: &str) -> Cow<'_, [u8]> {
    if !text.as_bytes().contains(&0xF4) {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    for part in parts(text) {
        match part {
            Part::Byte(byte) => bytes.push(byte),
            Part::Text(text) => bytes.extend_from_slice(text.as_bytes()),
        }
    }
    Cow::Owned(bytes)
}

/// The character that stands for a byte: itself if it is ASCII, else its private character.
#[must_use]
pub fn character_of(byte: u8) -> char {
    if byte.is_ascii() {
        return char::from(byte);
    }
    char::from_u32(PRIVATE + u32::from(byte)).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// The byte that a private character stands for; `None` for every other character.
#[must_use]
pub fn byte_of(character: char) -> Option<u8> {
    let byte = u32::from(character).checked_sub(PRIVATE)?;
    u8::try_from(byte).ok().filter(|byte| !byte.is_ascii())
}

/// A part of a text: characters, or one byte that a private character stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'t> {
    /// Characters without private ones.
    Text(&'t str),
    /// One byte of 0x80 and above.
    Byte(u8),
}

/// The parts of `text`, in order.
pub fn parts(text: &str) -> impl Iterator<Item = Part<'_>> {
    text.split_inclusive(|character| byte_of(character).is_some()).flat_map(|part| {
        let last = part.chars().next_back();
        let byte = last.and_then(byte_of);
        let text = match (byte, last) {
            (Some(_), Some(last)) => part.strip_suffix(last).unwrap_or(part),
            _ => part,
        };
        let text = (!text.is_empty()).then_some(Part::Text(text));
        text.into_iter().chain(byte.map(Part::Byte))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip() {
        for (bytes, text) in [
            ("uni-é€".as_bytes(), "uni-é€"),
            (b"caf\xe9", "caf\u{10ffe9}"),
            (b"cut \xe2\x82", "cut \u{10ffe2}\u{10ff82}"),
            ("\u{10ff7f}".as_bytes(), "\u{10ff7f}"),
            ("\u{10ffe9}".as_bytes(), "\u{10fff4}\u{10ff8f}\u{10ffbf}\u{10ffa9}"),
            (b"", ""),
        ] {
            assert_eq!(decode(bytes), text, "{bytes:?}");
            assert_eq!(&*encode(text), bytes, "{text:?}");
        }
    }
}
