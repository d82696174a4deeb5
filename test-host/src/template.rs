//! Texts with references to document properties.
//!
//! `{fileName}` is the property of that name; `{now:yyyy-MM-dd}`, `{uuid}`, `{env:NAME}`,
//! `{basename}` and `{extension}` are functions; `{{` and `}}` are braces.

use std::collections::BTreeMap;

use host_sdk::{Error, ErrorKind, Properties, expected_one_of};
use jiff::Zoned;
use jiff::fmt::strtime;

const FUNCTIONS: [&str; 5] = ["now", "uuid", "env", "basename", "extension"];

/// A text that was checked and can be expanded for each document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    parts: Vec<Part>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Property(String),
    /// A format in the terms of strftime.
    Now(String),
    Uuid,
    Basename,
    Extension,
    /// A variable of the environment that is not set.
    Unset(String),
}

impl Template {
    /// Reads `text`. Environment variables are read here, once.
    ///
    /// # Errors
    ///
    /// `configuration` for a brace without its partner, an unknown function and a bad time format.
    /// A variable that is not set is none yet: [`unset`](Self::unset) names it.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            literal.push_str(&rest[..at]);
            let brace = &rest[at..=at];
            let after = &rest[at + 1..];
            if after.starts_with(brace) {
                literal.push_str(brace);
                rest = &after[1..];
                continue;
            }
            if brace == "}" {
                return Err(malformed("\"}\" without \"{\" before it; a brace is written \"}}\""));
            }
            let Some(end) = after.find(['{', '}']).filter(|end| after[*end..].starts_with('}'))
            else {
                return Err(malformed("\"{\" without \"}\" after it; a brace is written \"{{\""));
            };
            if !literal.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut literal)));
            }
            parts.push(reference(&after[..end])?);
            rest = &after[end + 1..];
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Text(literal));
        }
        Ok(Self { parts, text: text.to_owned() })
    }

    /// The text for a document with `properties`.
    ///
    /// # Errors
    ///
    /// `document` when it has no property that the template names; `configuration` for a variable
    /// that is not set.
    pub(crate) fn expand(&self, properties: &Properties) -> Result<String, Error> {
        let mut expanded = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => expanded.push_str(text),
                Part::Property(id) => expanded.push_str(self.property(properties, id)?),
                Part::Now(format) => expanded.push_str(&now(format)?),
                Part::Uuid => expanded.push_str(&uuid::Uuid::new_v4().to_string()),
                Part::Unset(variable) => return Err(unset(variable)),
                Part::Basename => {
                    expanded.push_str(split_name(self.property(properties, "fileName")?).0);
                }
                Part::Extension => {
                    expanded.push_str(split_name(self.property(properties, "fileName")?).1);
                }
            }
        }
        Ok(expanded)
    }

    /// True if it refers to the property `id`.
    #[must_use]
    pub(crate) fn refers_to(&self, id: &str) -> bool {
        self.references().any(|reference| reference.property == id)
    }

    /// The properties that it refers to.
    pub(crate) fn references(&self) -> impl Iterator<Item = Reference<'_>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Property(id) => Some(Reference { written: id, property: id }),
            Part::Basename => Some(Reference { written: "basename", property: "fileName" }),
            Part::Extension => Some(Reference { written: "extension", property: "fileName" }),
            Part::Text(_) | Part::Now(_) | Part::Uuid | Part::Unset(_) => None,
        })
    }

    /// The errors of the environment variables that it needs and that are not set.
    pub(crate) fn unset(&self) -> impl Iterator<Item = Error> {
        self.parts.iter().filter_map(|part| match part {
            Part::Unset(variable) => Some(unset(variable)),
            _ => None,
        })
    }

    /// True if it is a text without references and functions.
    #[must_use]
    pub(crate) fn is_literal(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Text(_)))
    }

    fn property<'a>(&self, properties: &'a Properties, id: &str) -> Result<&'a str, Error> {
        let found = properties.iter().find(|(known, _)| *known == id).map(|(_, value)| value);
        found.ok_or_else(|| {
            let known: Vec<&str> = properties.iter().map(|(id, _)| id).collect();
            Error::new(
                ErrorKind::Document,
                format!(
                    "the document has no property \"{id}\", which \"{}\" names; {}",
                    self.text,
                    expected_one_of(id, known.into_iter())
                ),
            )
        })
    }
}

/// A reference to a property of the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    /// The word in braces.
    pub(crate) written: &'a str,
    /// The property that it reads.
    pub(crate) property: &'a str,
}

fn unset(variable: &str) -> Error {
    malformed(format!("environment variable \"{variable}\" is not set"))
        .with_hint(format!("set {variable} before the process is run"))
}

fn malformed(message: impl Into<String>) -> Error {
    Error::configuration("", message)
}

