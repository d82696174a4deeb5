//! The schemas in the repository.

use std::fs;
use std::path::Path;

use crate::support::{json_files, package, read};

#[test]
fn what_is_checked_in_is_what_is_generated() {
    let files = schemas::generate().unwrap();
    for file in &files {
        let checked_in = fs::read_to_string(package().join(file.name)).unwrap_or_default();
        assert!(
            checked_in == file.text(),
            "{} is out of date; run `cargo run -p schemas` and check in what it writes",
            file.name
        );
    }
    let mut names: Vec<&str> = files.iter().map(|file| file.name).collect();
    names.sort_unstable();
    let found: Vec<String> = json_files(package()).into_iter().map(|(name, _)| name).collect();
    assert_eq!(found, names, "a schema that nothing generates");
}

#[test]
fn every_schema_is_a_schema_of_its_dialect() {
    for file in schemas::generate().unwrap() {
        assert_eq!(file.schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(file.schema["$id"], file.name);
        if let Err(error) = jsonschema::draft202012::meta::validate(&file.schema) {
            panic!("{}{}: {error}", file.name, error.instance_path());
        }
        assert_eq!(read(&package().join(file.name)), file.schema);
    }
}

#[test]
fn the_page_of_settings_is_what_is_generated() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(schemas::SETTINGS_PAGE);
    let checked_in = fs::read_to_string(path).unwrap();
    assert!(
        checked_in == schemas::ftp_settings_page().unwrap(),
        "{} is out of date; run `cargo run -p schemas` and check in what it writes",
        schemas::SETTINGS_PAGE
    );
}
