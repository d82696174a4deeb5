//! The JSON of a body, as an event quotes it.

use host_sdk::Error;
use serde::de::IgnoredAny;
use serde::{Serialize, Serializer};
use serde_json::Value;

/// JSON on one line, kept as text: to write it again takes no values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotedJson(Box<str>);

impl QuotedJson {
    /// The JSON that `body` is; `None` for any other body.
    #[must_use]
    pub fn from_body(body: Vec<u8>) -> Option<Self> {
        let text = String::from_utf8(body).ok()?;
        serde_json::from_str::<IgnoredAny>(&text).ok()?;
        // Within a string, a line end would be escaped.
        let is_one_line = !text.contains(['\n', '\r']);
        let text = if is_one_line { text } else { text.replace(['\n', '\r'], " ") };
        Some(Self(text.trim().into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The value.
    ///
    /// # Errors
    ///
    /// `internal`, never in practice: the text was checked.
    pub fn value(&self) -> Result<Value, Error> {
        let broken = |e| Error::internal(format!("a quoted document is no JSON: {e}"));
        serde_json::from_str(&self.0).map_err(broken)
    }
}

impl Serialize for QuotedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_on_many_lines_becomes_one() {
        let quoted = QuotedJson::from_body(b" {\"a\":\r\n [1,\n2.50] }\n".to_vec()).unwrap();
        assert_eq!(quoted.as_str(), "{\"a\":   [1, 2.50] }");
        assert_eq!(quoted.value().unwrap(), serde_json::json!({"a": [1, 2.5]}));
        for other in [&b""[..], b"{", b"{} {}", b"\"\xff\"", b"[1,]", b"a"] {
            assert_eq!(QuotedJson::from_body(other.to_vec()), None);
        }
    }
}
