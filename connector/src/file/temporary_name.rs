//! The names that uploads have until they are complete.

use std::fmt;

use host_sdk::kit::random_suffix;

use super::sibling::{LONGEST_NAME, beginning};

/// How many hexadecimal digits tell one upload from all others.
const DIGITS: usize = 16;

/// The fewest digits that a person may ask for.
const FEWEST_DIGITS: usize = 6;

/// How many bytes of a pattern are text.
const LONGEST_TEXT: usize = 128;

/// A pattern of names, such as `{name}.{random}.part`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TemporaryName {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Characters that stand for themselves.
    Text(String),
    /// The name that the file gets.
    Name,
    /// That name without its extension.
    Stem,
    /// Its extension with the dot; nothing where it has none.
    Extension,
    /// So many random digits.
    Random(usize),
}

impl TemporaryName {
    /// The name, random digits and `extension`, each after a dot.
    pub(crate) fn with_extension(extension: &str) -> Self {
        let parts = vec![
            Part::Name,
            Part::Text(".".to_owned()),
            Part::Random(DIGITS),
            Part::Text(format!(".{extension}")),
        ];
        Self { parts }
    }

    /// Reads a pattern: `{name}`, `{stem}`, `{extension}` and `{random}`, or `{random:8}` for so many
    /// digits, among other characters.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const KNOWN: &str = "expected {name}, {stem}, {extension}, {random} or {random:8}";
        let mut parts = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (before, after) = rest.split_once('{').unwrap_or((rest, ""));
            let is_last = before.len() == rest.len();
            if before.contains(['/', '\r', '\n', '\0', '}']) {
                return Err(format!("no name of a file holds /, CR, LF or NUL, and {KNOWN}"));
            }
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            if is_last {
                break;
            }
            let (place, after) = after.split_once('}').ok_or(KNOWN)?;
            parts.push(match place.split_once(':') {
                None if place == "name" => Part::Name,
                None if place == "stem" => Part::Stem,
                None if place == "extension" => Part::Extension,
                None if place == "random" => Part::Random(DIGITS),
                Some(("random", digits)) => {
                    let digits = digits
                        .parse()
                        .ok()
                        .filter(|digits| (FEWEST_DIGITS..=DIGITS).contains(digits));
                    let allowed =
                        || format!("{{random:N}} takes {FEWEST_DIGITS} to {DIGITS} digits");
                    Part::Random(digits.ok_or_else(allowed)?)
                }
                _ => return Err(format!("unknown {{{place}}}; {KNOWN}")),
            });
            rest = after;
        }
        let pattern = Self { parts };
        if !pattern.parts.iter().any(|part| matches!(part, Part::Random(_))) {
            return Err("{random} is missing: two uploads must not have the same name".to_owned());
        }
        if pattern.texts().map(str::len).sum::<usize>() > LONGEST_TEXT {
            return Err(format!("more than {LONGEST_TEXT} bytes stand for themselves"));
        }
        Ok(pattern)
    }

    /// A name that no other upload has, for a file that is to be called `name`. Of that it holds as
    /// much as file systems have room for.
    pub(crate) fn make(&self, name: &str) -> String {
        let (stem, extension) = split_extension(name);
        let lengths = self.parts.iter().map(|part| match part {
            Part::Text(text) => text.len(),
            Part::Random(digits) => *digits,
            Part::Name | Part::Stem | Part::Extension => 0,
        });
        let mut room = LONGEST_NAME.saturating_sub(lengths.sum());
        let extensions = self.parts.iter().filter(|part| **part == Part::Extension).count();
        let extension = beginning(extension, room / extensions.max(1));
        room -= extension.len() * extensions;
        let names = self.parts.iter().filter(|part| matches!(part, Part::Name | Part::Stem));
        let room = room / names.count().max(1);
        let mut made = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => made.push_str(text),
                Part::Name => made.push_str(beginning(name, room)),
                Part::Stem => made.push_str(beginning(stem, room)),
                Part::Extension => made.push_str(extension),
                Part::Random(digits) => {
                    let chance = format!("{:016x}", random_suffix());
                    made.push_str(beginning(&chance, *digits));
                }
            }
        }
        made
    }

    /// Whether `name` is one that this pattern makes, and a partner's file is hardly called so: letters
    /// or digits of the pattern's own are in it.
    pub(crate) fn is_sure_to_make(&self, name: &str) -> bool {
        let is_word = |text: &str| text.chars().any(char::is_alphanumeric);
        self.texts().any(is_word) && fits(&self.parts, name)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }
}

