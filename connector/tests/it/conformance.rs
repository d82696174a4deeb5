//! The connector keeps the interface's promises, linked and loaded, with real servers.

use std::sync::Arc;

use ftp_connector::FtpConnector;
use host_sdk::conformance::{self, InputCase, OperationCase, Profile};
use host_sdk::{Connector, ErrorKind, Properties};
use serde_json::json;
use test_servers::{Flavour, Options, Server, fixture, require};

use crate::plugin::load_copy;
use crate::support::settings;

/// A request about the directory `name`.
fn directory(name: &str) -> InputCase {
    InputCase::document(Properties::new().with("remoteDirectory", name), "")
}

fn named(name: &str, body: &str) -> InputCase {
    InputCase::document(Properties::new().with("fileName", name), body)
}

fn profile(server: &Server) -> Profile {
    let uploads = server.root().join("upload");
    let create = OperationCase::new("create", json!({"operation": "create"}))
        .prepared_by(move || {
            for entry in std::fs::read_dir(&uploads).unwrap() {
                std::fs::remove_file(entry.unwrap().path()).unwrap();
            }
        })
        .input(named("upload/new.txt", "content").gives(1))
        .input(named(" ", "content").is_refused(ErrorKind::Document).gives(0))
        .input(named("upload/new.txt", "more").gives(1));
    let query = OperationCase::new("query", json!({"operation": "query"}))
        .input(directory("dir").gives_body("a").gives_body("b"))
        .input(directory("empty").gives(0));
    let get = OperationCase::new("get", json!({"operation": "get"}))
        .input(
            InputCase::request(&[("id", "hello.txt")])
                .gives_body("hello\nworld\n")
                .with_result_property("fileName", "hello.txt"),
        )
        .input(InputCase::request(&[("id", "nowhere.txt")]).gives(0))
        .input(InputCase::request(&[("id", " ")]).is_refused(ErrorKind::Document).gives(0));
    let list = OperationCase::new("list", json!({"operation": "list"}))
        .input(directory("dir").gives(3))
        .input(directory("many").gives(25));
    let doomed = server.root().join("upload/doomed.txt");
    let delete = OperationCase::new("delete", json!({"operation": "delete"}))
        .prepared_by(move || std::fs::write(&doomed, "doomed").unwrap())
        .input(InputCase::request(&[("id", "upload/doomed.txt")]).gives(0))
        .input(InputCase::request(&[("id", "nowhere.txt")]).is_refused(ErrorKind::NotFound));
    [create, query, get, list, delete]
        .into_iter()
        .fold(Profile::new(settings(server, &json!({}))), Profile::operation)
}

/// What the cases cannot show: uploads and deletions must be prepared for, and deletions move no
/// bodies.
const SKIPPED: [&str; 4] = [
    "create: it executes on several threads at once",
    "delete: it executes on several threads at once",
    "delete: cancelled at work, it ends and claims no success",
    "delete: a host that fails is no success",
];

fn conforms(connector: &dyn Connector, flavour: Flavour) {
    let Some(server) = require(&Options::new(flavour)) else { return };
    fixture(&server.root()).unwrap();
    conformance::run(connector, &profile(&server)).assert_passed(&SKIPPED);
}

#[test]
fn the_native_connector_conforms_with_vsftpd() {
    conforms(&FtpConnector::new(), Flavour::VsFtpd);
}

#[test]
fn the_native_connector_conforms_with_libunftp() {
    conforms(&FtpConnector::new(), Flavour::LibUnftp);
}

#[test]
fn the_loaded_connector_conforms_with_vsftpd() {
    conforms(&load_copy("conformance-vsftpd", Arc::default()), Flavour::VsFtpd);
}

#[test]
fn the_loaded_connector_conforms_with_libunftp() {
    conforms(&load_copy("conformance-libunftp", Arc::default()), Flavour::LibUnftp);
}
