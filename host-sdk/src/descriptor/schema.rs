//! JSON Schema 2020-12 of what a descriptor declares.
//!
//! The schemas accept what [`Settings::check`](crate::Settings::check) and
//! [`Filter::check`](crate::Filter::check) accept, so that an editor or a form reports what the
//! connector would report. Cases are separated by `if`, not by `oneOf`: an error is then reported
//! at its own place.

use serde_json::{Map, Value, json};

use super::connector::{OperationDescriptor, Parameter};
use super::field::{Field, FieldType, Unit};
use super::filter::{
    FilterDescriptor, FilterGrouping, FilterProperty, FilterType, compares_equality, is_pattern,
};

/// The schema of the object that [`Settings::check`](crate::Settings::check) takes for `fields`.
///
/// An optional field may be `null` or blank, which is as good as absent.
#[must_use]
pub fn settings_schema(fields: &[Field]) -> Value {
    let properties: Map<String, Value> =
        fields.iter().map(|field| (field.id.clone(), field_schema(field))).collect();
    let required = fields.iter().filter(|field| field.required).map(|field| field.id.as_str());
    closed(properties, required)
}

/// The schema of one step's settings and parameters:
/// `{"options": {…}, "filter": …, "parameters": {…}}`.
///
/// Other keys, such as `operation`, are left to the schema that this one becomes a part of. A
/// nested filter refers to itself by the anchor `<operation>Filter`.
#[must_use]
pub fn operation_schema(operation: &OperationDescriptor) -> Value {
    let filter = match &operation.filter {
        Some(filter) => json!({
            "description": "Which results are wanted; without it, all.",
            "type": ["object", "null"],
            "if": {"type": "object"},
            "then": filter_schema(filter, &format!("{}Filter", operation.id)),
        }),
        None => json!({"description": "The operation takes no filter.", "type": "null"}),
    };
    let mut options = settings_schema(&operation.fields);
    options["description"] = json!("The operation's settings.");
    let mut schema = json!({
        "title": operation.label,
        "description": operation.help,
        "type": "object",
        "properties": {
            "options": options,
            "filter": filter,
            "parameters": parameters_schema(&operation.parameters),
        },
    });
    let needed = [
        ("options", operation.fields.iter().any(|field| field.required)),
        ("parameters", operation.parameters.iter().any(|parameter| parameter.required)),
    ];
    require(&mut schema, needed.iter().filter(|(_, needed)| *needed).map(|(key, _)| *key));
    schema
}

/// The schema of what [`Filter::check`](crate::Filter::check) takes, `null` aside.
///
/// Groups of any depth refer to the schema by `anchor`, which must be the only one of its name in
/// the document.
#[must_use]
pub fn filter_schema(filter: &FilterDescriptor, anchor: &str) -> Value {
    let condition = condition_schema(filter);
    let group = |word: &str, member: &Value, otherwise: Value| {
        let members = json!({"type": "array", "items": member});
        let group = closed([(word.to_owned(), members)].into_iter().collect(), [word].into_iter());
        json!({"if": {"required": [word]}, "then": group, "else": otherwise})
    };
    let mut schema = match filter.grouping {
        FilterGrouping::None => condition,
        FilterGrouping::OneLevelAnd => group("and", &condition, condition.clone()),
        FilterGrouping::OneLevelOr => group("or", &condition, condition.clone()),
        FilterGrouping::Any | FilterGrouping::Other => {
            let member = json!({"$ref": format!("#{anchor}")});
            let mut schema = group("and", &member, group("or", &member, condition));
            schema["$anchor"] = json!(anchor);
            schema
        }
    };
    schema["type"] = json!("object");
    schema
}

/// An object with `properties` and no others.
fn closed<'a>(properties: Map<String, Value>, required: impl Iterator<Item = &'a str>) -> Value {
    let mut schema =
        json!({"type": "object", "properties": properties, "additionalProperties": false});
    require(&mut schema, required);
    schema
}