impl fmt::Display for TemporaryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Name => f.write_str("{name}"),
            Part::Stem => f.write_str("{stem}"),
            Part::Extension => f.write_str("{extension}"),
            Part::Random(digits) => write!(f, "{{random:{digits}}}"),
        })
    }
}

/// A name without its extension, and that with its dot.
fn split_extension(name: &str) -> (&str, &str) {
    let dot = name.rfind('.').filter(|at| *at > 0);
    name.split_at(dot.unwrap_or(name.len()))
}

fn fits(parts: &[Part], name: &str) -> bool {
    let Some((first, rest)) = parts.split_first() else { return name.is_empty() };
    let is_digit = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    match first {
        Part::Text(text) => name.strip_prefix(text.as_str()).is_some_and(|name| fits(rest, name)),
        Part::Random(digits) => name
            .split_at_checked(*digits)
            .is_some_and(|(chance, name)| chance.bytes().all(is_digit) && fits(rest, name)),
        Part::Extension => {
            let is_extension = |text: &str| {
                text.is_empty() || text.strip_prefix('.').is_some_and(|text| !text.contains('.'))
            };
            ends(name, 0).any(|(text, name)| is_extension(text) && fits(rest, name))
        }
        Part::Name | Part::Stem => ends(name, 1).any(|(_, name)| fits(rest, name)),
    }
}

/// The ways to cut `text` in two, the first part of which has `least` bytes.
fn ends(text: &str, least: usize) -> impl Iterator<Item = (&str, &str)> {
    (least..=text.len()).filter_map(|at| text.split_at_checked(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_pattern() {
        for (pattern, name, begins, ends) in [
            (".{name}.{random}.part", "a.xml", ".a.xml.", ".part"),
            ("{random}{extension}", "a.xml", "", ".xml"),
            ("{stem}-{random:8}{extension}", "a.tar.gz", "a.tar-", ".gz"),
            ("T{random:7}", "ORDERS", "T", ""),
            ("{random}{extension}", ".profile", "", ""),
        ] {
            let pattern = TemporaryName::parse(pattern).unwrap();
            let (one, other) = (pattern.make(name), pattern.make(name));
            assert_ne!(one, other);
            assert!(one.starts_with(begins) && one.ends_with(ends), "{one}");
            assert!(fits(&pattern.parts, &one), "{one}");
        }
        assert_eq!(TemporaryName::parse("T{random:7}").unwrap().make("x").len(), 8);
    }

    #[test]
    fn no_name_is_too_long() {
        let all = [
            "{name}.{random}.part",
            "{name}{name}{stem}{random}{extension}",
            "{random}{extension}",
        ];
        for name in [
            "a".repeat(255),
            format!("{}.xml", "\u{767c}".repeat(83)),
            format!("a.{}", "b".repeat(253)),
        ] {
            for pattern in all {
                let made = TemporaryName::parse(pattern).unwrap().make(&name);
                assert!(made.len() <= LONGEST_NAME, "{made}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_pattern_is_refused() {
        for text in [
            "",
            "{name}.part",
            "{name}/{random}",
            "{random",
            "{what}{random}",
            "a}{random}",
            "{random:3}",
            "{random:17}",
            "a\r{random}",
        ] {
            assert!(TemporaryName::parse(text).is_err(), "{text:?}");
        }
        assert!(TemporaryName::parse(&format!("{}{{random}}", "a".repeat(129))).is_err());
    }

    #[test]
    fn a_partners_name_is_not_taken_for_an_own_one() {
        let sure = TemporaryName::parse(".{name}.{random}.part").unwrap();
        assert!(sure.is_sure_to_make(".a.0123456789abcdef.part"));
        for name in
            [".a.0123456789abcde.part", "a.0123456789abcdef.part", "..0123456789abcdef.part"]
        {
            assert!(!sure.is_sure_to_make(name), "{name}");
        }
        let unsure = TemporaryName::parse("{random}{extension}").unwrap();
        assert!(!unsure.is_sure_to_make("0123456789abcdef.xml"));
        let usual = TemporaryName::with_extension("tmp");
        assert!(usual.is_sure_to_make("a.txt.0123456789abcdef.tmp"));
        assert!(!usual.is_sure_to_make("a.txt.0123456789ABCDEF.tmp"));
    }
}
