//! Raw settings, checked once against the fields that declare them.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::descriptor::conflict::{Conflict, ConflictSeverity, is_blank};
use crate::descriptor::field::{Field, FieldType};
use crate::error::Error;
use crate::misfit::Misfit;
use crate::secret::{Secret, SecretBytes, SecretReference};
use crate::setting_value::{checked_value, kind_of};
use crate::suggest::expected_one_of;

/// The settings of a connection or an operation: every field known, of its type and in its
/// range, defaults filled in.
#[derive(Clone, Debug)]
pub struct Settings {
    values: BTreeMap<String, Value>,
    groups: BTreeMap<String, Self>,
    lists: BTreeMap<String, Vec<Self>>,
    secrets: BTreeMap<String, SecretValue>,
}

#[derive(Clone, Debug)]
enum SecretValue {
    Text(Secret),
    Reference(SecretReferenceValue),
}

/// A reference without a `Debug` of its own: paths and variable names are no secrets, but it is
/// printed beside them.
#[derive(Clone)]
struct SecretReferenceValue(SecretReference);

impl std::fmt::Debug for SecretReferenceValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretReference(…)")
    }
}

impl Settings {
    /// Checks `raw`, an object, `null` or absent, against `fields`.
    ///
    /// A `null` or blank value of an optional field means that the field is absent.
    ///
    /// # Errors
    ///
    /// `configuration` with the path of the first setting that does not fit, and what would.
    pub fn check(fields: &[Field], raw: &Value) -> Result<Self, Error> {
        let mut misfits = Vec::new();
        let settings = Self::collect(fields, raw, &mut misfits);
        match misfits.into_iter().next() {
            Some(misfit) => Err(misfit.error),
            None => Ok(settings),
        }
    }

    /// Every setting of `raw` that does not fit `fields`; [`check`](Self::check) returns the first
    /// one.
    #[must_use]
    pub fn misfits(fields: &[Field], raw: &Value) -> Vec<Misfit> {
        let mut misfits = Vec::new();
        Self::collect(fields, raw, &mut misfits);
        misfits
    }

    /// The settings that fit. Without a misfit these are all.
    fn collect(fields: &[Field], raw: &Value, misfits: &mut Vec<Misfit>) -> Self {
        let mut settings = Self {
            values: BTreeMap::new(),
            groups: BTreeMap::new(),
            lists: BTreeMap::new(),
            secrets: BTreeMap::new(),
        };
        let empty = Map::new();
        let object = match raw {
            Value::Object(object) => object,
            Value::Null => &empty,
            other => {
                misfits.push(Misfit::value(Error::configuration(
                    "",
                    format!("expected an object, found {}", kind_of(other)),
                )));
                return settings;
            }
        };
        for key in object.keys() {
            if !fields.iter().any(|field| field.id == *key) {
                let known = fields.iter().map(|field| field.id.as_str());
                misfits.push(Misfit::key(Error::configuration(
                    key,
                    format!("unknown field \"{key}\"; {}", expected_one_of(key, known)),
                )));
            }
        }
        for field in fields {
            settings.take(field, object.get(&field.id), misfits);
        }
        let refused = conflicts(fields, object, ConflictSeverity::Refused);
        misfits.extend(refused.map(Misfit::value));
        settings
    }

    /// What `fields` warn of in `raw`, each with the path of the setting.
    #[must_use]
    pub fn warnings(fields: &[Field], raw: &Value) -> Vec<Error> {
        let Value::Object(object) = raw else { return Vec::new() };
        let mut warnings: Vec<Error> =
            conflicts(fields, object, ConflictSeverity::Warning).collect();
        for field in fields.iter().filter(|field| field.field_type == FieldType::Group) {
            let inner = object.get(&field.id).unwrap_or(&Value::Null);
            let inner = Self::warnings(&field.fields, inner);
            warnings.extend(inner.into_iter().map(|warning| warning.under(&field.id)));
        }
        warnings
    }

