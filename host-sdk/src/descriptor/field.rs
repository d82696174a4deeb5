//! One setting: what its value is, who may set it, and when a screen shows it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conflict::{Conflict, ConflictSeverity, is_blank};

/// One setting of a connection or an operation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Field {
    /// The key in the settings, camelCase.
    pub id: String,
    /// The name for people.
    pub label: String,
    /// What it does, in which unit, and what happens without it.
    pub help: String,
    /// What its value is.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// Whether it must be given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
    /// The value if it is absent or blank.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// The values it may have, where they can be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allowed_values: Vec<AllowedValue>,
    /// What an integer counts. With a unit, it may be text as well.
    #[serde(default, skip_serializing_if = "Unit::is_none")]
    pub unit: Unit,
    /// The least integer allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i64>,
    /// The greatest integer allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub maximum: Option<i64>,
    /// Integers within the range that are forbidden.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forbidden: Vec<i64>,
    /// The form of a text, such as `yyyy-MM-dd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Who may set it.
    #[serde(default)]
    pub scope: FieldScope,
    /// Whether a document leaves its source once it is acknowledged while this is `true`, a text,
    /// or of listed values another one than the default. A host then wants the document to be
    /// stored by what follows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub consumes_source: bool,
    /// Whether a beginner does not need it: a screen shows it on request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub advanced: bool,
    /// The heading under which a screen shows it. Blank fields come first, without a heading.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub section: String,
    /// What it does not go together with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conflicts: Vec<Conflict>,
    /// When a screen shows it: all conditions hold. Empty means always.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub visible_when: Vec<VisibleWhen>,
    /// The members of a group, and of each item of a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Self>,
}

impl Field {
    /// A field of `field_type` with the rest left open.
    #[must_use]
    pub fn new(id: &str, label: &str, field_type: FieldType, help: &str) -> Self {
        Self {
            id: id.to_owned(),
            label: label.to_owned(),
            help: help.to_owned(),
            field_type,
            required: false,
            default: None,
            allowed_values: Vec::new(),
            unit: Unit::None,
            minimum: None,
            maximum: None,
            forbidden: Vec::new(),
            format: None,
            scope: FieldScope::default(),
            consumes_source: false,
            advanced: false,
            section: String::new(),
            conflicts: Vec::new(),
            visible_when: Vec::new(),
            fields: Vec::new(),
        }
    }

    /// A text.
    #[must_use]
    pub fn text(id: &str, label: &str, help: &str) -> Self {
        Self::new(id, label, FieldType::String, help)
    }

    /// A secret: text, or a reference to an environment variable or a file.
    #[must_use]
    pub fn secret(id: &str, label: &str, help: &str) -> Self {
        Self::new(id, label, FieldType::Password, help)
    }

    /// An integer from `minimum` on.
    #[must_use]
    pub fn integer(id: &str, label: &str, minimum: i64, help: &str) -> Self {
        let mut field = Self::new(id, label, FieldType::Integer, help);
        field.minimum = Some(minimum);
        field
    }

    /// A span of time from `minimum` milliseconds on.
    #[must_use]
    pub fn duration(id: &str, label: &str, minimum: i64, help: &str) -> Self {
        let mut field = Self::integer(id, label, minimum, help);
        field.unit = Unit::Milliseconds;
        field
    }

    /// A number of bytes from 0 on.
    #[must_use]
    pub fn size(id: &str, label: &str, help: &str) -> Self {
        let mut field = Self::integer(id, label, 0, help);
        field.unit = Unit::Bytes;
        field
    }

    /// `true` or `false`.
    #[must_use]
    pub fn boolean(id: &str, label: &str, default: bool, help: &str) -> Self {
        Self::new(id, label, FieldType::Boolean, help).or(default)
    }

    /// One of `values`, each an id with its label; the first is the default.
    #[must_use]
    pub fn choice(id: &str, label: &str, values: &[(&str, &str)], help: &str) -> Self {
        let mut field = Self::new(id, label, FieldType::String, help);
        field.allowed_values = values
            .iter()
            .map(|(value, label)| AllowedValue {
                value: (*value).to_owned(),
                label: (*label).to_owned(),
            })
            .collect();
        field.default = values.first().map(|(value, _)| Value::from(*value));
        field
    }

    /// Settings that belong together.
    #[must_use]
    pub fn group(id: &str, label: &str, fields: Vec<Self>, help: &str) -> Self {
        let mut field = Self::new(id, label, FieldType::Group, help);
        field.fields = fields;
        field
    }

    /// A list of items with `fields`. An item that is a text stands for one whose first field it is.
    #[must_use]
    pub fn list(id: &str, label: &str, fields: Vec<Self>, help: &str) -> Self {
        let mut field = Self::new(id, label, FieldType::List, help);
        field.fields = fields;
        field
    }

