//! Filters as processes write them, checked against what an operation declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::descriptor::filter::{FilterDescriptor, FilterGrouping, compares_equality};
use crate::error::Error;
use crate::settings::kind_of;
use crate::suggest::expected_one_of;

/// How deep groups may nest: a bound for hostile input, far beyond any screen.
const MAXIMUM_DEPTH: usize = 64;

/// A condition, or a group of them of any depth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Filter {
    /// All of them hold; an empty group holds.
    And(AndGroup),
    /// At least one of them holds; an empty group does not.
    Or(OrGroup),
    /// One comparison.
    Condition(Condition),
}

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AndGroup {
    /// The members.
    pub and: Vec<Filter>,
}

/// Conditions of which one must hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OrGroup {
    /// The members.
    pub or: Vec<Filter>,
}

/// One comparison.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The id of the property.
    pub property: String,
    /// The id of the operator.
    pub operator: String,
    /// What the property is compared to: text, or a whole number.
    pub value: FilterValue,
}

/// What a property is compared to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum FilterValue {
    /// A whole number.
    Integer(i64),
    /// Text.
    Text(String),
}

impl FilterValue {
    /// The value as text.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

impl Filter {
    /// Checks `raw` against what `descriptor` offers; `null` is no filter.
    ///
    /// # Errors
    ///
    /// `configuration` with the path below the filter, such as `and[1].operator`.
    pub fn check(descriptor: &FilterDescriptor, raw: &Value) -> Result<Option<Self>, Error> {
        if raw.is_null() {
            return Ok(None);
        }
        check_node(descriptor, raw, 0).map(Some)
    }
}

fn check_node(descriptor: &FilterDescriptor, raw: &Value, depth: usize) -> Result<Filter, Error> {
    let Value::Object(object) = raw else {
        return Err(Error::configuration(
            "",
            format!("expected an object, found {}", kind_of(raw)),
        ));
    };
    if depth > MAXIMUM_DEPTH {
        return Err(Error::configuration("", format!("groups nest deeper than {MAXIMUM_DEPTH}")));
    }
    let allowed: &[&str] = if object.contains_key("and") {
        &["and"]
    } else if object.contains_key("or") {
        &["or"]
    } else {
        &["property", "operator", "value"]
    };
    if let Some(key) = object.keys().find(|key| !allowed.contains(&key.as_str())) {
        let expected =
            expected_one_of(key, ["and", "or", "property", "operator", "value"].into_iter());
        return Err(Error::configuration(
            key,
            format!("\"{key}\" does not belong here; {expected}"),
        ));
    }
    if let Some(members) = object.get("and") {
        grouping_allows(descriptor, "and", depth)?;
        return Ok(Filter::And(AndGroup {
            and: check_members(descriptor, "and", members, depth)?,
        }));
    }
    if let Some(members) = object.get("or") {
        grouping_allows(descriptor, "or", depth)?;
        return Ok(Filter::Or(OrGroup { or: check_members(descriptor, "or", members, depth)? }));
    }
    check_condition(descriptor, object).map(Filter::Condition)
}

fn grouping_allows(descriptor: &FilterDescriptor, group: &str, depth: usize) -> Result<(), Error> {
    let allowed = match descriptor.grouping {
        FilterGrouping::Any | FilterGrouping::Other => true,
        FilterGrouping::None => false,
        FilterGrouping::OneLevelAnd => group == "and" && depth == 0,
        FilterGrouping::OneLevelOr => group == "or" && depth == 0,
    };
    if allowed {
        Ok(())
    } else {
        Err(Error::configuration(group, "the operation's filter does not group like this"))
    }
}

fn check_members(
    descriptor: &FilterDescriptor,
    group: &str,
    members: &Value,
    depth: usize,
) -> Result<Vec<Filter>, Error> {
    let Value::Array(members) = members else {
        return Err(Error::configuration(
            group,
            format!("expected an array, found {}", kind_of(members)),
        ));
    };
    members
        .iter()
        .enumerate()
        .map(|(at, member)| {
            check_node(descriptor, member, depth + 1)
                .map_err(|e| e.under(&format!("{group}[{at}]")))
        })
        .collect()
}

fn check_condition(
    descriptor: &FilterDescriptor,
    object: &serde_json::Map<String, Value>,
) -> Result<Condition, Error> {
    let text = |key: &str| match object.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(other) => {
            Err(Error::configuration(key, format!("expected text, found {}", kind_of(other))))
        }
        None => Err(Error::configuration(key, format!("required field \"{key}\" is missing"))),
    };
    let id = text("property")?;
    let property =
        descriptor.properties.iter().find(|property| property.id == id).ok_or_else(|| {
            let known = descriptor.properties.iter().map(|property| property.id.as_str());
            Error::configuration(
                "property",
                format!("unknown property \"{id}\"; {}", expected_one_of(&id, known)),
            )
        })?;
    let operator = text("operator")?;
    if !property.operators.contains(&operator) {
        let known = property.operators.iter().map(String::as_str);
        let expected = expected_one_of(&operator, known);
        return Err(Error::configuration(
            "operator",
            format!("property \"{id}\" has no operator \"{operator}\"; {expected}"),
        ));
    }
    let value = match object.get("value") {
        Some(Value::String(text)) => FilterValue::Text(text.clone()),
        Some(Value::Number(number)) => FilterValue::Integer(
            number
                .as_i64()
                .ok_or_else(|| Error::configuration("value", "expected text or a whole number"))?,
        ),
        Some(other) => {
            return Err(Error::configuration(
                "value",
                format!("expected text or a whole number, found {}", kind_of(other)),
            ));
        }
        None => return Err(Error::configuration("value", "required field \"value\" is missing")),
    };
    let given = value.to_text();
    let allowed = || property.allowed_values.iter().map(|allowed| allowed.value.as_str());
    // Patterns may match parts of a value, so only whole values can be checked.
    if compares_equality(&operator)
        && !property.allowed_values.is_empty()
        && !allowed().any(|value| value == given)
    {
        return Err(Error::configuration(
            "value",
            format!(
                "\"{given}\" is not a value of \"{id}\"; {}",
                expected_one_of(&given, allowed())
            ),
        ));
    }
    Ok(Condition { property: id, operator, value })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::descriptor::filter::{FilterProperty, FilterType};