    fn take(&mut self, field: &Field, raw: Option<&Value>, misfits: &mut Vec<Misfit>) {
        let given = raw.filter(|value| !is_blank(value));
        if given.is_none() && field.required {
            let error = Error::configuration(
                &field.id,
                format!("required field \"{}\" ({}) is missing", field.id, field.label),
            );
            misfits.push(Misfit::missing(error));
            return;
        }
        let Some(value) = given.or(field.default.as_ref()) else {
            return;
        };
        match field.field_type {
            FieldType::Group => {
                let mut members = Vec::new();
                let group = Self::collect(&field.fields, value, &mut members);
                misfits.extend(members.into_iter().map(|misfit| misfit.under(&field.id)));
                self.groups.insert(field.id.clone(), group);
            }
            FieldType::List => {
                let items = collect_items(field, value, misfits);
                self.lists.insert(field.id.clone(), items);
            }
            FieldType::Password => match secret_value(value) {
                Ok(secret) => {
                    self.secrets.insert(field.id.clone(), secret);
                }
                Err(error) => misfits.push(Misfit::value(error.under(&field.id))),
            },
            _ => match checked_value(field, value) {
                Ok(value) => {
                    self.values.insert(field.id.clone(), value);
                }
                Err(error) => misfits.push(Misfit::value(error)),
            },
        }
    }

    /// The value of `id` as `T`; `None` if it is absent and has no default.
    ///
    /// # Errors
    ///
    /// `configuration` where the value does not read as `T`.
    pub fn get<T: DeserializeOwned>(&self, id: &str) -> Result<Option<T>, Error> {
        self.values
            .get(id)
            .map(|value| T::deserialize(value).map_err(|e| Error::configuration(id, e.to_string())))
            .transpose()
    }

    /// The value of `id` as `T`, for a field that is required or has a default.
    ///
    /// # Errors
    ///
    /// `configuration` where the value does not read as `T`; `internal` where the field has
    /// neither, which is a defect of the connector.
    pub fn require<T: DeserializeOwned>(&self, id: &str) -> Result<T, Error> {
        self.get(id)?
            .ok_or_else(|| Error::internal(format!("field {id} is not declared with a value")))
    }

    /// The text of `id`.
    #[must_use]
    pub fn text(&self, id: &str) -> Option<&str> {
        self.values.get(id).and_then(Value::as_str)
    }

    /// The Boolean `id`; false if it is absent and has no default.
    #[must_use]
    pub fn is(&self, id: &str) -> bool {
        self.values.get(id).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The milliseconds of `id`; `None` if they are absent or 0, which means no limit.
    #[must_use]
    pub fn milliseconds(&self, id: &str) -> Option<Duration> {
        self.values
            .get(id)
            .and_then(Value::as_u64)
            .filter(|millis| *millis > 0)
            .map(Duration::from_millis)
    }

    /// The secret `id`, fetched from where it is kept.
    ///
    /// # Errors
    ///
    /// `configuration` when its variable is not set or its file cannot be read.
    pub fn secret(&self, id: &str) -> Result<Option<Secret>, Error> {
        match self.secrets.get(id) {
            None => Ok(None),
            Some(SecretValue::Text(secret)) => Ok(Some(secret.clone())),
            Some(SecretValue::Reference(reference)) => {
                reference.0.resolve().map(Some).map_err(|e| e.under(id))
            }
        }
    }

    /// The secret `id` as bytes, for one whose file need not hold text.
    ///
    /// # Errors
    ///
    /// `configuration` when its variable is not set or its file cannot be read.
    pub fn secret_bytes(&self, id: &str) -> Result<Option<SecretBytes>, Error> {
        match self.secrets.get(id) {
            None => Ok(None),
            Some(SecretValue::Text(secret)) => {
                Ok(Some(SecretBytes::new(secret.reveal().as_bytes().to_vec())))
            }
            Some(SecretValue::Reference(reference)) => {
                reference.0.resolve_bytes().map(Some).map_err(|e| e.under(id))
            }
        }
    }

    /// The settings of the group `id`.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Self> {
        self.groups.get(id)
    }

