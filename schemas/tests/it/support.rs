//! Schemas to validate with, files to validate, and places to compare.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::error::ValidationErrorKind;
use jsonschema::{Registry, ValidationError, Validator};
use serde_json::Value;

/// What relative references of the schemas are relative to.
const BASE: &str = "https://schemas.invalid/";

/// The directory of this package.
pub(crate) fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The JSON in the file at `path`.
pub(crate) fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// A validator of the checked-in schema `name`, such as `process`.
pub(crate) fn validator(name: &str) -> Validator {
    let files: Vec<(String, Value)> = schemas::generate()
        .unwrap()
        .iter()
        .map(|file| (format!("{BASE}{}", file.name), read(&package().join(file.name))))
        .collect();
    let registry = Registry::new().extend(files).unwrap().prepare().unwrap();
    let uri = format!("{BASE}{name}.schema.json");
    let root = serde_json::json!({"$ref": uri});
    jsonschema::draft202012::options().with_registry(&registry).build(&root).unwrap()
}

/// What does not fit in `instance`: each with the pointer of its place and the words.
pub(crate) fn misfits(validator: &Validator, instance: &Value) -> Vec<(String, String)> {
    validator
        .iter_errors(instance)
        .flat_map(|error| {
            let words = error.to_string();
            places(&error).into_iter().map(move |place| (place, words.clone()))
        })
        .collect()
}

/// Where `error` is: a property that is missing or too many is the place, not its object.
fn places(error: &ValidationError<'_>) -> Vec<String> {
    let at = error.instance_path().as_str();
    let below = |key: &str| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
    match error.kind() {
        ValidationErrorKind::Required { property } => vec![below(property.as_str().unwrap())],
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().map(|key| below(key)).collect()
        }
        _ => vec![at.to_owned()],
    }
}

/// Whether one of two pointers leads to the other: a rule may be told at a value or at the part
/// of it that breaks the rule.
pub(crate) fn is_same_place(one: &str, other: &str) -> bool {
    let leads = |from: &str, to: &str| {
        to.strip_prefix(from).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    leads(one, other) || leads(other, one)
}

/// The files `directory/*.json` with their names, sorted.
pub(crate) fn json_files(directory: &Path) -> Vec<(String, PathBuf)> {
    let mut files: Vec<(String, PathBuf)> = fs::read_dir(directory)
        .unwrap_or_else(|e| panic!("{}: {e}", directory.display()))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), path))
        .collect();
    files.sort();
    files
}

/// The valid examples of the schema `name`.
pub(crate) fn valid_examples(name: &str) -> Vec<(String, Value)> {
    let directory = package().join("examples/valid").join(name);
    let files = json_files(&directory);
    files.into_iter().map(|(name, path)| (name, read(&path))).collect()
}

/// An example that does not fit.
pub(crate) struct Invalid {
    pub(crate) name: String,
    pub(crate) instance: Value,
    /// The pointer of what does not fit.
    pub(crate) place: String,
}

/// The invalid examples of the schema `name`; `expected.json` knows each, and no other.
pub(crate) fn invalid_examples(name: &str) -> Vec<Invalid> {
    let directory = package().join("examples/invalid");
    let expected = read(&directory.join("expected.json"));
    let prefix = format!("{name}/");
    let known = expected.as_object().unwrap().keys().filter(|key| key.starts_with(&prefix));
    let files = json_files(&directory.join(name));
    let found = files.iter().map(|(file, _)| format!("{prefix}{file}"));
    assert_eq!(known.cloned().collect::<Vec<_>>(), found.collect::<Vec<_>>(), "expected.json");
    files
        .into_iter()
        .map(|(file, path)| {
            let name = format!("{prefix}{file}");
            let place = expected[&name].as_str().unwrap().to_owned();
            Invalid { instance: read(&path), place, name }
        })
        .collect()
}
