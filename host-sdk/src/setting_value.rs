//! One value of the settings, checked against its field.

use serde_json::Value;

use crate::descriptor::field::{Field, FieldType, Unit};
use crate::error::Error;
use crate::kit::quantity::{parse_duration, parse_size};
use crate::suggest::{expected_one_of, quoted_list};

/// The value as the connector reads it: spans of time in milliseconds, sizes in bytes.
pub(crate) fn checked_value(field: &Field, value: &Value) -> Result<Value, Error> {
    let wrong_type = |expected: &str| {
        Error::configuration(&field.id, format!("expected {expected}, found {}", kind_of(value)))
    };
    match field.field_type {
        FieldType::Boolean => {
            value.as_bool().ok_or_else(|| wrong_type("true or false"))?;
        }
        FieldType::Integer => return integer(field, value),
        // The connector that declared it checks it.
        FieldType::Other => {}
        _ => {
            let text = value.as_str().ok_or_else(|| wrong_type("text"))?;
            let allowed = || field.allowed_values.iter().map(|allowed| allowed.value.as_str());
            if !field.allowed_values.is_empty() && !allowed().any(|value| value == text) {
                return Err(Error::configuration(
                    &field.id,
                    format!("\"{text}\" is not allowed; {}", expected_one_of(text, allowed())),
                ));
            }
        }
    }
    Ok(value.clone())
}

/// A number, or a text that states one in another unit.
fn integer(field: &Field, value: &Value) -> Result<Value, Error> {
    let (expected, parse): (_, fn(&str) -> Option<i64>) = match field.unit {
        Unit::None => ("an integer", |_| None),
        Unit::Milliseconds => {
            ("whole milliseconds, or text such as \"90s\", \"30d\" or \"1h 30m\"", |text| {
                parse_duration(text).and_then(|span| i64::try_from(span.as_millis()).ok())
            })
        }
        Unit::Bytes => {
            ("a whole number of bytes, or text such as \"10MiB\" or \"1.5 GB\"", |text| {
                parse_size(text).and_then(|size| i64::try_from(size).ok())
            })
        }
        // The connector that declared it checks it.
        Unit::Other => return Ok(value.clone()),
    };
    let number = match value {
        Value::String(text) if field.unit != Unit::None => parse(text).ok_or_else(|| {
            Error::configuration(&field.id, format!("\"{text}\" is not {expected}"))
        })?,
        other => other.as_i64().ok_or_else(|| {
            let found = kind_of(other);
            Error::configuration(&field.id, format!("expected {expected}, found {found}"))
        })?,
    };
    check_range(field, number)?;
    Ok(number.into())
}

fn check_range(field: &Field, number: i64) -> Result<(), Error> {
    let fits = field.minimum.is_none_or(|minimum| number >= minimum)
        && field.maximum.is_none_or(|maximum| number <= maximum)
        && !field.forbidden.contains(&number);
    if fits {
        return Ok(());
    }
    let mut allowed = match (field.minimum, field.maximum) {
        (Some(minimum), Some(maximum)) => format!("allowed is {minimum} to {maximum}"),
        (Some(minimum), None) => format!("allowed is {minimum} or more"),
        (None, Some(maximum)) => format!("allowed is {maximum} or less"),
        (None, None) => "allowed is any integer".to_owned(),
    };
    if !field.forbidden.is_empty() {
        let forbidden = field.forbidden.iter().map(ToString::to_string);
        allowed.push_str(&format!(", except {}", quoted_list(forbidden)));
    }
    Err(Error::configuration(&field.id, format!("{number} is out of range; {allowed}")))
}

/// The JSON type of `value`, for messages; never the value, which could be a secret.
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