    fn descriptor() -> FilterDescriptor {
        FilterDescriptor {
            grouping: FilterGrouping::Any,
            properties: vec![FilterProperty {
                id: "fileName".into(),
                label: "File Name".into(),
                help: String::new(),
                value_type: FilterType::String,
                operators: vec!["equals".into(), "wildcard".into()],
                allowed_values: Vec::new(),
                format: None,
            }],
            operators: Vec::new(),
        }
    }

    #[test]
    fn any_nesting_reads_back_the_same() {
        let raw = json!({"and": [
            {"or": [{"property": "fileName", "operator": "wildcard", "value": "*.xml"}, {"and": []}]},
            {"property": "fileName", "operator": "equals", "value": "a"}
        ]});
        let filter = Filter::check(&descriptor(), &raw).unwrap().unwrap();
        assert_eq!(serde_json::to_value(&filter).unwrap(), raw);
        let again: Filter = serde_json::from_value(raw).unwrap();
        assert_eq!(again, filter);
    }

    #[test]
    fn every_misfit_names_its_place() {
        let condition = |property: &str, operator: &str| json!({"property": property, "operator": operator, "value": "x"});
        let cases = [
            (
                json!({"and": [condition("fileNam", "equals")]}),
                "and[0].property",
                "did you mean \"fileName\"?",
            ),
            (
                json!({"or": [{"and": [condition("fileName", "regex")]}]}),
                "or[0].and[0].operator",
                "no operator",
            ),
            (json!({"and": 3}), "and", "expected an array"),
            (json!({"and": [], "or": []}), "or", "does not belong"),
            (json!({"property": "fileName", "operator": "equals"}), "value", "missing"),
            (json!("x"), "", "expected an object"),
        ];
        for (raw, path, part) in cases {
            let error = Filter::check(&descriptor(), &raw).unwrap_err();
            assert_eq!(error.report().path.as_deref().unwrap_or_default(), path, "{raw}");
            assert!(error.message().contains(part), "{raw}: {error}");
        }
    }
}