    /// Sets the default.
    #[must_use]
    pub fn or(mut self, default: impl Into<Value>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// Makes it required.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Sets the greatest integer allowed.
    #[must_use]
    pub fn up_to(mut self, maximum: i64) -> Self {
        self.maximum = Some(maximum);
        self
    }

    /// Forbids one integer within the range.
    #[must_use]
    pub fn except(mut self, value: i64) -> Self {
        self.forbidden.push(value);
        self
    }

    /// Describes the form of a text.
    #[must_use]
    pub fn in_format(mut self, format: &str) -> Self {
        self.format = Some(format.to_owned());
        self
    }

    /// Says that a beginner does not need it.
    #[must_use]
    pub fn advanced(mut self) -> Self {
        self.advanced = true;
        self
    }

    /// Sets the heading under which a screen shows it.
    #[must_use]
    pub fn in_section(mut self, section: &str) -> Self {
        section.clone_into(&mut self.section);
        self
    }

    /// Refuses settings in which it has one of `values` while the field `with` has one of
    /// `with_values`. No values mean any that is given.
    #[must_use]
    pub fn refused_with(
        self,
        values: &[&str],
        with: &str,
        with_values: &[&str],
        message: &str,
    ) -> Self {
        self.conflicting(ConflictSeverity::Refused, values, with, with_values, message)
    }

    /// Warns of settings, otherwise as [`Field::refused_with`].
    #[must_use]
    pub fn warned_with(
        self,
        values: &[&str],
        with: &str,
        with_values: &[&str],
        message: &str,
    ) -> Self {
        self.conflicting(ConflictSeverity::Warning, values, with, with_values, message)
    }

    fn conflicting(
        mut self,
        severity: ConflictSeverity,
        values: &[&str],
        with: &str,
        with_values: &[&str],
        message: &str,
    ) -> Self {
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
        self.conflicts.push(Conflict {
            values: owned(values),
            with: with.to_owned(),
            with_values: owned(with_values),
            message: message.to_owned(),
            severity,
        });
        self
    }

    /// Says that documents leave their source while it is set.
    #[must_use]
    pub fn consuming_source(mut self) -> Self {
        self.consumes_source = true;
        self
    }

    /// Whether a document leaves its source with `raw` as this field's value in the settings; the
    /// default counts where `raw` is absent, `null` or blank. A group does if a member does.
    #[must_use]
    pub fn consumes(&self, raw: Option<&Value>) -> bool {
        let value = raw.filter(|value| !is_blank(value)).or(self.default.as_ref());
        if self.field_type == FieldType::Group {
            return self
                .fields
                .iter()
                .any(|member| member.consumes(value.and_then(|group| group.get(&member.id))));
        }
        self.consumes_source
            && match value {
                Some(Value::Bool(fact)) => *fact,
                Some(Value::String(text)) if self.allowed_values.is_empty() => {
                    !text.trim().is_empty()
                }
                Some(Value::String(_)) => value != self.default.as_ref(),
                _ => false,
            }
    }

    /// Shows it only while `field` has one of `values`.
    #[must_use]
    pub fn visible_when(mut self, field: &str, values: &[&str]) -> Self {
        self.visible_when.push(VisibleWhen {
            field: field.to_owned(),
            one_of: values.iter().map(|value| (*value).to_owned()).collect(),
        });
        self
    }
}

/// What the integer of a [`Field`] counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Unit {
    /// Things.
    #[default]
    None,
    /// Milliseconds; text with other units may stand for them, such as `90s`, `30d`, `1h 30m`.
    Milliseconds,
    /// Bytes; text with a unit may stand for them, such as `10MiB`.
    Bytes,
    /// A unit that this build does not know: the connector reads the value.
    #[serde(other)]
    Other,
}

impl Unit {
    /// Whether the integer counts things.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// What the value of a [`Field`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FieldType {
    /// Text.
    String,
    /// Text that must not be shown, or a [`SecretReference`](crate::SecretReference).
    Password,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Certificates in PEM: the text itself, or the path of a file.
    Certificate,
    /// An object with fields of its own.
    Group,
    /// An array of such objects; a text stands for an object whose first field it is.
    List,
    /// A type that this build does not know: any value is taken, and the connector checks it.
    #[serde(other)]
    Other,
}

/// One value that a [`Field`] may have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedValue {
    /// The value in the settings.
    pub value: String,
    /// The name for people.
    pub label: String,
}

/// Who may set a [`Field`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum FieldScope {
    /// The connection only.
    ConnectionOnly,
    /// The operation only.
    #[default]
    OperationOnly,
    /// The connection, and the operation over it.
    Both,
    /// A scope that this build does not know.
    #[serde(other)]
    Other,
}

/// A condition under which a screen shows a [`Field`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VisibleWhen {
    /// The id of the field that decides.
    pub field: String,
    /// The values of it under which this one is shown.
    pub one_of: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_values_that_consume_are_those_that_are_set() {
        let fact = Field::boolean("delete", "Delete", false, "").consuming_source();
        let usual = Field::boolean("take", "Take", true, "").consuming_source();
        let text = Field::text("move", "Move", "").consuming_source();
        let choice = Field::choice("after", "After", &[("keep", "Keep"), ("delete", "Delete")], "")
            .consuming_source();
        let group = Field::group("end", "End", vec![fact.clone()], "");
        let plain = Field::boolean("delete", "Delete", true, "");
        let cases = [
            (&fact, json!(true), true),
            (&fact, json!(false), false),
            (&fact, json!(null), false),
            (&usual, json!(null), true),
            (&usual, json!(false), false),
            (&text, json!("done"), true),
            (&text, json!(" "), false),
            (&choice, json!("keep"), false),
            (&choice, json!("delete"), true),
            (&group, json!({"delete": true}), true),
            (&group, json!({}), false),
            (&plain, json!(true), false),
        ];
        for (field, value, consumes) in cases {
            assert_eq!(field.consumes(Some(&value)), consumes, "{} {value}", field.id);
        }
        assert!(usual.consumes(None) && !fact.consumes(None) && !choice.consumes(None));
    }
}
