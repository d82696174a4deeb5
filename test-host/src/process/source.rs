//! The text of a process file: JSON with comments, and where in it each value is.

use std::collections::BTreeMap;
use std::ops::Range;

use host_sdk::{Error, Part};
use jsonc_parser::ast;
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Map, Number, Value};

use super::problem::{Problem, Problems, Severity};

/// The text of a process file, and the place of every value in it.
#[derive(Clone, Debug, Default)]
pub struct Source {
    text: String,
    places: BTreeMap<String, Place>,
}

/// The bytes of a value and, in an object, of its key.
#[derive(Clone, Debug)]
struct Place {
    key: Option<Range<usize>>,
    value: Range<usize>,
}

/// A line and a column, both from 1 on. Columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// JSON, with comments and commas after the last member.
const GRAMMAR: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

impl Source {
    /// Reads `text`; the value is absent where it is not JSON.
    pub(crate) fn parse(text: &str, problems: &mut Problems) -> (Self, Option<Value>) {
        let mut source = Self { text: text.to_owned(), places: BTreeMap::new() };
        let parsed = match parse_to_ast(text, &CollectOptions::default(), &GRAMMAR) {
            Ok(parsed) => parsed,
            Err(error) => {
                let range = error.range();
                let what = error.kind().to_string().to_lowercase();
                problems.push(misread(what, range.start..range.end));
                return (source, None);
            }
        };
        let Some(root) = parsed.value else {
            problems.push(misread("the file is empty; a process is an object", 0..0));
            return (source, None);
        };
        let value =
            Reader { places: &mut source.places, problems }.value(&root, None, &["$".into()]);
        (source, Some(value))
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The bytes that `problem` is about: those of its path, or of the nearest object around it.
    #[must_use]
    pub fn bytes(&self, problem: &Problem) -> Option<Range<usize>> {
        if problem.bytes.is_some() {
            return problem.bytes.clone();
        }
        let mut path = problem.error.report().path.as_deref()?;
        if let Some(place) = self.places.get(path) {
            let key = place.key.clone().filter(|_| problem.part == Part::Key);
            return Some(key.unwrap_or_else(|| place.value.clone()));
        }
        // What is missing is shown at the name of what it is missing in.
        while let Some(end) = path.rfind(['.', '[']) {
            path = &path[..end];
            if let Some(place) = self.places.get(path) {
                let start = place.value.start..place.value.start + 1;
                return Some(place.key.clone().unwrap_or(start));
            }
        }
        None
    }

    /// The line and the column of a byte.
    #[must_use]
    pub fn position(&self, byte: usize) -> Position {
        let before = self.text.get(..byte).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Position {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

fn misread(message: impl Into<String>, bytes: Range<usize>) -> Problem {
    Problem {
        severity: Severity::Error,
        error: Error::configuration("", message),
        part: Part::Value,
        bytes: Some(bytes),
    }
}

/// `parent.key`, with the key in quotes where it would not read as one.
pub(crate) fn key(parent: &str, key: &str) -> String {
    let plain = key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '$'));
    if plain && !key.is_empty() {
        format!("{parent}.{key}")
    } else {
        format!("{parent}[{}]", Value::from(key))
    }
}

struct Reader<'a> {
    places: &'a mut BTreeMap<String, Place>,
    problems: &'a mut Problems,
}

impl Reader<'_> {
    /// The value of `node`, whose place is kept under all of `paths`.
    fn value(
        &mut self,
        node: &ast::Value<'_>,
        key: Option<Range<usize>>,
        paths: &[String],
    ) -> Value {
        let range = node.range();
        for path in paths {
            let place = Place { key: key.clone(), value: range.start..range.end };
            self.places.insert(path.clone(), place);
        }
        match node {
            ast::Value::StringLit(text) => Value::from(text.value.as_ref()),
            ast::Value::NumberLit(number) => self.number(number),
            ast::Value::BooleanLit(fact) => Value::Bool(fact.value),
            ast::Value::NullKeyword(_) => Value::Null,
            ast::Value::Array(array) => {
                let item = |(at, node)| {
                    let paths: Vec<String> =
                        paths.iter().map(|path| format!("{path}[{at}]")).collect();
                    self.value(node, None, &paths)
                };
                array.elements.iter().enumerate().map(item).collect()
            }
            ast::Value::Object(object) => self.object(object, paths),
        }
    }

