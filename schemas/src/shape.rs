//! Changes to derived schemas, for better messages and smaller surprises.

use serde_json::{Map, Value, json};

/// `then` applies where the property `tag` is `value`.
pub(crate) fn case(tag: &str, value: &str, then: Value) -> Value {
    json!({"if": {"properties": {tag: {"const": value}}, "required": [tag]}, "then": then})
}

/// Turns a choice of variants into one case for each value of `tag`: a misfit is then reported at
/// its own place, not as "none of these".
pub(crate) fn by_tag(schema: &mut Value, tag: &str) {
    let Value::Array(variants) = schema["oneOf"].take() else { return };
    let value_of = |variant: &Value| {
        variant["properties"][tag]["const"].as_str().unwrap_or_default().to_owned()
    };
    let values: Vec<String> = variants.iter().map(value_of).collect();
    let cases: Vec<Value> =
        variants.into_iter().map(|variant| case(tag, &value_of(&variant), variant)).collect();
    if let Value::Object(schema) = schema {
        schema.remove("oneOf");
    }
    schema["type"] = json!("object");
    schema["properties"] = json!({tag: {"enum": values}});
    schema["required"] = json!([tag]);
    schema["allOf"] = json!(cases);
}

/// Takes `null` out of everything optional: what is written leaves out what there is not.
pub(crate) fn never_null(schema: &mut Value) {
    each_object(schema, &mut |object| {
        if let Some(Value::Array(types)) = object.get_mut("type") {
            types.retain(|one| one != "null");
            if let [one] = &types[..] {
                let one = one.clone();
                object.insert("type".to_owned(), one);
            }
        }
        let only = match object.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([Value::Object(only), null]) if null["type"] == "null" => only.clone(),
            _ => return,
        };
        object.remove("anyOf");
        object.extend(only);
    });
}

/// Turns "this or `null`" into "this, unless it is `null`", for the same reason as [`by_tag`].
pub(crate) fn unless_null(schema: &mut Value) {
    each_object(schema, &mut |object| {
        let given = match object.get("anyOf").and_then(Value::as_array).map(Vec::as_slice) {
            Some([given, null]) if null["type"] == "null" => given.clone(),
            _ => return,
        };
        object.remove("anyOf");
        object.insert("if".to_owned(), json!({"type": "null"}));
        object.insert("else".to_owned(), given);
    });
}

/// Opens every set of words that has an `other`: what a newer interface writes is any text.
pub(crate) fn open_words(schema: &mut Value) {
    each_object(schema, &mut |object| {
        let Some(Value::Array(mut words)) = object.get("oneOf").cloned() else { return };
        let Some(other) = words.iter_mut().find(|word| word["const"] == "other") else { return };
        if let Value::Object(other) = other {
            other.remove("const");
            object.remove("oneOf");
            object.insert("anyOf".to_owned(), Value::Array(words));
        }
    });
}

/// Makes plain text of documentation: links and line breaks are for its source.
pub(crate) fn tidy_descriptions(schema: &mut Value) {
    each_object(schema, &mut |object| {
        if let Some(Value::String(text)) = object.get_mut("description") {
            *text = plain(text);
        }
    });
}

fn plain(text: &str) -> String {
    let paragraphs: Vec<String> =
        text.split("\n\n").map(|paragraph| without_links(&paragraph.replace('\n', " "))).collect();
    paragraphs.join("\n\n")
}

/// `` [`X`](path) `` and `` [`X`] `` become `` `X` ``.
fn without_links(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        plain.push_str(before);
        let Some((name, after)) = link.split_once("`]") else {
            plain.push_str("[`");
            rest = link;
            continue;
        };
        plain.push_str(&format!("`{name}`"));
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(after, |(_, after)| after);
    }
    plain + rest
}

fn each_object(value: &mut Value, visit: &mut dyn FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(object);
            object.values_mut().for_each(|value| each_object(value, visit));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_object(item, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants_become_cases() {
        let variant = json!({"properties": {"kind": {"const": "a"}}, "required": ["kind"]});
        let mut schema = json!({"oneOf": [variant]});
        by_tag(&mut schema, "kind");
        assert_eq!(
            schema,
            json!({
                "type": "object",
                "properties": {"kind": {"enum": ["a"]}},
                "required": ["kind"],
                "allOf": [case("kind", "a", variant)],
            })
        );
    }

    #[test]
    fn what_is_optional_is_never_null() {
        let mut schema = json!({"a": {"type": ["string", "null"]},
            "b": {"anyOf": [{"$ref": "#/x"}, {"type": "null"}], "description": "B."}});
        never_null(&mut schema);
        assert_eq!(
            schema,
            json!({"a": {"type": "string"}, "b": {"$ref": "#/x", "description": "B."}})
        );
    }

    #[test]
    fn null_is_told_apart_first() {
        let mut schema = json!({"anyOf": [{"$ref": "#/x"}, {"type": "null"}]});
        unless_null(&mut schema);
        assert_eq!(schema, json!({"if": {"type": "null"}, "else": {"$ref": "#/x"}}));
    }

    #[test]
    fn documentation_loses_links_and_line_breaks() {
        let text = "The class of an [`Error`]\nor [`test`](crate::test).\n\nMore [] [`x.";
        assert_eq!(plain(text), "The class of an `Error` or `test`.\n\nMore [] [`x.");
    }
}