fn require<'a>(schema: &mut Value, keys: impl Iterator<Item = &'a str>) {
    let keys: Vec<&str> = keys.collect();
    if !keys.is_empty() {
        schema["required"] = json!(keys);
    }
}

fn field_schema(field: &Field) -> Value {
    let mut schema = value_schema(field);
    schema["title"] = json!(field.label);
    schema["description"] = json!(match &field.format {
        Some(format) => format!("{} In the form {format}.", field.help),
        None => field.help.clone(),
    });
    if let Some(default) = &field.default {
        schema["default"] = default.clone();
    }
    schema
}

fn value_schema(field: &Field) -> Value {
    let mut schema = match field.field_type {
        FieldType::String | FieldType::Certificate if !field.allowed_values.is_empty() => {
            return choice_schema(field);
        }
        FieldType::String | FieldType::Certificate => json!({"type": "string"}),
        FieldType::Password => {
            let mut schema = secret_reference();
            schema["type"] = json!(["string", "object"]);
            schema["writeOnly"] = json!(true);
            schema
        }
        FieldType::Integer => match field.unit {
            Unit::None => integer_schema(field),
            Unit::Milliseconds => return quantity_schema(field, DURATION),
            Unit::Bytes => return quantity_schema(field, SIZE),
            Unit::Other => return quantity_schema(field, ".*"),
        },
        FieldType::Boolean => json!({"type": "boolean"}),
        FieldType::Group => settings_schema(&field.fields),
        FieldType::List => {
            let mut item = settings_schema(&field.fields);
            item["type"] = with_types(&item["type"], &["string"]);
            json!({"type": "array", "items": item})
        }
        // The connector that declared it checks it.
        FieldType::Other => return json!({}),
    };
    let takes_text = !matches!(
        field.field_type,
        FieldType::Integer | FieldType::Boolean | FieldType::Group | FieldType::List
    );
    match (field.required, takes_text) {
        (true, true) => schema["pattern"] = json!(r"\S"),
        (true, false) => {}
        (false, true) => schema["type"] = with_types(&schema["type"], &["null"]),
        (false, false) => {
            schema["type"] = with_types(&schema["type"], &["string", "null"]);
            schema["pattern"] = json!(BLANK);
        }
    }
    schema
}

/// Spans of time with units, which [`Settings::check`](crate::Settings::check) reads more closely.
const DURATION: &str = r"^\s*([0-9]+\s*[A-Za-z]+\s*)+$";

/// Numbers of bytes, likewise.
const SIZE: &str = r"^\s*([0-9]+(\.[0-9]+)?\s*[KkMmGgTtPpEe][Ii]?[Bb]?|[0-9]+\s*[Bb]?)\s*$";

/// A span before now, or after it.
const RELATIVE: &str = r"^now\s*([+-]\s*([0-9]+\s*[A-Za-z]+\s*)+)?$";

/// A number, or text in the form `pattern`.
fn quantity_schema(field: &Field, pattern: &str) -> Value {
    let mut schema = integer_schema(field);
    schema["type"] = json!(["integer", "string"]);
    schema["pattern"] = json!(pattern);
    if !field.required {
        schema["type"] = with_types(&schema["type"], &["null"]);
        schema["pattern"] = json!(format!("{BLANK}|{pattern}"));
    }
    schema
}

/// Text that is as good as none.
const BLANK: &str = r"^\s*$";

fn with_types(types: &Value, more: &[&str]) -> Value {
    let mut all = match types {
        Value::Array(types) => types.clone(),
        one => vec![one.clone()],
    };
    all.extend(more.iter().map(|more| Value::from(*more)));
    Value::Array(all)
}

fn choice_schema(field: &Field) -> Value {
    let values: Vec<&str> =
        field.allowed_values.iter().map(|allowed| allowed.value.as_str()).collect();
    if field.required {
        return json!({"enum": values});
    }
    json!({"anyOf": [{"enum": values}, {"type": ["string", "null"], "pattern": BLANK}]})
}

