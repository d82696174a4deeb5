//! Directories far larger than the memory that listing them may take.

#![cfg(target_os = "linux")]

use std::fs::{File, hard_link};
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, require};

use crate::support::{Place, connection, ftp_connector, peak_memory};

const ENTRIES: usize = 100_000;
const BOUND_KIB: u64 = 48 * 1024;
/// So many events that they do not fit into a pipe without a reader: the program is still there.
const LAST: usize = 2_000;
/// A file can have so many names and not many more.
const NAMES: usize = 50_000;

/// A server with a directory of [`ENTRIES`] empty files.
fn crowded(flavour: Flavour) -> Option<Server> {
    let server = require(&Options::new(flavour))?;
    let directory = server.root().join("crowd");
    std::fs::create_dir(&directory).unwrap();
    let path = |number: usize| directory.join(format!("file-{number:06}.dat"));
    for number in 0..ENTRIES {
        let first = number - number % NAMES;
        if number == first {
            File::create(path(number)).unwrap();
        } else {
            hard_link(path(first), path(number)).unwrap();
        }
    }
    Some(server)
}

/// The program at work on the directory.
struct Running {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    _place: Place,
}

impl Running {
    fn start(server: &Server, operation: &str, options: &Value) -> Self {
        let place = Place::new();
        let process = json!({
            "process": "crowd",
            "connections": {"crowd": connection(server, &json!({"remoteDirectory": "crowd"}))},
            "steps": [{"name": "look", "type": "connector", "connection": "crowd",
                       "operation": operation, "options": options}],
        });
        place.write("process.json", process.to_string());
        let arguments = ["run", "process.json", "--output", "json"];
        let mut command = place.program_with(ftp_connector(), &arguments);
        command.env("FTP_PASSWORD", "s3cret pass").stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines, _place: place }
    }

    fn event(&mut self) -> Value {
        serde_json::from_str(&self.lines.next().unwrap().unwrap()).unwrap()
    }

    /// Reads to the end; how many documents there were.
    fn documents(mut self) -> Value {
        let last = self.lines.by_ref().last().unwrap().unwrap();
        assert!(self.child.wait().unwrap().success(), "{last}");
        let summary: Value = serde_json::from_str(&last).unwrap();
        summary["documents"]["success"].clone()
    }
}

/// Whether the server has sent a whole listing of the directory.
fn has_ended(server: &Server) -> bool {
    let log = server.log();
    log.contains("226 Directory send OK") || log.contains("MLSD -> 226")
}

/// The first document comes while the server is still listing, and nothing is hoarded.
fn streams(flavour: Flavour) {
    let Some(server) = crowded(flavour) else { return };
    let mut listing = Running::start(&server, "list", &json!({}));
    assert_eq!(listing.event()["json"]["remoteDirectory"], "/crowd");
    // While the client does not read on, the server cannot send the rest.
    assert!(!has_ended(&server), "{}", server.log());
    for _ in 1..ENTRIES - LAST {
        assert_eq!(listing.event()["event"], "document");
    }
    let peak = peak_memory(listing.child.id());
    assert_eq!(listing.documents(), ENTRIES);
    assert!(has_ended(&server), "{}", server.log());
    assert!(peak < BOUND_KIB, "list: {peak} KiB");

    // A query has to know all files before the first in order.
    let options = json!({"sortBy": "fileName", "maximumFiles": LAST});
    let mut query = Running::start(&server, "query", &options);
    assert_eq!(query.event()["properties"]["fileName"], "file-000000.dat");
    let query_peak = peak_memory(query.child.id());
    assert_eq!(query.documents(), LAST);
    assert!(query_peak < BOUND_KIB, "query: {query_peak} KiB");
}

#[test]
fn vsftpd_lists_a_crowd() {
    streams(Flavour::VsFtpd);
}

#[test]
fn proftpd_lists_a_crowd() {
    streams(Flavour::ProFtpd);
}
