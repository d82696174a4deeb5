//! Paths such as `proxy.port` and `filter.and[0].value`, followed into a value.

use serde_json::Value;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Into the member of an object.
    Key(String),
    /// Into the item of an array.
    Index(usize),
}

/// The steps of `path`. Keys in quotes are read as they are written.
pub(super) fn parse(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(quoted) = rest.strip_prefix('[') {
            let mut texts = serde_json::Deserializer::from_str(quoted).into_iter::<Value>();
            let step = match texts.next() {
                Some(Ok(Value::String(key))) => Some(Step::Key(key)),
                Some(Ok(Value::Number(at))) => {
                    at.as_u64().and_then(|at| usize::try_from(at).ok()).map(Step::Index)
                }
                _ => None,
            };
            let after = quoted.get(texts.byte_offset()..).unwrap_or_default();
            let (Some(step), Some(after)) = (step, after.strip_prefix(']')) else {
                steps.push(Step::Key(rest.to_owned()));
                return steps;
            };
            steps.push(step);
            rest = after;
        } else {
            let plain = rest.strip_prefix('.').unwrap_or(rest);
            let end = plain.find(['.', '[']).unwrap_or(plain.len());
            let (key, after) = plain.split_at(end);
            if key.is_empty() {
                steps.push(Step::Key(rest.to_owned()));
                return steps;
            }
            steps.push(Step::Key(key.to_owned()));
            rest = after;
        }
    }
    steps
}

/// The value at `path` below `value`.
pub(super) fn find_mut<'a>(value: &'a mut Value, path: &[Step]) -> Option<&'a mut Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key.as_str()),
        Step::Index(at) => value.get_mut(*at),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Step {
        Step::Key(key.to_owned())
    }

    #[test]
    fn paths_are_followed() {
        assert_eq!(parse("proxy.port"), [key("proxy"), key("port")]);
        assert_eq!(parse("and[12].value"), [key("and"), Step::Index(12), key("value")]);
        assert_eq!(parse("a[\"b.c\"]"), [key("a"), key("b.c")]);
        for broken in ["a[", "a[x]", "a..b", "[1", "."] {
            assert!(!parse(broken).is_empty(), "{broken}");
        }
    }
}