fn integer_schema(field: &Field) -> Value {
    let mut schema = json!({"type": "integer"});
    for (keyword, bound) in [("minimum", field.minimum), ("maximum", field.maximum)] {
        if let Some(bound) = bound {
            schema[keyword] = json!(bound);
        }
    }
    if !field.forbidden.is_empty() {
        schema["not"] = json!({"enum": field.forbidden});
    }
    schema
}

/// The object form of a secret; the keywords say nothing of text.
fn secret_reference() -> Value {
    json!({
        "properties": {
            "env": {"type": "string", "description": "The environment variable that holds it."},
            "file": {"type": "string", "description": "The file that holds it."},
            "command": {
                "type": "array", "items": {"type": "string"}, "minItems": 1,
                "description": "The program that prints it, and its arguments. No shell reads them.",
            },
        },
        "additionalProperties": false,
        "minProperties": 1,
        "maxProperties": 1,
    })
}

fn parameters_schema(parameters: &[Parameter]) -> Value {
    let properties = parameters
        .iter()
        .map(|parameter| {
            let schema = json!({
                "title": parameter.label,
                "description": parameter.help,
                "type": "string",
            });
            (parameter.id.clone(), schema)
        })
        .collect();
    let required = parameters.iter().filter(|parameter| parameter.required);
    let mut schema = closed(properties, required.map(|parameter| parameter.id.as_str()));
    schema["description"] = json!("What every request names besides its properties.");
    schema
}

fn condition_schema(filter: &FilterDescriptor) -> Value {
    let properties: Vec<&str> =
        filter.properties.iter().map(|property| property.id.as_str()).collect();
    let mut operators: Vec<&str> = Vec::new();
    for id in filter.properties.iter().flat_map(|property| &property.operators) {
        if !operators.contains(&id.as_str()) {
            operators.push(id);
        }
    }
    let cases: Vec<Value> = filter
        .properties
        .iter()
        .map(|property| {
            json!({
                "if": when("property", &json!({"const": property.id})),
                "then": comparison_schema(property),
            })
        })
        .collect();
    json!({
        "type": "object",
        "properties": {
            "property": {"description": "What is compared.", "enum": properties},
            "operator": {"description": "How it is compared.", "enum": operators},
            "value": {
                "description": "What it is compared to: text, or a whole number.",
                "type": ["string", "integer"],
            },
        },
        "required": ["property", "operator", "value"],
        "additionalProperties": false,
        "allOf": cases,
    })
}

/// A condition of `property`.
fn comparison_schema(property: &FilterProperty) -> Value {
    let operator = json!({"description": property.help, "enum": property.operators});
    let mut schema = json!({"properties": {"operator": operator}});
    // A pattern may match parts of a value, so only what is compared as a whole has a form.
    let of = |applies: fn(&str) -> bool| -> Vec<&str> {
        property.operators.iter().map(String::as_str).filter(|id| applies(id)).collect()
    };
    let (operators, value) = if property.allowed_values.is_empty() {
        let Some(value) = compared_schema(property) else { return schema };
        (of(|id| !is_pattern(id)), value)
    } else {
        let values: Vec<&str> =
            property.allowed_values.iter().map(|allowed| allowed.value.as_str()).collect();
        (of(compares_equality), json!({"enum": values}))
    };
    schema["if"] = when("operator", &json!({"enum": operators}));
    schema["then"] = json!({"properties": {"value": value}});
    schema
}

