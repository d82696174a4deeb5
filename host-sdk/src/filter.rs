//! Filters as processes write them, checked against what an operation declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::descriptor::filter::{FilterDescriptor, FilterGrouping, compares_equality};
use crate::error::Error;
use crate::misfit::Misfit;
use crate::setting_value::kind_of;
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
        let (filter, misfits) = Self::misfits(descriptor, raw);
        match misfits.into_iter().next() {
            Some(misfit) => Err(misfit.error),
            None => Ok(filter),
        }
    }

    /// Everything in `raw` that does not fit `descriptor`, and the filter without it: an empty
    /// `and` in the place of each member that does not fit. [`check`](Self::check) returns the
    /// first misfit.
    #[must_use]
    pub fn misfits(descriptor: &FilterDescriptor, raw: &Value) -> (Option<Self>, Vec<Misfit>) {
        let mut misfits = Vec::new();
        let fitting =
            if raw.is_null() { None } else { check_node(descriptor, raw, 0, &mut misfits) };
        (fitting, misfits)
    }
}

/// The node, or what fits of it; `None` after a misfit of its own.
fn check_node(
    descriptor: &FilterDescriptor,
    raw: &Value,
    depth: usize,
    misfits: &mut Vec<Misfit>,
) -> Option<Filter> {
    let Value::Object(object) = raw else {
        misfits.push(value_misfit("", format!("expected an object, found {}", kind_of(raw))));
        return None;
    };
    if depth > MAXIMUM_DEPTH {
        misfits.push(value_misfit("", format!("groups nest deeper than {MAXIMUM_DEPTH}")));
        return None;
    }
    let allowed: &[&str] = if object.contains_key("and") {
        &["and"]
    } else if object.contains_key("or") {
        &["or"]
    } else {
        &["property", "operator", "value"]
    };
    for key in object.keys().filter(|key| !allowed.contains(&key.as_str())) {
        let expected =
            expected_one_of(key, ["and", "or", "property", "operator", "value"].into_iter());
        misfits.push(Misfit::key(Error::configuration(
            key,
            format!("\"{key}\" does not belong here; {expected}"),
        )));
    }
    if let Some(members) = object.get("and") {
        grouping_allows(descriptor, "and", depth, misfits);
        let and = check_members(descriptor, "and", members, depth, misfits)?;
        return Some(Filter::And(AndGroup { and }));
    }
    if let Some(members) = object.get("or") {
        grouping_allows(descriptor, "or", depth, misfits);
        let or = check_members(descriptor, "or", members, depth, misfits)?;
        return Some(Filter::Or(OrGroup { or }));
    }
    check_condition(descriptor, object, misfits).map(Filter::Condition)
}

fn value_misfit(path: &str, message: impl Into<String>) -> Misfit {
    Misfit::value(Error::configuration(path, message))
}

fn grouping_allows(
    descriptor: &FilterDescriptor,
    group: &str,
    depth: usize,
    misfits: &mut Vec<Misfit>,
) {
    let allowed = match descriptor.grouping {
        FilterGrouping::Any | FilterGrouping::Other => true,
        FilterGrouping::None => false,
        FilterGrouping::OneLevelAnd => group == "and" && depth == 0,
        FilterGrouping::OneLevelOr => group == "or" && depth == 0,
    };
    if !allowed {
        misfits.push(value_misfit(group, "the operation's filter does not group like this"));
    }
}

fn check_members(
    descriptor: &FilterDescriptor,
    group: &str,
    members: &Value,
    depth: usize,
    misfits: &mut Vec<Misfit>,
) -> Option<Vec<Filter>> {
    let Value::Array(members) = members else {
        misfits.push(value_misfit(group, format!("expected an array, found {}", kind_of(members))));
        return None;
    };
    let mut checked = Vec::new();
    for (at, member) in members.iter().enumerate() {
        let mut of_member = Vec::new();
        let fitting = check_node(descriptor, member, depth + 1, &mut of_member);
        checked.push(fitting.unwrap_or(Filter::And(AndGroup { and: Vec::new() })));
        let path = format!("{group}[{at}]");
        misfits.extend(of_member.into_iter().map(|misfit| misfit.under(&path)));
    }
    Some(checked)
}

