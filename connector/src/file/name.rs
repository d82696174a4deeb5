//! File names between the wire's bytes and Rust's strings, without loss.
//!
//! A name is bytes to the server and a `String` to everyone else. Whatever does not decode keeps
//! its bytes as private characters, so that every name round-trips and no two names become one.

use std::borrow::Cow;

use encoding_rs::{DecoderResult, EncoderResult, Encoding};
use host_sdk::kit::lossless::{self, Part, character_of, parts};

/// How names are written on the wire (`fileNameEncoding`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NameEncoding {
    /// UTF-8 where the bytes are UTF-8, the bytes themselves where they are not.
    #[default]
    Auto,
    /// UTF-8, as RFC 2640 demands; names are mapped as with `Auto`.
    Utf8,
    /// A legacy encoding in which every ASCII byte means its ASCII character.
    Legacy(&'static Encoding),
}

impl NameEncoding {
    /// The encoding called `label`: `auto`, `utf-8` or a label of the WHATWG Encoding Standard.
    ///
    /// # Errors
    /// An unknown label, or an encoding in which `/` and line ends are not their ASCII bytes.
    pub(crate) fn from_label(label: &str) -> Result<Self, LabelError> {
        if label.trim().eq_ignore_ascii_case("auto") {
            return Ok(Self::Auto);
        }
        let unknown = || LabelError::Unknown { label: label.to_owned() };
        let encoding = Encoding::for_label_no_replacement(label.as_bytes()).ok_or_else(unknown)?;
        if encoding == encoding_rs::UTF_8 {
            return Ok(Self::Utf8);
        }
        if !encoding.is_ascii_compatible() {
            return Err(LabelError::NotAsciiCompatible { name: encoding.name() });
        }
        Ok(Self::Legacy(encoding))
    }

    /// The string that stands for `bytes`; [`NameEncoding::encode`] gives exactly `bytes` back.
    pub(crate) fn decode(self, bytes: &[u8]) -> String {
        let Self::Legacy(encoding) = self else {
            return lossless::decode(bytes);
        };
        if bytes.is_ascii() {
            return bytes.iter().copied().map(char::from).collect();
        }
        // Some encodings hold two byte sequences for one character, or a private character. Such
        // a name would come back as other bytes, so it keeps its own instead.
        let text = decode_legacy(encoding, bytes);
        match self.encode(&text) {
            Ok(back) if *back == *bytes => text,
            _ => bytes.iter().copied().map(character_of).collect(),
        }
    }

    /// The bytes that stand for `name` on the wire.
    ///
    /// # Errors
    /// A character that a legacy encoding does not have.
    pub(crate) fn encode(self, name: &str) -> Result<Cow<'_, [u8]>, UnencodableName> {
        let Self::Legacy(encoding) = self else {
            return Ok(lossless::encode(name));
        };
        if name.is_ascii() {
            return Ok(Cow::Borrowed(name.as_bytes()));
        }
        let mut bytes = Vec::with_capacity(name.len());
        for part in parts(name) {
            match part {
                Part::Byte(byte) => bytes.push(byte),
                Part::Text(text) => encode_part(encoding, text, &mut bytes)?,
            }
        }
        Ok(Cow::Owned(bytes))
    }
}

/// Why a label names no usable encoding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LabelError {
    /// No encoding has this label.
    #[error("unknown encoding label {label:?}")]
    Unknown {
        /// The label as it was given.
        label: String,
    },
    /// Path separators and line ends would not be single ASCII bytes.
    #[error("encoding {name} cannot be used for file names: it does not keep ASCII bytes")]
    NotAsciiCompatible {
        /// The encoding's standard name.
        name: &'static str,
    },
}

/// A character that the configured encoding does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("U+{:04X} does not exist in {encoding}", u32::from(*.character))]
pub(crate) struct UnencodableName {
    /// The character.
    pub(crate) character: char,
    /// The encoding's standard name.
    pub(crate) encoding: &'static str,
}

