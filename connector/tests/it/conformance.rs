//! The connector keeps the interface's promises, linked and loaded, with real servers.

use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};

use ftp_connector::FtpConnector;
use host_sdk::conformance::{self, InputCase, OperationCase, Profile};
use host_sdk::{Connector, ErrorKind, HostServices, LoadedConnector, LogRecord, Properties};
use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, fixture, require};

use crate::support::settings;

/// The connector's library, of which cargo says where it is: a guess would find what an earlier
/// build left.
fn library() -> &'static PathBuf {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let mut command = Command::new(env!("CARGO"));
        command.args(["build", "--quiet", "--package", "ftp-connector", "--lib"]);
        command.arg("--message-format=json");
        if !cfg!(debug_assertions) {
            command.arg("--release");
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let file = format!("{DLL_PREFIX}ftp_connector{DLL_SUFFIX}");
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap())
            .flat_map(|message| message["filenames"].as_array().cloned().unwrap_or_default())
            .filter_map(|path| path.as_str().map(PathBuf::from))
            .find(|path| path.ends_with(&file))
            .unwrap()
    })
}

/// Services that want no records.
struct Silence;

impl HostServices for Silence {
    fn max_level(&self) -> log::LevelFilter {
        log::LevelFilter::Off
    }

    fn log(&self, _: &LogRecord<'_>) {}
}

fn loaded() -> LoadedConnector {
    host_sdk::loader::load(library(), Arc::new(Silence)).unwrap()
}

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
    conforms(&loaded(), Flavour::VsFtpd);
}

#[test]
fn the_loaded_connector_conforms_with_libunftp() {
    conforms(&loaded(), Flavour::LibUnftp);
}
