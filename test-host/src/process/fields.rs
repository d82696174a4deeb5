//! Reads the fields of JSON objects, and collects what does not fit.
//!
//! Where a field does not fit, a stand-in takes its place so that the rest is checked too. Stand-ins
//! never run: a process with an error is refused.

use std::collections::BTreeMap;

use host_sdk::{Error, Misfit, expected_one_of};
use serde_json::{Map, Value};

use super::problem::Problems;
use super::source::key as path_of;

/// The fields of one object. Unknown fields are errors.
pub(crate) struct Fields<'a> {
    object: Map<String, Value>,
    problems: &'a mut Problems,
}

impl<'a> Fields<'a> {
    /// Checks that `value` is an object with no field beside `known`.
    pub(crate) fn check(value: Value, known: &[&str], problems: &'a mut Problems) -> Option<Self> {
        let Value::Object(object) = value else {
            problems.error(expected("", "an object", &value));
            return None;
        };
        for key in object.keys().filter(|key| !known.contains(&key.as_str())) {
            let instead = expected_one_of(key, known.iter().copied());
            let message = format!("unknown field \"{key}\"; {instead}");
            problems.misfit(Misfit::key(Error::configuration(key, message)));
        }
        Some(Self { object, problems })
    }

    /// Where what is found is collected.
    pub(crate) fn problems(&mut self) -> &mut Problems {
        self.problems
    }

    /// Whether `key` is absent or an object without members.
    pub(crate) fn is_empty(&self, key: &str) -> bool {
        self.object.get(key).is_none_or(|value| value.as_object().is_some_and(Map::is_empty))
    }

    fn refuse(&mut self, key: &str, message: impl Into<String>) {
        self.problems.error(Error::configuration(key, message));
    }

    pub(crate) fn require(&mut self, key: &str) -> Option<Value> {
        let value = self.object.remove(key);
        if value.is_none() {
            let message = format!("required field \"{key}\" is missing");
            self.problems.misfit(Misfit::missing(Error::configuration(key, message)));
        }
        value
    }

    /// A text that is not blank; empty where it is missing or wrong.
    pub(crate) fn text(&mut self, key: &str) -> String {
        match self.require(key) {
            Some(Value::String(text)) if text.trim().is_empty() => {
                self.refuse(key, format!("required field \"{key}\" is blank"));
            }
            Some(Value::String(text)) => return text,
            Some(other) => self.problems.error(expected(key, "text", &other)),
            None => {}
        }
        String::new()
    }

    pub(crate) fn optional_text(&mut self, key: &str) -> Option<String> {
        match self.object.get(key) {
            None | Some(Value::Null) => None,
            Some(_) => Some(self.text(key)).filter(|text| !text.is_empty()),
        }
    }

    pub(crate) fn boolean(&mut self, key: &str, default: bool) -> bool {
        match self.object.remove(key) {
            None => default,
            Some(Value::Bool(fact)) => fact,
            Some(other) => {
                self.problems.error(expected(key, "true or false", &other));
                default
            }
        }
    }

    /// One of `words`, each with what it means; `default` where it is absent.
    pub(crate) fn choice<T: Copy>(&mut self, key: &str, words: &[(&str, T)], default: T) -> T {
        let Some(text) = self.optional_text(key) else { return default };
        if let Some((_, meant)) = words.iter().find(|(word, _)| *word == text) {
            return *meant;
        }
        let known = expected_one_of(&text, words.iter().map(|(word, _)| *word));
        self.refuse(key, format!("\"{text}\" is not allowed; {known}"));
        default
    }

    /// An object; empty where it is absent. `None` where it is something else.
    pub(crate) fn object(&mut self, key: &str) -> Option<Map<String, Value>> {
        match self.object.remove(key) {
            None => Some(Map::new()),
            Some(Value::Object(object)) => Some(object),
            Some(other) => {
                self.problems.error(expected(key, "an object", &other));
                None
            }
        }
    }

    /// An array with at least one item.
    pub(crate) fn array(&mut self, key: &str) -> Vec<Value> {
        match self.require(key) {
            Some(Value::Array(items)) => {
                if items.is_empty() {
                    self.refuse(key, format!("\"{key}\" is empty; at least one is needed"));
                }
                items
            }
            Some(other) => {
                self.problems.error(expected(key, "an array", &other));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    pub(crate) fn optional(&mut self, key: &str) -> Option<Value> {
        self.object.remove(key).filter(|value| !value.is_null())
    }

    /// An object whose values are all text.
    pub(crate) fn texts(&mut self, key: &str) -> BTreeMap<String, String> {
        let mut texts = BTreeMap::new();
        for (id, value) in self.object(key).unwrap_or_default() {
            match value {
                Value::String(text) => _ = texts.insert(id, text),
                other => self.problems.error(expected(&path_of(key, &id), "text", &other)),
            }
        }
        texts
    }
}

/// The error of a value that is not `what`. It never quotes the value, which could be a secret.
pub(crate) fn expected(path: &str, what: &str, found: &Value) -> Error {
    let found = match found {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Error::configuration(path, format!("expected {what}, found {found}"))
}