/// What a property that is no text is compared to.
fn compared_schema(property: &FilterProperty) -> Option<Value> {
    match property.value_type {
        FilterType::String | FilterType::Other => None,
        FilterType::Integer => {
            Some(json!({"type": ["integer", "string"], "pattern": "^[+-]?[0-9]+$"}))
        }
        FilterType::Size => Some(json!({
            "type": ["integer", "string"],
            "pattern": format!("^[+-]?[0-9]+$|{SIZE}"),
        })),
        FilterType::Timestamp => {
            let format = property.format.as_deref()?;
            let pattern = time_pattern(format)?;
            let date = time_pattern("yyyy-MM-dd")?;
            Some(json!({
                "description": format!(
                    "A time in the form {format}, a date such as 2026-11-23, or a span before now \
                     such as now-30d."
                ),
                "type": "string",
                "pattern": format!("{pattern}|{date}|{RELATIVE}"),
            }))
        }
    }
}

/// The pattern of times in `format`; none where it has letters that are not known.
fn time_pattern(format: &str) -> Option<String> {
    const FIELDS: [(&str, &str); 7] = [
        ("yyyy", "[0-9]{4}"),
        ("MM", "(0[1-9]|1[0-2])"),
        ("dd", "(0[1-9]|[12][0-9]|3[01])"),
        ("HH", "([01][0-9]|2[0-3])"),
        ("mm", "[0-5][0-9]"),
        ("ss", "[0-5][0-9]"),
        ("SSS", "[0-9]{3}"),
    ];
    let mut pattern = String::from("^");
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_alphabetic() {
            let (field, digits) = FIELDS.iter().find(|(field, _)| rest.starts_with(field))?;
            pattern.push_str(digits);
            rest = &rest[field.len()..];
        } else {
            if matches!(first, '.' | '/' | '(' | ')' | '[' | ']' | '+' | '*' | '?') {
                pattern.push('\\');
            }
            pattern.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    pattern.push('$');
    Some(pattern)
}

/// The condition that the property `key` is there and as `schema` says.
fn when(key: &str, schema: &Value) -> Value {
    json!({"properties": {key: schema}, "required": [key]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_what_it_declares() {
        let fields = [
            Field::text("host", "Host", "Its name.").required(),
            Field::integer("maximum", "Maximum", -1, "How many.").up_to(9).except(0).or(-1),
        ];
        assert_eq!(
            settings_schema(&fields),
            json!({
                "type": "object",
                "properties": {
                    "host": {
                        "title": "Host", "description": "Its name.",
                        "type": "string", "pattern": "\\S"
                    },
                    "maximum": {
                        "title": "Maximum", "description": "How many.", "default": -1,
                        "type": ["integer", "string", "null"], "pattern": "^\\s*$",
                        "minimum": -1, "maximum": 9, "not": {"enum": [0]}
                    }
                },
                "required": ["host"],
                "additionalProperties": false
            })
        );
    }

    #[test]
    fn a_secret_is_text_or_one_reference() {
        let schema = settings_schema(&[Field::secret("password", "Password", "")]);
        let password = &schema["properties"]["password"];
        assert_eq!(password["type"], json!(["string", "object", "null"]));
        assert_eq!(password["maxProperties"], 1);
        assert_eq!(password["writeOnly"], true);
    }

    #[test]
    fn a_format_of_times_becomes_a_pattern() {
        assert_eq!(time_pattern("yyyy-MM").unwrap(), "^[0-9]{4}-(0[1-9]|1[0-2])$");
        assert_eq!(time_pattern("ss.SSS").unwrap(), "^[0-5][0-9]\\.[0-9]{3}$");
        assert_eq!(time_pattern("yyyy-ww"), None);
    }

    #[test]
    fn one_level_groups_hold_conditions_alone() {
        let filter =
            |grouping| FilterDescriptor { grouping, properties: Vec::new(), operators: Vec::new() };
        let one = filter_schema(&filter(FilterGrouping::OneLevelOr), "f");
        assert_eq!(one["then"]["properties"]["or"]["items"], one["else"]);
        let any = filter_schema(&filter(FilterGrouping::Any), "f");
        assert_eq!(any["then"]["properties"]["and"]["items"], json!({"$ref": "#f"}));
        assert_eq!(any["$anchor"], "f");
    }
}
