//! Reads the fields of JSON objects. Each error names the path and the valid values.

use std::collections::BTreeMap;
use std::fmt;

use host_sdk::{Error, expected_one_of};
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Reads `text` as JSON in which no object has a key twice.
///
/// # Errors
///
/// `configuration` with line and column.
pub(crate) fn read_json(text: &str) -> Result<Value, Error> {
    match serde_json::from_str::<UniqueKeys>(text) {
        Ok(UniqueKeys(value)) => Ok(value),
        Err(error) => {
            let message = error.to_string();
            let what = message.rsplit_once(" at line ").map_or(&*message, |(what, _)| what);
            let (line, column) = (error.line(), error.column());
            Err(Error::configuration("", format!("line {line}, column {column}: {what}")))
        }
    }
}

/// A JSON value. `serde_json::Value` would keep the last of two equal keys without an error.
struct UniqueKeys(Value);

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeysVisitor)
    }
}

struct UniqueKeysVisitor;

impl<'de> Visitor<'de> for UniqueKeysVisitor {
    type Value = UniqueKeys;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(value.into()))
    }

    fn visit_str<E>(self, value: &str) -> Result<UniqueKeys, E> {
        Ok(UniqueKeys(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<UniqueKeys, A::Error> {
        let mut values = Vec::new();
        while let Some(UniqueKeys(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(UniqueKeys(values.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<UniqueKeys, A::Error> {
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if object.contains_key(&key) {
                return Err(serde::de::Error::custom(format_args!("\"{key}\" is given twice")));
            }
            let UniqueKeys(value) = entries.next_value()?;
            object.insert(key, value);
        }
        Ok(UniqueKeys(object.into()))
    }
}

/// The fields of one object. Unknown fields are errors.
pub(crate) struct Fields {
    object: Map<String, Value>,
}

impl Fields {
    /// Checks that `value` is an object with no field beside `known`.
    pub(crate) fn check(value: Value, known: &[&str]) -> Result<Self, Error> {
        let Value::Object(object) = value else {
            return Err(expected("", "an object", &value));
        };
        if let Some(key) = object.keys().find(|key| !known.contains(&key.as_str())) {
            let instead = expected_one_of(key, known.iter().copied());
            return Err(Error::configuration(key, format!("unknown field \"{key}\"; {instead}")));
        }
        Ok(Self { object })
    }

    pub(crate) fn require(&mut self, key: &str) -> Result<Value, Error> {
        self.object.remove(key).ok_or_else(|| {
            Error::configuration(key, format!("required field \"{key}\" is missing"))
        })
    }

    pub(crate) fn text(&mut self, key: &str) -> Result<String, Error> {
        match self.require(key)? {
            Value::String(text) if text.trim().is_empty() => {
                Err(Error::configuration(key, format!("required field \"{key}\" is blank")))
            }
            Value::String(text) => Ok(text),
            other => Err(expected(key, "text", &other)),
        }
    }

    pub(crate) fn optional_text(&mut self, key: &str) -> Result<Option<String>, Error> {
        match self.object.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(_) => self.text(key).map(Some),
        }
    }

    pub(crate) fn boolean(&mut self, key: &str, default: bool) -> Result<bool, Error> {
        match self.object.remove(key) {
            None => Ok(default),
            Some(Value::Bool(fact)) => Ok(fact),
            Some(other) => Err(expected(key, "true or false", &other)),
        }
    }

    pub(crate) fn object(&mut self, key: &str) -> Result<Map<String, Value>, Error> {
        match self.object.remove(key) {
            None => Ok(Map::new()),
            Some(Value::Object(object)) => Ok(object),
            Some(other) => Err(expected(key, "an object", &other)),
        }
    }

    pub(crate) fn array(&mut self, key: &str) -> Result<Vec<Value>, Error> {
        match self.require(key)? {
            Value::Array(items) if items.is_empty() => Err(Error::configuration(
                key,
                format!("\"{key}\" is empty; at least one is needed"),
            )),
            Value::Array(items) => Ok(items),
            other => Err(expected(key, "an array", &other)),
        }
    }

    pub(crate) fn optional(&mut self, key: &str) -> Option<Value> {
        self.object.remove(key).filter(|value| !value.is_null())
    }

    /// An object whose values are all text.
    pub(crate) fn texts(&mut self, key: &str) -> Result<BTreeMap<String, String>, Error> {
        self.object(key)?
            .into_iter()
            .map(|(id, value)| match value {
                Value::String(text) => Ok((id, text)),
                other => Err(expected(&id, "text", &other).under(key)),
            })
            .collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_json_is_placed() {
        let error = read_json("{\n  \"process\": nope\n}").unwrap_err();
        assert!(error.message().starts_with("line 2, column "), "{error}");
        assert!(!error.message().contains(" at line "), "{error}");
    }

    #[test]
    fn a_key_given_twice_is_refused() {
        let error = read_json("{\"a\": {\"port\": 1,\n\"port\": 2}}").unwrap_err();
        assert!(error.message().contains("\"port\" is given twice"), "{error}");
        assert!(error.message().starts_with("line 2"), "{error}");
    }

    #[test]
    fn every_json_value_reads_back() {
        let text = r#"{"a":[null,true,-1,18446744073709551615,1.5,"x\n"],"b":{}}"#;
        assert_eq!(read_json(text).unwrap().to_string(), text);
    }
}