fn decode_legacy(encoding: &'static Encoding, bytes: &[u8]) -> String {
    let mut decoder = encoding.new_decoder_without_bom_handling();
    let mut text = String::new();
    let mut rest = bytes;
    loop {
        let room = decoder.max_utf8_buffer_length_without_replacement(rest.len());
        text.reserve(room.unwrap_or(rest.len().saturating_mul(4)).max(16));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, &mut text, true);
        rest = rest.get(read..).unwrap_or_default();
        match result {
            DecoderResult::InputEmpty => return text,
            DecoderResult::OutputFull => {}
            DecoderResult::Malformed(bad, after) => {
                let end = (bytes.len() - rest.len()).saturating_sub(usize::from(after));
                let start = end.saturating_sub(usize::from(bad));
                let bad = bytes.get(start..end).unwrap_or_default();
                text.extend(bad.iter().copied().map(character_of));
            }
        }
    }
}

fn encode_part(
    encoding: &'static Encoding,
    text: &str,
    bytes: &mut Vec<u8>,
) -> Result<(), UnencodableName> {
    let mut encoder = encoding.new_encoder();
    let mut rest = text;
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len());
        bytes.reserve(room.unwrap_or(rest.len().saturating_mul(4)).max(16));
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, bytes, true);
        match result {
            EncoderResult::InputEmpty => return Ok(()),
            EncoderResult::OutputFull => rest = rest.get(read..).unwrap_or_default(),
            EncoderResult::Unmappable(character) => {
                return Err(UnencodableName { character, encoding: encoding.name() });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trips(encoding: NameEncoding, bytes: &[u8]) -> String {
        let name = encoding.decode(bytes);
        assert_eq!(&*encoding.encode(&name).unwrap(), bytes, "{name:?}");
        name
    }

    #[test]
    fn utf8_names_stay_and_other_bytes_become_private() {
        assert_eq!(round_trips(NameEncoding::Auto, "uni-é€".as_bytes()), "uni-é€");
        assert_eq!(round_trips(NameEncoding::Auto, b"caf\xe9"), "caf\u{10ffe9}");
        assert_eq!(round_trips(NameEncoding::Utf8, b"\x80\xff"), "\u{10ff80}\u{10ffff}");
        assert_eq!(round_trips(NameEncoding::Auto, b"cut \xe2\x82"), "cut \u{10ffe2}\u{10ff82}");
    }

    #[test]
    fn a_private_character_on_the_wire_is_not_the_byte_it_stands_for() {
        let byte = round_trips(NameEncoding::Auto, b"\xe9");
        let character = round_trips(NameEncoding::Auto, "\u{10ffe9}".as_bytes());
        assert_ne!(byte, character);
        assert_eq!(character.chars().count(), 4);
        assert_eq!(round_trips(NameEncoding::Auto, "\u{10ff7f}".as_bytes()), "\u{10ff7f}");
    }

    #[test]
    fn pairs_of_bytes_round_trip_and_stay_distinct() {
        let mut labels = vec![NameEncoding::Auto];
        for label in ["windows-1252", "shift_jis", "gb18030", "big5"] {
            labels.push(NameEncoding::from_label(label).unwrap());
        }
        for encoding in labels {
            let mut seen = std::collections::HashSet::new();
            for first in (0..=255_u8).step_by(7) {
                for second in 0..=255_u8 {
                    assert!(seen.insert(round_trips(encoding, &[first, second, b'x'])));
                }
            }
        }
    }

    #[test]
    fn labels_decode_and_refuse_what_they_lack() {
        let latin = NameEncoding::from_label("ISO-8859-1").unwrap();
        assert_eq!(round_trips(latin, b"caf\xe9"), "café");
        let error = latin.encode("試験").unwrap_err();
        assert_eq!(error.to_string(), "U+8A66 does not exist in windows-1252");
        let sjis = NameEncoding::from_label("shift_jis").unwrap();
        assert_eq!(round_trips(sjis, b"\x8e\x8e\x8c\xb1.csv"), "試験.csv");
        assert_eq!(round_trips(sjis, b"a\x8e\x8e\xffz"), "a試\u{10ffff}z");
    }

    #[test]
    fn labels_are_checked() {
        assert_eq!(NameEncoding::from_label("AUTO"), Ok(NameEncoding::Auto));
        assert_eq!(NameEncoding::from_label("utf8"), Ok(NameEncoding::Utf8));
        assert!(matches!(NameEncoding::from_label("klingon"), Err(LabelError::Unknown { .. })));
        for label in ["utf-16le", "iso-2022-jp"] {
            let error = NameEncoding::from_label(label).unwrap_err();
            assert!(matches!(error, LabelError::NotAsciiCompatible { .. }));
        }
    }
}