fn reference(inside: &str) -> Result<Part, Error> {
    let (name, argument) = match inside.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (inside, None),
    };
    let part = match (name, argument) {
        ("now", Some(format)) => Part::Now(time_format(format)?),
        ("now", None) => {
            return Err(malformed("now needs a format, such as {now:yyyy-MM-dd HH:mm:ss.SSS}"));
        }
        ("env", Some(variable)) => match std::env::var(variable) {
            Ok(value) => Part::Text(value),
            Err(_) => Part::Unset(variable.to_owned()),
        },
        ("env", None) => return Err(malformed("env needs a name, such as {env:HOME}")),
        ("uuid", None) => Part::Uuid,
        ("basename", None) => Part::Basename,
        ("extension", None) => Part::Extension,
        ("uuid" | "basename" | "extension", Some(_)) => {
            return Err(malformed(format!("{name} takes no argument")));
        }
        (_, Some(_)) => {
            let expected = expected_one_of(name, FUNCTIONS.into_iter());
            return Err(malformed(format!("unknown function \"{name}\"; {expected}")));
        }
        (_, None) if is_name(name) => Part::Property(name.to_owned()),
        (_, None) => {
            return Err(malformed(format!(
                "\"{{{name}}}\" names no property; a brace is written \"{{{{\""
            )));
        }
    };
    Ok(part)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// Turns `yyyy-MM-dd` into what strftime calls `%Y-%m-%d`.
fn time_format(format: &str) -> Result<String, Error> {
    const FIELDS: [(&str, &str); 9] = [
        ("yyyy", "%Y"),
        ("yy", "%y"),
        ("MM", "%m"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("SSS", "%3f"),
        ("XXX", "%:z"),
    ];
    let mut translated = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        let length = rest.chars().take_while(|c| *c == first).map(char::len_utf8).sum();
        let run = &rest[..length];
        if first.is_ascii_alphabetic() && run == "T" {
            translated.push('T');
        } else if first.is_ascii_alphabetic() {
            let (_, field) = FIELDS.iter().find(|(name, _)| *name == run).ok_or_else(|| {
                malformed(format!(
                    "\"{run}\" is no part of a time format; allowed is \
                     yyyy, yy, MM, dd, HH, mm, ss, SSS, XXX and T"
                ))
            })?;
            translated.push_str(field);
        } else if first == '%' {
            translated.push_str(&"%%".repeat(length));
        } else {
            translated.push_str(run);
        }
        rest = &rest[length..];
    }
    if translated.is_empty() {
        return Err(malformed("now needs a format, such as {now:yyyy-MM-dd HH:mm:ss.SSS}"));
    }
    Ok(translated)
}

fn now(format: &str) -> Result<String, Error> {
    strtime::format(format, &Zoned::now())
        .map_err(|e| Error::internal(format!("the time cannot be written as \"{format}\": {e}")))
}

/// The name without directories, split at its last dot.
fn split_name(path: &str) -> (&str, &str) {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    match name.rsplit_once('.') {
        Some((base, extension)) if !base.is_empty() => (base, extension),
        _ => (name, ""),
    }
}

/// Checks the templates of properties.
///
/// # Errors
///
/// `configuration` with the property as the path.
pub(crate) fn parse_all(
    properties: &BTreeMap<String, String>,
) -> Result<BTreeMap<String, Template>, Error> {
    properties
        .iter()
        .map(|(id, text)| {
            let template = Template::parse(text).map_err(|e| e.under(id))?;
            Ok((id.clone(), template))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties() -> Properties {
        Properties::new().with("fileName", "in/archive.tar.gz").with("errorCode", "550")
    }

    fn expand(text: &str) -> String {
        Template::parse(text).unwrap().expand(&properties()).unwrap()
    }

    #[test]
    fn references_functions_and_braces_expand() {
        assert_eq!(expand("plain"), "plain");
        assert_eq!(expand("{errorCode}: {fileName}"), "550: in/archive.tar.gz");
        assert_eq!(expand("{basename}|{extension}"), "archive.tar|gz");
        assert_eq!(expand("{{{errorCode}}}"), "{550}");
        assert_eq!(expand("{uuid}").len(), 36);
        assert_eq!(expand("{env:CARGO_PKG_NAME}"), "test-host");
        let stamp = expand("{now:yyyy-MM-ddTHH:mm:ss.SSS 100%}");
        assert_eq!(stamp.len(), "2026-01-01T00:00:00.000 100%".len(), "{stamp}");
        assert!(stamp.ends_with(" 100%"));
    }

    #[test]
    fn a_name_without_extension_has_none() {
        assert_eq!(split_name("README"), ("README", ""));
        assert_eq!(split_name("dir/.profile"), (".profile", ""));
    }

    #[test]
    fn an_unknown_property_is_the_documents_error() {
        let error = Template::parse("{filename}").unwrap().expand(&properties()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Document);
        assert!(error.message().contains("did you mean \"fileName\"?"), "{error}");
    }

    #[test]
    fn what_is_malformed_is_refused_before_the_run() {
        let cases = [
            ("{fileName", "without \"}\""),
            ("fileName}", "without \"{\""),
            ("{a{b}}", "without \"}\""),
            ("{}", "names no property"),
            ("{two words}", "names no property"),
            ("{nwo:yyyy}", "did you mean \"now\"?"),
            ("{now}", "needs a format"),
            ("{now:}", "needs a format"),
            ("{now:YYYY}", "no part of a time format"),
            ("{uuid:4}", "takes no argument"),
            ("{env}", "needs a name"),
        ];
        for (text, part) in cases {
            let error = Template::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Configuration, "{text}");
            assert!(error.message().contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_named_and_never_empty() {
        let template = Template::parse("a{env:TEST_HOST_SURELY_UNSET}").unwrap();
        assert_eq!(template.unset().count(), 1);
        let error = template.expand(&properties()).unwrap_err();
        assert!(error.message().contains("\"TEST_HOST_SURELY_UNSET\" is not set"), "{error}");
    }
}
