//! `${env:NAME}` and `${NAME}` in the texts of a process file, before anything else reads them.

use std::collections::BTreeMap;

use host_sdk::Error;
use serde_json::Value;

use super::problem::Problems;
use super::source::key;

/// What stands in for a variable that is not set, where a process is only looked at.
const STAND_IN: &str = "x";

/// Whether what a process takes from its surroundings must be there: secrets and variables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// It must: the process is to run.
    #[default]
    Required,
    /// What is not there is a warning: the process is only looked at.
    Optional,
}

/// The values of `${NAME}`, and what happens without one.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// The values by name.
    pub values: BTreeMap<String, String>,
    /// Whether variables of the environment must be set.
    pub secrets: Secrets,
}

impl Variables {
    /// Puts the values into every text of `value`, which is at `path`. Keys stay as they are.
    pub(super) fn put_into(&self, value: &mut Value, path: &str, problems: &mut Problems) {
        match value {
            Value::String(text) if text.contains("${") => match self.put_into_text(text) {
                Ok(full) => *text = full,
                Err(Missing::Environment(error)) if self.secrets == Secrets::Optional => {
                    problems.warning(error.under(path));
                    STAND_IN.clone_into(text);
                }
                Err(Missing::Environment(error) | Missing::Value(error)) => {
                    problems.error(error.under(path));
                    STAND_IN.clone_into(text);
                }
            },
            Value::Array(items) => {
                for (at, item) in items.iter_mut().enumerate() {
                    self.put_into(item, &format!("{path}[{at}]"), problems);
                }
            }
            Value::Object(members) => {
                for (id, member) in members {
                    self.put_into(member, &key(path, id), problems);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    fn put_into_text(&self, text: &str) -> Result<String, Missing> {
        let mut full = String::new();
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let (before, from) = rest.split_at(at);
            let inside = &from[2..];
            let reference = inside.split_once('}').filter(|(name, _)| is_reference(name));
            let Some((name, after)) = reference else {
                full.push_str(before);
                full.push_str("${");
                rest = inside;
                continue;
            };
            match before.strip_suffix('$') {
                // A literal `${`.
                Some(before) => full.push_str(&format!("{before}${{{name}}}")),
                None => {
                    full.push_str(before);
                    full.push_str(&self.value(name)?);
                }
            }
            rest = after;
        }
        full.push_str(rest);
        Ok(full)
    }

    fn value(&self, name: &str) -> Result<String, Missing> {
        if let Some(variable) = name.strip_prefix("env:") {
            return std::env::var(variable).map_err(|_| {
                let message = format!("environment variable \"{variable}\" is not set");
                let hint = format!("set {variable} before the process is run");
                Missing::Environment(Error::configuration("", message).with_hint(hint))
            });
        }
        self.values.get(name).cloned().ok_or_else(|| {
            let message = format!("\"${{{name}}}\" has no value");
            let hint = format!(
                "give it one with --set {name}=VALUE; $${{{name}}} stays as it is, with one $"
            );
            Missing::Value(Error::configuration("", message).with_hint(hint))
        })
    }
}

enum Missing {
    Environment(Error),
    Value(Error),
}

/// `NAME` or `env:NAME`.
fn is_reference(text: &str) -> bool {
    let name = text.strip_prefix("env:").unwrap_or(text);
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_get_their_values_and_keep_everything_else() {
        let values = BTreeMap::from([("host".to_owned(), "h".to_owned())]);
        let variables = Variables { values, secrets: Secrets::Required };
        let full = |text: &str| {
            let mut value = json!({"a": [text]});
            let mut problems = Problems::default();
            variables.put_into(&mut value, "$", &mut problems);
            assert!(!problems.is_refused(), "{problems:?}");
            value["a"][0].as_str().unwrap().to_owned()
        };
        assert_eq!(full("ftp.${host}:${env:CARGO_PKG_NAME}"), "ftp.h:test-host");
        for text in ["$", "${", "${1}", "a${}b", "x$y{z}", "^.${2}$", "${a b}"] {
            assert_eq!(full(text), text);
        }
        assert_eq!(full("$${host} ${host}"), "${host} h");
    }

    #[test]
    fn what_is_not_set_is_an_error_and_for_a_look_a_warning() {
        for (secrets, errors) in [(Secrets::Required, 2), (Secrets::Optional, 1)] {
            let variables = Variables { values: BTreeMap::new(), secrets };
            let mut value = json!({"a": "${env:TEST_HOST_SURELY_UNSET}", "b": "${host}"});
            let mut problems = Problems::default();
            variables.put_into(&mut value, "$", &mut problems);
            assert_eq!((problems.all().len(), problems.errors().count()), (2, errors));
        }
    }
}