    /// The items of the list `id`; none where it is absent.
    #[must_use]
    pub fn list(&self, id: &str) -> &[Self] {
        self.lists.get(id).map_or(&[], Vec::as_slice)
    }
}

/// Whether `settings` of `fields` hold both sides of `conflict`, which `field` declares.
fn holds_both(
    conflict: &Conflict,
    field: &Field,
    fields: &[Field],
    settings: &Map<String, Value>,
) -> bool {
    let other = fields.iter().find(|other| other.id == conflict.with);
    holds(field, &conflict.values, settings)
        && other.is_some_and(|other| holds(other, &conflict.with_values, settings))
}

/// Whether `field` has one of the `listed` values, or any that is given where none is listed.
fn holds(field: &Field, listed: &[String], settings: &Map<String, Value>) -> bool {
    let given = settings.get(&field.id).filter(|value| !is_blank(value));
    if listed.is_empty() {
        return given.is_some();
    }
    given.or(field.default.as_ref()).is_some_and(|value| {
        let text = match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        listed.contains(&text)
    })
}

fn conflicts<'f>(
    fields: &'f [Field],
    settings: &'f Map<String, Value>,
    severity: ConflictSeverity,
) -> impl Iterator<Item = Error> + 'f {
    fields.iter().flat_map(move |field| {
        let declared = field.conflicts.iter();
        declared
            .filter(move |conflict| {
                conflict.severity == severity && holds_both(conflict, field, fields, settings)
            })
            .map(|conflict| Error::configuration(&field.id, &conflict.message))
    })
}

fn secret_value(value: &Value) -> Result<SecretValue, Error> {
    match value {
        Value::String(text) => Ok(SecretValue::Text(Secret::new(text.clone()))),
        // Serde's message could quote a secret in the wrong place.
        Value::Object(_) => SecretReference::deserialize_quietly(value)
            .map(|reference| SecretValue::Reference(SecretReferenceValue(reference))),
        other => Err(Error::configuration(
            "",
            format!(
                "expected text, {{\"env\": …}}, {{\"file\": …}} or {{\"command\": […]}}, found {}",
                kind_of(other)
            ),
        )),
    }
}

impl SecretReference {
    fn deserialize_quietly(value: &Value) -> Result<Self, Error> {
        serde_json::from_value(value.clone()).map_err(|_| {
            Error::configuration(
                "",
                "expected exactly one of \"env\" and \"file\", each with text, and \"command\" with \
                 an array of texts",
            )
        })
    }
}

