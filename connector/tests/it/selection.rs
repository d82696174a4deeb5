//! What a query takes for its files on servers that list more than they have, or the same twice.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use host_sdk::Outcome;
use host_sdk::testing::MemoryHost;
use serde_json::json;
use test_servers::{Flavour, Options, require};

use crate::logs;
use crate::support::{Bench, with_properties};

/// pyftpdlib lists a name outside UTF-8 under another one, which it does not find.
#[test]
fn a_file_that_is_listed_and_not_found_is_a_failure() {
    let Some(server) = require(&Options::new(Flavour::PyFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("in/a.txt", b"a");
    let name = OsStr::from_bytes(b"latin-\xe9.txt");
    std::fs::write(bench.server.root().join("in").join(name), b"secret").unwrap();
    let options = json!({"deleteAfterReading": true});
    let results = bench.query(&options, &json!(null), "in").success();
    let (read, failed): (Vec<_>, Vec<_>) =
        results.iter().partition(|result| result.outcome == Outcome::Success);
    assert_eq!((read.len(), failed.len()), (1, 1), "{results:?}");
    assert!(bench.server.root().join("in").join(name).exists());
}

/// Links lead back to where the walk came from; pyftpdlib shows them as directories in MLSD.
#[test]
fn a_directory_is_walked_once() {
    for (flavour, listing) in [
        (Flavour::PyFtpd, "mlsd"),
        (Flavour::PyFtpd, "list"),
        (Flavour::VsFtpd, "auto"),
        (Flavour::ProFtpd, "auto"),
    ] {
        let Some(server) = require(&Options::new(flavour)) else { return };
        let bench = Bench::new(server, &json!({"listing": listing}));
        bench.place("in/a.txt", b"a");
        bench.place("in/below/b.txt", b"b");
        bench.place("x/p/q/c.txt", b"c");
        for (target, link) in
            [(".", "in/loop"), ("..", "in/below/up"), ("../x/p", "in/one"), ("../x/p/q", "in/two")]
        {
            std::os::unix::fs::symlink(target, bench.server.root().join(link)).unwrap();
        }
        let options = json!({"recursive": -1, "followSymbolicLinks": true, "sortBy": "fileName"});
        let mut names = bench.query(&options, &json!(null), "in").names();
        names.sort();
        assert_eq!(names, ["a.txt", "b.txt", "c.txt"], "{flavour:?} {listing}");
    }
}

/// A clock that is ahead, or a zone that is not set, makes minimumAge wait in vain: the log says so.
#[test]
fn a_file_of_the_future_is_named_in_the_log() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    bench.place("in/a.txt", b"a");
    let file = std::fs::File::options().write(true).open(bench.server.root().join("in/a.txt"));
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(24 * 60 * 60);
    file.unwrap().set_modified(later).unwrap();
    let options = json!({"minimumAge": 1000});
    let (found, records) = logs::heard(|| bench.query(&options, &json!(null), "in").names());
    assert_eq!(found, Vec::<String>::new());
    let is_told = |record: &logs::Logged| {
        record.level == log::Level::Warn && record.message.contains("dated in the future")
    };
    assert!(records.iter().any(is_told), "{records:?}");
}

/// The extension that a create operation of the connection is configured with counts as well.
#[test]
fn temporary_files_of_uploads_are_not_read() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    for name in ["a.xml.0123456789abcdef.tmp", "a.xml.0123456789abcdef.part", "b.xml", "c.tmp"] {
        bench.place(&format!("in/{name}"), b"x");
    }
    let create = json!({"operation": "create", "options": {"temporaryExtension": ".tmp"}});
    let _create = bench.connection.operation(&create).unwrap();
    let host = MemoryHost::new();
    host.add_input(with_properties(&[("remoteDirectory", "in")]), Vec::new());
    let query = json!({"operation": "query", "options": {"sortBy": "fileName"}});
    let (executed, records) = logs::heard(|| bench.execute(&query, &host));
    executed.unwrap();
    let results = host.results();
    let names: Vec<_> =
        results.iter().map(|result| result.properties.get("fileName").unwrap()).collect();
    assert_eq!(names, ["b.xml", "c.tmp"]);
    let warned = |record: &&logs::Logged| record.message.contains("uploads use for a while");
    assert_eq!(records.iter().filter(warned).count(), 1, "{records:?}");
}
