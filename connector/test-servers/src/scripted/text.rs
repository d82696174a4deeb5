use std::collections::HashMap;

/// Bytes as they stand in a script, made readable and unambiguous.
pub(super) fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            match character {
                '\r' => text.push_str("\\r"),
                '\n' => text.push_str("\\n"),
                '\\' => text.push_str("\\\\"),
                control if control.is_control() => {
                    let mut buffer = [0; 4];
                    push_hex(&mut text, control.encode_utf8(&mut buffer).as_bytes());
                }
                other => text.push(other),
            }
        }
        push_hex(&mut text, chunk.invalid());
    }
    text
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    bytes.iter().for_each(|byte| text.push_str(&format!("\\x{byte:02X}")));
}

/// The bytes that a text with `\r`, `\n`, `\\`, `\"` and `\xHH` stands for.
pub(super) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let escape = rest[at + 1..].chars().next();
        let mut length = 2;
        match escape {
            Some('r') => bytes.push(b'\r'),
            Some('n') => bytes.push(b'\n'),
            Some('\\') => bytes.push(b'\\'),
            Some('"') => bytes.push(b'"'),
            Some('x') => {
                let byte =
                    rest.get(at + 2..at + 4).and_then(|hex| u8::from_str_radix(hex, 16).ok());
                bytes.push(byte.ok_or("two hexadecimal digits are wanted after \\x")?);
                length = 4;
            }
            _ => return Err("only \\r \\n \\\\ \\\" and \\xHH are known".to_owned()),
        }
        rest = &rest[at + length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

/// What captures and ports are called, and what they hold.
pub(super) type Values = HashMap<String, Vec<u8>>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Bytes(Vec<u8>),
    Name(String),
    Anything,
}

/// A command as a script expects it.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    parts: Vec<Part>,
    text: String,
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { parts: parts(text, true)?, text: text.to_owned() })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// The captures, if the whole command fits.
    pub(super) fn fits(&self, command: &[u8]) -> Option<Values> {
        let mut values = Values::new();
        fits(&self.parts, command, &mut values).then_some(values)
    }
}

fn fits(parts: &[Part], bytes: &[u8], values: &mut Values) -> bool {
    let Some((first, rest)) = parts.split_first() else { return bytes.is_empty() };
    let name = match first {
        Part::Bytes(wanted) => {
            return bytes.strip_prefix(&wanted[..]).is_some_and(|after| fits(rest, after, values));
        }
        Part::Name(name) => Some(name),
        Part::Anything => None,
    };
    (0..=bytes.len()).any(|length| {
        let matched = fits(rest, &bytes[length..], values);
        if matched && let Some(name) = name {
            values.insert(name.clone(), bytes[..length].to_vec());
        }
        matched
    })
}

/// A reply with places for captures and ports.
#[derive(Clone, Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

impl Template {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Ok(Self { parts: parts(text, false)? })
    }

    pub(super) fn fill(&self, values: &Values) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for part in &self.parts {
            match part {
                Part::Bytes(literal) => bytes.extend_from_slice(literal),
                Part::Name(name) => {
                    let value =
                        values.get(name).ok_or_else(|| format!("{{{name}}} is not known"))?;
                    bytes.extend_from_slice(value);
                }
                Part::Anything => {}
            }
        }
        Ok(bytes)
    }
}

fn parts(text: &str, with_star: bool) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let special = if character == '*' && with_star {
            Some((Part::Anything, 1))
        } else if character == '{' {
            name(rest).map(|name| (Part::Name(name.to_owned()), name.len() + 2))
        } else {
            None
        };
        if let Some((part, length)) = special {
            if !literal.is_empty() {
                parts.push(Part::Bytes(unescape(&std::mem::take(&mut literal))?));
            }
            parts.push(part);
            rest = &rest[length..];
        } else {
            literal.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Bytes(unescape(&literal)?));
    }
    Ok(parts)
}

/// The name in `{name}…`; other braces stand for themselves.
fn name(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('{')?.split_once('}')?;
    let fine = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    (!name.is_empty() && name.chars().all(fine)).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_survive_a_round_trip() {
        let bytes = b"a\r\n\\ \x00\xe9 \xc3\xa9";
        assert_eq!(escape(bytes), "a\\r\\n\\\\ \\x00\\xE9 é");
        assert_eq!(unescape(&escape(bytes)).unwrap(), bytes);
        assert!(unescape("\\q").is_err());
        assert!(unescape("\\x4").is_err());
        assert!(unescape("end\\").is_err());
    }

    #[test]
    fn patterns_are_exact_except_for_stars_and_captures() {
        let exact = Pattern::parse("TYPE I").unwrap();
        assert!(exact.fits(b"TYPE I").is_some());
        assert!(exact.fits(b"TYPE I ").is_none());
        let capture = Pattern::parse("STOR {name}.part*").unwrap();
        assert_eq!(capture.fits(b"STOR a.part7").unwrap()["name"], b"a");
        assert!(capture.fits(b"STOR a.tmp").is_none());
        assert!(Pattern::parse("*ABOR").unwrap().fits(b"\xff\xf4ABOR").is_some());
    }

    #[test]
    fn templates_keep_braces_that_name_nothing() {
        let template = Template::parse("{\"json\"} {port} {}").unwrap();
        let values = Values::from([("port".to_owned(), b"21".to_vec())]);
        assert_eq!(template.fill(&values).unwrap(), b"{\"json\"} 21 {}");
        assert!(template.fill(&Values::new()).is_err());
    }
}
