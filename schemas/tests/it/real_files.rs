//! What the project itself has fits its schemas.

use std::fs;
use std::path::{Path, PathBuf};

use ftp_connector::FtpConnector;
use host_sdk::Connector;
use serde_json::Value;

use crate::agreement::prepare;
use crate::libraries::connectors;
use crate::support::{misfits, package, read, validator};

#[test]
fn the_descriptors_of_the_connectors_fit() {
    let native: Box<dyn Connector> = Box::new(FtpConnector::new());
    let loaded = ["ftp", "echo"].map(|id| connectors().connector(id).unwrap());
    let validator = validator("descriptor");
    for descriptor in
        [native.descriptor()].into_iter().chain(loaded.iter().map(|loaded| loaded.descriptor()))
    {
        let descriptor = descriptor.unwrap();
        let misfits = misfits(&validator, &serde_json::to_value(&descriptor).unwrap());
        assert!(misfits.is_empty(), "{}: {misfits:#?}", descriptor.id);
    }
}

#[test]
fn every_process_file_of_the_project_fits_and_is_taken() {
    let root = package().parent().unwrap();
    let mut files = Vec::new();
    process_files(root, &mut files);
    let examples = fs::read_dir(root.join("test-host/examples")).unwrap().count();
    assert!(files.len() > examples, "the search found {files:#?}");
    let validator = validator("process");
    for path in files {
        let shown = path.display();
        let process = read(&path);
        let misfits = misfits(&validator, &process);
        assert!(misfits.is_empty(), "{shown}: {misfits:#?}");
        if let Err(error) = prepare(&process) {
            panic!("{shown}: {:?}: {error}", error.report().path);
        }
        if let Some(schema) = process["$schema"].as_str() {
            let schema = path.parent().unwrap().join(schema).canonicalize();
            let expected = package().join("process.schema.json").canonicalize().unwrap();
            assert_eq!(schema.ok(), Some(expected), "{shown} has its schema elsewhere");
        }
    }
}

/// Adds the process files below `directory` to `found`; the invalid examples are no process files.
fn process_files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !path.is_symlink() {
            if !name.starts_with('.') && name != "target" && name != "invalid" {
                process_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let is_process = fs::read_to_string(&path)
                .ok()
                .and_then(|text| serde_json::from_str::<Value>(&text).ok())
                .is_some_and(|value| {
                    value.get("process").is_some() && value.get("steps").is_some()
                });
            if is_process {
                found.push(path);
            }
        }
    }
}