/// The items of a list, and what does not fit in them.
fn collect_items(field: &Field, value: &Value, misfits: &mut Vec<Misfit>) -> Vec<Settings> {
    let Value::Array(items) = value else {
        let message = format!("expected an array, found {}", kind_of(value));
        misfits.push(Misfit::value(Error::configuration(&field.id, message)));
        return Vec::new();
    };
    let first = field.fields.first().map(|first| first.id.clone());
    let mut collected = Vec::new();
    for (number, item) in items.iter().enumerate() {
        let item = match (item, &first) {
            (Value::String(_), Some(first)) => {
                Value::Object(Map::from_iter([(first.clone(), item.clone())]))
            }
            _ => item.clone(),
        };
        let mut members = Vec::new();
        collected.push(Settings::collect(&field.fields, &item, &mut members));
        let place = format!("{}[{number}]", field.id);
        misfits.extend(members.into_iter().map(|misfit| misfit.under(&place)));
    }
    collected
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::misfit::Part;

    fn fields() -> Vec<Field> {
        vec![
            Field::text("host", "Host", "").required(),
            Field::integer("port", "Port", 1, "").up_to(65535).or(21),
            Field::integer("maximumFiles", "Maximum", -1, "").except(0).or(-1),
            Field::choice("sslMode", "SSL Mode", &[("none", "None"), ("explicit", "Explicit")], ""),
            Field::secret("password", "Password", ""),
            Field::integer("readTimeout", "Read Timeout", 0, "").or(60000),
            Field::group("proxy", "Proxy", vec![Field::text("host", "Host", "").required()], ""),
        ]
    }

    fn refusal(raw: Value) -> (String, String) {
        let error = Settings::check(&fields(), &raw).unwrap_err();
        (error.report().path.clone().unwrap_or_default(), error.message().to_owned())
    }

    #[test]
    fn defaults_fill_what_is_absent_null_or_blank() {
        let raw = json!({"host": "h", "port": "", "sslMode": null});
        let settings = Settings::check(&fields(), &raw).unwrap();
        assert_eq!(settings.require::<u16>("port").unwrap(), 21);
        assert_eq!(settings.text("sslMode"), Some("none"));
        assert_eq!(settings.milliseconds("readTimeout"), Some(Duration::from_secs(60)));
        assert!(settings.group("proxy").is_none());
    }

    #[test]
    fn an_item_that_is_a_text_is_its_first_field() {
        let members = vec![
            Field::text("command", "Command", "").required(),
            Field::text("replies", "Replies", "").or("2xx"),
        ];
        let fields = vec![Field::list("commands", "Commands", members, "")];
        let raw = json!({"commands": ["NOOP", {"command": "HELP", "replies": "214"}]});
        let settings = Settings::check(&fields, &raw).unwrap();
        let items: Vec<_> = settings
            .list("commands")
            .iter()
            .map(|item| (item.text("command").unwrap(), item.text("replies").unwrap()))
            .collect();
        assert_eq!(items, [("NOOP", "2xx"), ("HELP", "214")]);
        assert!(Settings::check(&fields, &json!({})).unwrap().list("commands").is_empty());
        let path = |raw: Value| {
            let error = Settings::check(&fields, &raw).unwrap_err();
            error.report().path.clone().unwrap_or_default()
        };
        assert_eq!(path(json!({"commands": "NOOP"})), "commands");
        assert_eq!(path(json!({"commands": ["A", {}]})), "commands[1].command");
    }

    #[test]
    fn zero_milliseconds_mean_no_limit() {
        let raw = json!({"host": "h", "readTimeout": 0});
        let settings = Settings::check(&fields(), &raw).unwrap();
        assert_eq!(settings.milliseconds("readTimeout"), None);
    }

    #[test]
    fn spans_and_sizes_are_numbers_or_have_units() {
        let fields = vec![
            Field::duration("age", "Age", 0, "").or(0),
            Field::size("least", "Least", ""),
            Field::duration("pause", "Pause", 1000, "").up_to(60_000),
        ];
        let raw = json!({"age": "30d", "least": "10MiB", "pause": 1500});
        let settings = Settings::check(&fields, &raw).unwrap();
        assert_eq!(settings.milliseconds("age"), Some(Duration::from_secs(30 * 86_400)));
        assert_eq!(settings.get::<u64>("least"), Ok(Some(10 << 20)));
        assert_eq!(settings.milliseconds("pause"), Some(Duration::from_millis(1500)));
        for (raw, part) in [
            (json!({"age": "30"}), "\"30d\""),
            (json!({"age": 1.5}), "fraction"),
            (json!({"pause": "2 min"}), "out of range"),
            (json!({"least": "10 apples"}), "\"10MiB\""),
            (json!({"least": -1}), "out of range"),
        ] {
            let error = Settings::check(&fields, &raw).unwrap_err();
            assert!(error.message().contains(part), "{raw}: {error}");
        }
    }

    #[test]
    fn every_misfit_names_its_path_and_what_is_allowed() {
        let cases = [
            (json!({"hots": "h"}), "hots", "did you mean \"host\"?"),
            (json!({"port": 21}), "host", "required field \"host\""),
            (json!({"host": " "}), "host", "required"),
            (json!({"host": "h", "port": "21"}), "port", "expected an integer, found text"),
            (json!({"host": "h", "port": 0}), "port", "allowed is 1 to 65535"),
            (json!({"host": "h", "port": 2.5}), "port", "fraction"),
            (json!({"host": "h", "maximumFiles": 0}), "maximumFiles", "except 0"),
            (json!({"host": "h", "sslMode": "explicitt"}), "sslMode", "did you mean \"explicit\"?"),
            (json!({"host": "h", "sslMode": "x"}), "sslMode", "\"none\""),
            (json!({"host": "h", "proxy": {}}), "proxy.host", "missing"),
            (json!({"host": "h", "password": 5}), "password", "found a number"),
            (json!({"host": "h", "password": {"nev": "X"}}), "password", "\"env\""),
            (json!(["h"]), "", "expected an object, found an array"),
        ];
        for (raw, path, part) in cases {
            let (at, message) = refusal(raw.clone());
            assert_eq!(at, path, "{raw}");
            assert!(message.contains(part), "{raw}: {message}");
        }
    }

    #[test]
    fn all_misfits_are_found_at_once() {
        let raw = json!({
            "hots": "h", "port": 0, "sslMode": "x", "proxy": {"prot": 1}, "password": 5,
        });
        let found: Vec<(String, Part)> = Settings::misfits(&fields(), &raw)
            .into_iter()
            .map(|misfit| (misfit.error.report().path.clone().unwrap_or_default(), misfit.part))
            .collect();
        let expected = [
            ("hots", Part::Key),
            ("host", Part::Missing),
            ("port", Part::Value),
            ("sslMode", Part::Value),
            ("password", Part::Value),
            ("proxy.prot", Part::Key),
            ("proxy.host", Part::Missing),
        ];
        assert_eq!(found, expected.map(|(path, part)| (path.to_owned(), part)));
    }

    #[test]
    fn what_does_not_go_together_is_refused_or_warned_of() {
        let fields = vec![
            Field::choice("upload", "Upload", &[("temporary", "T"), ("final", "F")], "")
                .refused_with(&["final"], "staging", &[], "staging needs temporary"),
            Field::text("staging", "Staging", ""),
            Field::boolean("active", "Active", false, "").warned_with(
                &["true"],
                "upload",
                &["temporary"],
                "slow",
            ),
        ];
        let refused = |raw: Value| Settings::check(&fields, &raw).err();
        let both = refused(json!({"upload": "final", "staging": "in"})).unwrap();
        assert_eq!(both.message(), "staging needs temporary");
        assert_eq!(both.report().path.as_deref(), Some("upload"));
        assert!(refused(json!({"upload": "final", "staging": " "})).is_none());
        assert!(refused(json!({"staging": "in"})).is_none());
        let warnings = |raw: Value| Settings::warnings(&fields, &raw).len();
        assert_eq!(warnings(json!({"active": true})), 1, "the default counts");
        assert_eq!(warnings(json!({"active": true, "upload": "final"})), 0);
        assert_eq!(warnings(json!({})), 0);
    }

    #[test]
    fn a_secret_never_shows_in_debug_or_in_a_refusal() {
        let raw = json!({"host": "h", "password": "hunter2"});
        let settings = Settings::check(&fields(), &raw).unwrap();
        assert!(!format!("{settings:?}").contains("hunter2"));
        assert_eq!(settings.secret("password").unwrap().unwrap().reveal(), "hunter2");
        let (_, message) = refusal(json!({"host": "h", "password": {"text": "hunter2"}}));
        assert!(!message.contains("hunter2"));
    }
}
