//! What connectors say of their documents is a schema, and the documents fit it.

use std::sync::Arc;

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{BrowseRequest, Connection, Connector, InputHeader, Outcome, Properties};
use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, fixture, require};

fn connect(settings: &Value) -> Arc<dyn Connection> {
    FtpConnector::new().connect(settings, MemoryHost::new().context()).unwrap()
}

/// The profiles of an operation's documents: input and output.
fn profiles(connection: &dyn Connection, operation: &str) -> Vec<Value> {
    let ask = |object_type| {
        let request = BrowseRequest { operation: operation.to_owned(), object_type };
        connection.browse(&request, MemoryHost::new().context()).unwrap()
    };
    let object_types = ask(None).object_types;
    let answers = object_types.into_iter().map(|object_type| ask(Some(object_type.id)));
    answers.flat_map(|answer| [answer.input_profile, answer.output_profile]).flatten().collect()
}

#[test]
fn every_profile_is_a_schema() {
    let connection = connect(&json!({"host": "localhost"}));
    let mut count = 0;
    for operation in FtpConnector::new().descriptor().unwrap().operations {
        for profile in profiles(connection.as_ref(), &operation.id) {
            if let Err(error) = jsonschema::draft202012::meta::validate(&profile) {
                panic!("{}: {}: {error}", operation.id, error.instance_path());
            }
            count += 1;
        }
    }
    assert_eq!(count, 2, "Create and List have JSON documents");
}

/// The results of `operation`, each of which must fit the profile.
fn fitting_results(connection: &dyn Connection, operation: &Value, input: InputHeader) -> usize {
    let [profile] = &profiles(connection, operation["operation"].as_str().unwrap())[..] else {
        panic!("not one profile");
    };
    let validator = jsonschema::draft202012::new(profile).unwrap();
    let host = MemoryHost::new();
    // A request of List has no body.
    let body = if operation["operation"] == "create" { "content" } else { "" };
    let id = host.add_input(input, body);
    host.execute(connection.operation(operation).unwrap().as_ref()).unwrap();
    assert_eq!(host.answer(id), Some(Outcome::Success));
    for result in host.results() {
        let document: Value = serde_json::from_slice(&result.body).unwrap();
        if let Err(error) = validator.validate(&document) {
            panic!("{document}: {}: {error}", error.instance_path());
        }
    }
    host.results().len()
}

#[test]
fn what_list_and_create_answer_fits_their_profiles() {
    let Some(server) = require(&Options::new(Flavour::LibUnftp)) else { return };
    fixture(&server.root()).unwrap();
    for listing in ["mlsd", "list"] {
        let connection = connect(&settings(&server, listing));
        let list = json!({"operation": "list"});
        assert!(fitting_results(connection.as_ref(), &list, InputHeader::default()) > 10);
        for all_metadata in [false, true] {
            let options = json!({"includeAllMetadata": all_metadata});
            let create = json!({"operation": "create", "options": options});
            let properties = Properties::new().with("fileName", "upload/new.txt");
            let input = InputHeader { properties, ..InputHeader::default() };
            assert_eq!(fitting_results(connection.as_ref(), &create, input), 1);
        }
        connection.close().unwrap();
    }
}

fn settings(server: &Server, listing: &str) -> Value {
    json!({"host": "localhost", "port": server.port(), "userName": server.user(),
           "password": server.password(), "listing": listing})
}
