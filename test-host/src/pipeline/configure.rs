//! Configures connections and operations, and finds everything that their connector refuses.
//!
//! A connector answers with its first error. What it refuses is therefore taken out of the settings
//! and the connector is asked again, until it refuses nothing more.

use std::collections::BTreeSet;

use host_sdk::descriptor::{Field, FieldType};
use host_sdk::{Error, ErrorKind, Misfit, Part, SecretReference};
use serde_json::{Map, Value};

use super::json_path::{self, Step};
use crate::process::Problems;

/// What stands in for a text that was refused or is missing.
const STAND_IN: &str = "x";

/// More than any connector has settings: the bound of a connector that refuses everything.
const MAXIMUM_TRIES: usize = 256;

/// Makes what `configure` makes of `settings`, in which `misfits` are known. `absent` names the
/// settings whose secrets are not there: what is refused for their sake is no problem.
///
/// The result is made with stand-ins where something was refused: it serves to check more, and
/// `problems` says that it must not run. It is absent where stand-ins are refused as well.
pub(super) fn configure<T>(
    settings: Value,
    misfits: Vec<Misfit>,
    absent: &[String],
    problems: &mut Problems,
    configure: impl Fn(&Value) -> Result<T, Error>,
) -> Option<T> {
    let mut patched = Patched { settings, tries: BTreeSet::new() };
    for misfit in misfits {
        patched.mend(&path_of(&misfit.error), misfit.part);
        problems.misfit(misfit);
    }
    for _ in 0..MAXIMUM_TRIES {
        let error = match configure(&patched.settings) {
            Ok(made) => return Some(made),
            Err(error) => error,
        };
        let path = path_of(&error);
        if absent.contains(&path) {
            return None;
        }
        let is_known = patched.tries.iter().any(|(known, _)| *known == path);
        let is_setting = error.kind() == ErrorKind::Configuration && !path.is_empty();
        if !is_known {
            problems.error(error);
        }
        if !is_setting || !patched.mend(&path, Part::Value) {
            return None;
        }
    }
    None
}

fn path_of(error: &Error) -> String {
    error.report().path.clone().unwrap_or_default()
}

/// Settings with stand-ins for what was refused.
struct Patched {
    settings: Value,
    /// The paths at which something was refused, with what was done.
    tries: BTreeSet<(String, Mending)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mending {
    StandIn,
    Removed,
}

impl Patched {
    /// Puts a stand-in at `path`, and nothing the next time. False if neither helps.
    fn mend(&mut self, path: &str, part: Part) -> bool {
        let steps = json_path::parse(path);
        let first = match part {
            Part::Key => Mending::Removed,
            Part::Value | Part::Missing => Mending::StandIn,
        };
        for mending in [first, Mending::Removed] {
            if !self.tries.insert((path.to_owned(), mending)) {
                continue;
            }
            return match mending {
                Mending::StandIn => put(&mut self.settings, &steps, STAND_IN.into()),
                Mending::Removed => remove(&mut self.settings, &steps),
            };
        }
        false
    }
}

fn put(settings: &mut Value, path: &[Step], value: Value) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    let Some(parent) = json_path::find_mut(settings, parents) else { return false };
    match (parent, last) {
        (Value::Object(object), Step::Key(key)) => {
            object.insert(key.clone(), value);
            true
        }
        (Value::Array(items), Step::Index(at)) => match items.get_mut(*at) {
            Some(item) => {
                *item = value;
                true
            }
            None => false,
        },
        _ => false,
    }
}

fn remove(settings: &mut Value, path: &[Step]) -> bool {
    let Some((last, parents)) = path.split_last() else { return false };
    match (json_path::find_mut(settings, parents), last) {
        (Some(Value::Object(object)), Step::Key(key)) => object.remove(key).is_some(),
        (Some(Value::Array(items)), Step::Index(at)) if *at < items.len() => {
            items.remove(*at);
            true
        }
        _ => false,
    }
}

