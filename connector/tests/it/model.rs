//! Random requests to a server with random faults, held against what the server has: never a
//! success with wrong bytes, never a file lost or half-done under its name, every input answered
//! once, no call that hangs, nothing left open.
//!
//! `PROPTEST_CASES` sets how many runs there are.

#![cfg(target_os = "linux")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::sync::Arc;

use ftp_connector::FtpConnector;
use host_sdk::testing::{MemoryHost, MemoryResult};
use host_sdk::{Connection, Connector, Outcome};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use test_servers::model::{Ending, Fault, ModelServer};
use test_servers::{Certificate, Certificates};

use crate::alone;
use crate::support::{report, with_id, with_properties};
use crate::transcript::{in_time, piece};

/// How many runs there are unless `PROPTEST_CASES` says otherwise.
const CASES: u32 = 96;

/// The names that requests are about.
const NAMES: [&str; 3] = ["a.txt", "b.txt", "c.txt"];

/// Sizes on both sides of what is read again when a transfer goes on.
const SIZES: [usize; 5] = [0, 5, 3_000, 70_000, 250_000];

#[derive(Clone, Copy, Debug)]
enum Request {
    Create(&'static str, usize),
    Get(&'static str),
    /// Of everything, which is deleted once it is read, so many at a time.
    Query(usize),
    List,
    Delete(&'static str),
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let name = || prop::sample::select(&NAMES[..]);
    let request = prop_oneof![
        (name(), prop::sample::select(&SIZES[..]))
            .prop_map(|(name, size)| { Request::Create(name, size) }),
        name().prop_map(Request::Get),
        (1..=3_usize).prop_map(Request::Query),
        Just(Request::List),
        name().prop_map(Request::Delete),
    ];
    prop::collection::vec(request, 1..6)
}

/// What only TLS can tell from the rest comes with `is_tls`.
fn faults(is_tls: bool) -> impl Strategy<Value = Vec<(usize, Fault)>> {
    let bytes = || prop_oneof![0..80_usize, 0..260_000_usize];
    let ending = prop::sample::select(vec![Ending::Confirmed, Ending::Aborted, Ending::HungUp]);
    let fault = prop_oneof![
        Just(Fault::HangsUp),
        Just(Fault::Unanswered),
        (0..40_usize).prop_map(Fault::CutAnswer),
        Just(Fault::Goodbye),
        Just(Fault::Silence),
        Just(Fault::Busy),
        Just(Fault::Denied),
        (bytes(), ending).prop_map(|(bytes, ending)| Fault::Short(bytes, ending)),
        bytes().prop_map(Fault::Changed),
        bytes().prop_map(Fault::Swapped),
        Just(Fault::RestUnknown),
        Just(Fault::RestIgnored),
        Just(if is_tls { Fault::NoFarewell } else { Fault::HangsUp }),
        Just(if is_tls { Fault::Garbage } else { Fault::Unanswered }),
    ];
    prop::collection::vec((1..80_usize, fault), 0..7)
}

/// A content that no other number and size have.
fn content(number: usize, size: usize) -> Vec<u8> {
    piece(number * 1_000, number * 1_000 + size).into_bytes()
}

/// A connection to a server, and what may be under each name.
struct Model {
    server: ModelServer,
    connection: Arc<dyn Connection>,
    /// What was created or tried to be, beside what the server was given.
    created: Vec<(&'static str, Vec<u8>)>,
    /// Whether each request was a success.
    outcomes: Vec<bool>,
}

impl Model {
    fn start(faults: Vec<(usize, Fault)>, certificates: Option<&Certificates>) -> Self {
        let (small, large) = (content(1, 5), content(2, 250_000));
        let files = [(NAMES[0], &large[..]), (NAMES[1], &small[..])];
        let server = match certificates {
            Some(certificates) => ModelServer::start_tls(&files, faults, certificates).unwrap(),
            None => ModelServer::start(&files, faults).unwrap(),
        };
        let mut settings = json!({
            "host": "127.0.0.1", "port": server.port(), "userName": "anna", "password": "secret",
            "connectionTimeout": 2000, "readTimeout": 300, "retry": {"attempts": 3, "delay": 0},
        });
        if let Some(certificates) = certificates {
            settings["sslMode"] = "implicit".into();
            settings["caCertificates"] = certificates.ca_pem().to_str().into();
        }
        let connected = FtpConnector::new().connect(&settings, MemoryHost::new().context());
        Self { server, connection: connected.unwrap(), created: Vec::new(), outcomes: Vec::new() }
    }

    /// Makes one request; its answer and its results.
    fn ask(
        &mut self,
        operation: &Value,
        host: &MemoryHost,
        input: u64,
    ) -> (Outcome, Vec<MemoryResult>) {
        let operation = self.connection.operation(operation).unwrap();
        let executing = host.clone();
        let _ = in_time("a request", move || executing.execute(operation.as_ref()));
        assert_eq!(host.violations(), Vec::<String>::new());
        assert_eq!(host.unanswered(), Vec::<u64>::new());
        let (answer, results) = (host.answer(input).expect("an answer"), host.results());
        self.outcomes.push(answer == Outcome::Success);
        (answer, results)
    }

    /// The files with their contents.
    fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let names = self.server.names().into_iter();
        names.filter_map(|name| self.server.content(&name).map(|content| (name, content))).collect()
    }

    /// Whether `content` was ever whole under `name`.
    fn is_whole(&self, name: &str, content: &[u8]) -> bool {
        self.server.placed(name).iter().any(|placed| placed == content)
            || self.created.iter().any(|(created, body)| *created == name && body == content)
    }

    fn request(&mut self, number: usize, request: Request) {
        let host = MemoryHost::new();
        let before = self.files();
        match request {
            Request::Create(name, size) => {
                let body = content(number + 10, size);
                self.created.push((name, body.clone()));
                let input = host.add_input(with_properties(&[("fileName", name)]), &body[..]);
                let options = json!({"actionIfFileExists": "overwrite"});
                let operation = json!({"operation": "create", "options": options});
                let (outcome, _) = self.ask(&operation, &host, input);
                if outcome == Outcome::Success {
                    assert!(
                        self.server.content(name) == Some(body),
                        "{request:?} kept other bytes"
                    );
                }
            }
            Request::Get(name) => {
                let input = host.add_input(with_id(name), Vec::new());
                let (outcome, results) = self.ask(&json!({"operation": "get"}), &host, input);
                if outcome == Outcome::Success {
                    assert_eq!(
                        results.len(),
                        usize::from(before.contains_key(name)),
                        "{request:?}"
                    );
                }
                self.check_bodies(&results);
            }
            Request::Query(parallel) => {
                let input = host.add_input(with_properties(&[]), Vec::new());
                let options = json!({"deleteAfterReading": true, "parallelTransfers": parallel});
                let operation = json!({"operation": "query", "options": options});
                let (_, results) = self.ask(&operation, &host, input);
                let delivered = self.check_bodies(&results);
                let after = self.files();
                for name in before.keys() {
                    let is_safe = after.contains_key(name) || delivered.contains(name);
                    assert!(is_safe, "{name} is lost");
                }
            }
            Request::List => {
                let input = host.add_input(with_properties(&[]), Vec::new());
                let (outcome, results) = self.ask(&json!({"operation": "list"}), &host, input);
                if outcome == Outcome::Success {
                    let names = results.iter().map(|result| {
                        let document: Value = serde_json::from_slice(&result.body).unwrap();
                        document["fileName"].as_str().unwrap().to_owned()
                    });
                    assert_eq!(names.collect::<Vec<_>>(), before.into_keys().collect::<Vec<_>>());
                }
            }
            Request::Delete(name) => {
                let input = host.add_input(with_id(name), Vec::new());
                let (outcome, _) = self.ask(&json!({"operation": "delete"}), &host, input);
                if outcome == Outcome::Success {
                    assert_eq!(self.server.content(name), None, "{request:?}");
                }
            }
        }
        for (name, content) in self.files() {
            let is_named = NAMES.contains(&name.as_str());
            assert!(!is_named || self.is_whole(&name, &content), "{name} is not whole");
        }
    }

    /// Checks that what was delivered is whole and was delivered once; its names.
    fn check_bodies(&self, results: &[MemoryResult]) -> Vec<String> {
        let mut names = Vec::new();
        for result in results.iter().filter(|result| result.outcome == Outcome::Success) {
            let name = result.properties.get("fileName").unwrap().to_owned();
            assert!(!names.contains(&name), "{name} was delivered twice");
            let is_named = NAMES.contains(&name.as_str());
            assert!(!is_named || self.is_whole(&name, &result.body), "{name} has wrong bytes");
            names.push(name);
        }
        names
    }
}

#[test]
fn random_requests_and_faults_keep_every_promise() {
    let text = alone::run("model::sequences");
    let (_, count) = text.split_once("MODEL ").unwrap();
    report("MODEL", count.lines().next().unwrap_or_default());
}

#[test]
#[ignore = "counts its process's descriptors: run by random_requests_and_faults_keep_every_promise"]
fn sequences() {
    let before = alone::open_things();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|text| text.parse().ok());
    let cases = cases.unwrap_or(CASES);
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let (successes, failures) = (Cell::new(0), Cell::new(0));
    let folder = tempfile::tempdir().unwrap();
    let certificates = Certificates::write(folder.path(), Certificate::Trusted).unwrap();
    let inside = any::<bool>().prop_flat_map(|is_tls| (Just(is_tls), requests(), faults(is_tls)));
    let played = runner.run(&inside, |(is_tls, requests, faults)| {
        let mut model = Model::start(faults, is_tls.then_some(&certificates));
        for (number, request) in requests.into_iter().enumerate() {
            model.request(number, request);
        }
        let good = model.outcomes.iter().filter(|is_success| **is_success).count();
        successes.set(successes.get() + good);
        failures.set(failures.get() + model.outcomes.len() - good);
        let connection = Arc::clone(&model.connection);
        in_time("closing", move || connection.close()).unwrap();
        Ok(())
    });
    if let Err(e) = played {
        panic!("{e}");
    }
    let (successes, failures) = (successes.get(), failures.get());
    let line = format!("{cases} sequences, {successes} successes and {failures} failures");
    report("MODEL", &line);
    assert!(successes > 0 && failures > 0, "{line}");
    alone::assert_nothing_left(before);
}