fn check_condition(
    descriptor: &FilterDescriptor,
    object: &serde_json::Map<String, Value>,
    misfits: &mut Vec<Misfit>,
) -> Option<Condition> {
    let property = text(object, "property", misfits);
    let operator = text(object, "operator", misfits);
    let value = condition_value(object.get("value"), misfits);
    let id = property?;
    let Some(declared) = descriptor.properties.iter().find(|property| property.id == id) else {
        let known = descriptor.properties.iter().map(|property| property.id.as_str());
        let expected = expected_one_of(&id, known);
        misfits.push(value_misfit("property", format!("unknown property \"{id}\"; {expected}")));
        return None;
    };
    let operator = operator?;
    if !declared.operators.contains(&operator) {
        let expected = expected_one_of(&operator, declared.operators.iter().map(String::as_str));
        misfits.push(value_misfit(
            "operator",
            format!("property \"{id}\" has no operator \"{operator}\"; {expected}"),
        ));
        return None;
    }
    let value = value?;
    let given = value.to_text();
    let allowed = || declared.allowed_values.iter().map(|allowed| allowed.value.as_str());
    // Patterns may match parts of a value, so only whole values can be checked.
    if compares_equality(&operator)
        && !declared.allowed_values.is_empty()
        && !allowed().any(|value| value == given)
    {
        let expected = expected_one_of(&given, allowed());
        misfits.push(value_misfit(
            "value",
            format!("\"{given}\" is not a value of \"{id}\"; {expected}"),
        ));
    }
    Some(Condition { property: id, operator, value })
}

fn text(
    object: &serde_json::Map<String, Value>,
    key: &str,
    misfits: &mut Vec<Misfit>,
) -> Option<String> {
    match object.get(key) {
        Some(Value::String(text)) => return Some(text.clone()),
        Some(other) => {
            misfits.push(value_misfit(key, format!("expected text, found {}", kind_of(other))));
        }
        None => misfits.push(missing(key)),
    }
    None
}

fn condition_value(raw: Option<&Value>, misfits: &mut Vec<Misfit>) -> Option<FilterValue> {
    let number = match raw {
        Some(Value::String(text)) => return Some(FilterValue::Text(text.clone())),
        Some(Value::Number(number)) => number.as_i64().map(FilterValue::Integer),
        Some(_) => None,
        None => {
            misfits.push(missing("value"));
            return None;
        }
    };
    if number.is_none() {
        let found = raw.map_or("nothing", kind_of);
        misfits
            .push(value_misfit("value", format!("expected text or a whole number, found {found}")));
    }
    number
}

fn missing(key: &str) -> Misfit {
    Misfit::missing(Error::configuration(key, format!("required field \"{key}\" is missing")))
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

    #[test]
    fn all_misfits_are_found_at_once() {
        let raw = json!({"and": [
            {"property": "fileNam", "operator": "equals"},
            {"or": [{"property": "fileName", "operator": "regex", "value": []}]},
            5,
        ]});
        let (fitting, misfits) = Filter::misfits(&descriptor(), &raw);
        let found: Vec<String> = misfits
            .into_iter()
            .map(|misfit| misfit.error.report().path.clone().unwrap_or_default())
            .collect();
        let expected = [
            "and[0].value",
            "and[0].property",
            "and[1].or[0].value",
            "and[1].or[0].operator",
            "and[2]",
        ];
        assert_eq!(found, expected);
        let none = json!({"and": []});
        let left = serde_json::to_value(fitting).unwrap();
        assert_eq!(left, json!({"and": [none, {"or": [none]}, none]}));
    }
}
