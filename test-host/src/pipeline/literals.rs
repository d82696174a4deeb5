//! Finds references in texts that stay as they are written.
//!
//! The settings of connectors and filters are no templates: `{now:yyyy}` in them would name a
//! directory with braces.

use host_sdk::Error;
use host_sdk::descriptor::{Field, FieldType};
use serde_json::{Map, Value};

use crate::process::{Problems, key};
use crate::template::Template;

/// Refuses references in the texts of `settings`. Secrets and certificates are not looked at.
pub(super) fn check(settings: &Map<String, Value>, fields: &[Field], problems: &mut Problems) {
    for (id, value) in settings {
        let Some(field) = fields.iter().find(|field| field.id == *id) else { continue };
        match (field.field_type, value) {
            // The connector fills in what its own help names.
            (FieldType::String, Value::String(text)) if !has_placeholders(field) => {
                check_text(id, text, problems);
            }
            (FieldType::Group, Value::Object(members)) => {
                problems.under(id, |problems| check(members, &field.fields, problems));
            }
            _ => {}
        }
    }
}

/// Whether the field's text is a pattern of the connector's own.
fn has_placeholders(field: &Field) -> bool {
    let is_in = |text: &str| text.contains('{') && text.contains('}');
    field.format.as_deref().is_some_and(is_in) || is_in(&field.help)
}

/// Refuses references in the values of a filter.
pub(super) fn check_filter(filter: &Value, problems: &mut Problems) {
    match filter {
        Value::Object(members) => {
            for (id, member) in members {
                match member {
                    Value::String(text) if id == "value" => check_text(id, text, problems),
                    _ => problems.under(&key("", id).replacen('.', "", 1), |problems| {
                        check_filter(member, problems);
                    }),
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                problems.under(&format!("[{at}]"), |problems| check_filter(item, problems));
            }
        }
        _ => {}
    }
}

fn check_text(id: &str, text: &str, problems: &mut Problems) {
    let Some(reference) = reference_in(text) else { return };
    problems.error(
        Error::configuration(
            id,
            format!("{reference} stays as it is written: this text is no template"),
        )
        .with_hint(
            "set it for each document with a setProperties step where the operation takes a \
             property of this name",
        ),
    );
}

/// The first part of `text` that would be a reference in a template: a function, or the name of a
/// property that documents usually have. Other braces are the user's own.
fn reference_in(text: &str) -> Option<&str> {
    const USUAL: [&str; 6] =
        ["fileName", "remoteDirectory", "timestamp", "directory", "relativeDirectory", "size"];
    let mut rest = text;
    while let Some(start) = rest.find('{') {
        let from = &rest[start..];
        let end = from.find('}')?;
        let whole = &from[..=end];
        let is_reference = Template::parse(whole).is_ok_and(|template| {
            !template.is_literal()
                && template.references().all(|reference| {
                    reference.written != reference.property || USUAL.contains(&reference.property)
                })
        });
        if is_reference || whole.starts_with("{env:") {
            return Some(whole);
        }
        rest = &from[1..];
    }
    None
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_told_from_other_braces() {
        for text in ["out/{now:yyyy-MM-dd}", "{fileName}", "a{uuid}", "x{env:HOME}", "{{{basename}"]
        {
            assert!(reference_in(text).is_some(), "{text}");
        }
        for text in ["[0-9]{8}", r"\p{Greek}+", "{", "}{", "a{b}c", "{{", r"^\d{1,3}$", "{size"] {
            assert_eq!(reference_in(text), None, "{text}");
        }
    }

    #[test]
    fn values_of_filters_are_placed() {
        let filter = json!({"and": [{"property": "fileName", "value": "{now:yyyy}"}]});
        let mut problems = Problems::default();
        check_filter(&filter, &mut problems);
        let path = problems.all()[0].error.report().path.as_deref();
        assert_eq!(path, Some("and[0].value"));
    }
}