/// Warns of every secret in `settings` that is not there, and puts a stand-in for it. Returns the
/// paths of those settings.
pub(super) fn without_missing_secrets(
    fields: &[Field],
    settings: &mut Map<String, Value>,
    problems: &mut Problems,
) -> Vec<String> {
    let mut absent = Vec::new();
    for field in fields {
        let Some(value) = settings.get_mut(&field.id) else { continue };
        match (field.field_type, &mut *value) {
            (FieldType::Group, Value::Object(members)) => {
                let of_group = problems.under(&field.id, |problems| {
                    without_missing_secrets(&field.fields, members, problems)
                });
                absent.extend(of_group.into_iter().map(|path| format!("{}.{path}", field.id)));
            }
            // No program is started for a look at a process.
            (FieldType::Password, Value::Object(reference))
                if reference.contains_key("command") =>
            {
                if serde_json::from_value::<SecretReference>(value.clone()).is_err() {
                    continue;
                }
                *value = STAND_IN.into();
                absent.push(field.id.clone());
            }
            (FieldType::Password, Value::Object(_)) => {
                let Some(error) = missing_secret(field, value) else { continue };
                problems.warning(error);
                *value = STAND_IN.into();
                absent.push(field.id.clone());
            }
            _ => {}
        }
    }
    absent
}

/// Why the secret that `value` refers to is not there.
fn missing_secret(field: &Field, value: &Value) -> Option<Error> {
    let reference = serde_json::from_value::<SecretReference>(value.clone()).ok()?;
    reference.resolve_bytes().err().map(|error| error.under(&field.id))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Refuses like a connector: the first wrong setting in the order of names.
    fn found(settings: Value, allowed: &[(&str, &[&str])]) -> (Vec<String>, bool) {
        let mut problems = Problems::default();
        let made = configure(settings, Vec::new(), &[], &mut problems, |settings| {
            for (id, values) in allowed {
                let value = settings[*id].as_str();
                if value.is_some_and(|value| !values.contains(&value)) {
                    return Err(Error::configuration(*id, "wrong"));
                }
            }
            Ok(())
        });
        let paths = problems.all().iter().map(|p| path_of(&p.error)).collect();
        (paths, made.is_some())
    }

    #[test]
    fn every_refusal_of_a_connector_is_found() {
        let settings = json!({"a": "?", "b": "1", "c": "?", "d": "?"});
        let allowed: &[(&str, &[&str])] =
            &[("a", &["x"]), ("b", &["1"]), ("c", &["1"]), ("d", &["2"])];
        assert_eq!(found(settings, allowed), (vec!["a".into(), "c".into(), "d".into()], true));
    }

    #[test]
    fn a_connector_that_refuses_everything_ends() {
        let mut problems = Problems::default();
        let made: Option<()> = configure(json!({}), Vec::new(), &[], &mut problems, |_| {
            Err(Error::configuration("gone.far", "wrong"))
        });
        assert!(made.is_none());
        assert_eq!(problems.all().len(), 1);
    }

    #[test]
    fn secrets_that_are_not_there_are_warnings() {
        let fields = [
            Field::secret("password", "", ""),
            Field::group("proxy", "", vec![Field::secret("key", "", "")], ""),
        ];
        let mut settings = json!({
            "password": {"env": "TEST_HOST_SURELY_UNSET"}, "proxy": {"key": {"file": "/no/such"}},
        });
        let mut problems = Problems::default();
        let absent =
            without_missing_secrets(&fields, settings.as_object_mut().unwrap(), &mut problems);
        assert_eq!(absent, ["password", "proxy.key"]);
        assert!(!problems.is_refused());
        let paths: Vec<String> = problems.all().iter().map(|p| path_of(&p.error)).collect();
        assert_eq!(paths, ["password.env", "proxy.key.file"]);
        assert_eq!(settings, json!({"password": "x", "proxy": {"key": "x"}}));
    }
}