    fn object(&mut self, object: &ast::Object<'_>, paths: &[String]) -> Value {
        let mut members = Map::new();
        for member in &object.properties {
            let name = member.name.as_str();
            let range = member.name.range();
            if members.contains_key(name) {
                // The last one of equal keys must not win without a word.
                let message = format!("\"{name}\" is given twice");
                self.problems.push(misread(message, range.start..range.end));
                continue;
            }
            let mut names: Vec<String> = paths.iter().map(|path| key(path, name)).collect();
            // Connectors write every key without quotes.
            names.extend(paths.iter().map(|path| format!("{path}.{name}")));
            names.dedup();
            let value = self.value(&member.value, Some(range.start..range.end), &names);
            members.insert(name.to_owned(), value);
        }
        members.into()
    }

    fn number(&mut self, number: &ast::NumberLit<'_>) -> Value {
        match serde_json::from_str::<Number>(number.value) {
            Ok(value) => value.into(),
            Err(_) => {
                let message = format!("{} is not a number in JSON", number.value);
                self.problems.push(misread(message, number.range.start..number.range.end));
                Value::Null
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<(Position, String)> {
        let mut problems = Problems::default();
        let (source, _) = Source::parse(text, &mut problems);
        let place = |problem: &Problem| source.position(source.bytes(problem).unwrap().start);
        problems.all().iter().map(|p| (place(p), p.error.message().to_owned())).collect()
    }

    #[test]
    fn what_is_not_json_is_placed() {
        let found = problems("{\n  \"process\": nope\n}");
        assert_eq!(found[0].0, Position { line: 2, column: 14 });
        for text in ["", "{", "[1 2]", "{'a': 1}", "{a: 1}", "{\"a\": +1}", "{\"a\": 01}", "{} {}"]
        {
            assert_eq!(problems(text).len(), 1, "{text}: {:?}", problems(text));
        }
    }

    #[test]
    fn every_key_given_twice_is_placed() {
        let found = problems("{\"a\": {\"port\": 1,\n\"port\": 2, \"port\": 3}, \"a\": 1}");
        let lines: Vec<usize> = found.iter().map(|(place, _)| place.line).collect();
        assert_eq!(lines, [2, 2, 2]);
        assert_eq!(found[0].1, "\"port\" is given twice");
    }

    #[test]
    fn every_json_value_reads_back() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"x\n"],"b":{}}"#;
        let (_, value) = Source::parse(text, &mut Problems::default());
        assert_eq!(value.unwrap().to_string(), text);
    }

    #[test]
    fn comments_and_a_last_comma_are_taken() {
        let text = "// what it does\n{\"a\": 1, /* later */ \"b\": [2,],}";
        let mut problems = Problems::default();
        let (_, value) = Source::parse(text, &mut problems);
        assert_eq!(value.unwrap().to_string(), "{\"a\":1,\"b\":[2]}");
        assert!(!problems.is_refused());
    }

    #[test]
    fn nesting_has_a_bound() {
        assert_eq!(problems(&"[".repeat(100_000)).len(), 1);
    }

    #[test]
    fn what_is_missing_is_shown_where_it_is_missing() {
        let text = "{\"é\": 1, \"steps\": [{\"type\": 1}], \"a b\": {\"c.d\": 1}}";
        let (source, _) = Source::parse(text, &mut Problems::default());
        let at = |path: &str, part: Part| {
            let error = Error::configuration(path, "");
            let severity = Severity::Error;
            let bytes = source.bytes(&Problem { severity, error, part, bytes: None }).unwrap();
            text[bytes].to_owned()
        };
        assert_eq!(at("$.steps[0].name", Part::Missing), "{");
        assert_eq!(at("$.steps[0].type", Part::Value), "1");
        assert_eq!(at("$.steps[0].type", Part::Key), "\"type\"");
        assert_eq!(at("$[\"a b\"][\"c.d\"]", Part::Value), "1");
        assert_eq!(at("$.a b.c.d", Part::Key), "\"c.d\"");
        assert_eq!(at("$.connections.x", Part::Missing), "{");
        assert_eq!(source.position(text.find("1").unwrap()), Position { line: 1, column: 7 });
    }
}
