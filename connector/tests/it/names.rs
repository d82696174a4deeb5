//! Names as servers hold them: bytes, which no shell, listing or encoding may bend.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::{Value, json};
use test_servers::{Flavour, Options, fixture, require};

use crate::quirks;
use crate::support::{Bench, report};

/// Names that are hard for somebody: shells, listings, patterns, quoting, encodings.
const NAMES: &[&[u8]] = &[
    b"two words.txt",
    b" leading.txt",
    b"   three leading.txt",
    b"trailing ",
    b"semi;colon.txt",
    b"semi; space.txt",
    b"arrow -> target.txt",
    b"[brackets].txt",
    b"star*.txt",
    b"question?.txt",
    b"{a,b}.txt",
    b"qu\"ote.txt",
    b"\"quoted\"",
    b"apostrophe's.txt",
    b"back\\slash.txt",
    b"-dash.txt",
    b"~tilde.txt",
    b"#hash $HOME %41 &amp; (x) !1",
    b"..dots",
    b"total 12",
    b"-rw-r--r-- 1 u g 1 Jan 1 2020 x",
    b"type=file;size=1; x",
    b"tab\there.txt",
    "umlaut-ü.txt".as_bytes(),
    "e-\u{301}.txt".as_bytes(),
    "日本語.txt".as_bytes(),
    "latin-é.txt".as_bytes(),
    b"latin-\xe9.txt",
    b"latin-\xe8.txt",
    b"\xff\xfe.txt",
];

/// What is done with each name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    List,
    Query,
    Get,
    Create,
    Delete,
}

/// The text that stands for a name: bytes that are not UTF-8 as private characters.
fn text(name: &[u8]) -> String {
    let mut text = String::new();
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push(char::from_u32(0x10_ff00 + u32::from(*byte)).unwrap());
        }
    }
    text
}

fn os(name: &[u8]) -> &OsStr {
    OsStr::from_bytes(name)
}

/// One step for one name; panics where it fails.
fn take(bench: &Bench, step: Step, name: &[u8], listed: &[Value]) {
    let shown = text(name);
    let body = [b"body of ".as_slice(), name].concat();
    let root = bench.server.root();
    match step {
        Step::List => {
            let found: Vec<_> =
                listed.iter().filter(|entry| entry["fileName"] == shown.as_str()).collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0]["size"], body.len());
        }
        Step::Query => {
            let filter = json!({"property": "fileName", "operator": "equals", "value": shown});
            let result = bench.query(&json!({}), &filter, "names").single();
            assert!(result.body == body);
            assert_eq!(result.properties.get("fileName"), Some(shown.as_str()));
        }
        Step::Get => {
            let result = bench.get(&json!({}), &format!("names/{shown}")).single();
            assert!(result.body == body);
        }
        Step::Create => {
            let options = json!({"actionIfFileExists": "generateError"});
            let created = bench.create(&options, &format!("made/{shown}"), &body).json();
            assert_eq!(created[0]["fileName"], shown.as_str());
            assert!(std::fs::read(root.join("made").join(os(name))).unwrap() == body);
        }
        Step::Delete => {
            bench.delete(&format!("names/{shown}")).success();
            assert!(!root.join("names").join(os(name)).exists());
        }
    }
}

/// Every name in every step; those and only those fail that the quirks declare.
fn every_name(flavour: Flavour) {
    let Some(server) = require(&Options::new(flavour)) else { return };
    fixture(&server.root()).unwrap();
    for name in NAMES {
        let body = [b"body of ".as_slice(), name].concat();
        server.place(std::path::Path::new("names").join(os(name)), &body).unwrap();
    }
    server.place("made/first", b"").unwrap();
    let bench = Bench::new(server, &json!({}));
    let listed = bench.list(&json!({}), &Value::Null, "names").json();
    let mut misfits = Vec::new();
    let mut good = 0;
    for step in [Step::List, Step::Query, Step::Get, Step::Create, Step::Delete] {
        for name in NAMES {
            let proven =
                catch_unwind(AssertUnwindSafe(|| take(&bench, step, name, &listed))).is_ok();
            good += usize::from(proven);
            if proven == quirks::loses_name(flavour, step, name) {
                misfits.push(format!("{step:?} {}: {proven}", name.escape_ascii()));
            }
        }
    }
    report("NAMES", &format!("{flavour:<10} {good}/{}", 5 * NAMES.len()));
    assert!(misfits.is_empty(), "{flavour}: {misfits:#?}");
}

#[test]
fn vsftpd_keeps_every_name() {
    every_name(Flavour::VsFtpd);
}

#[test]
fn proftpd_keeps_every_name() {
    every_name(Flavour::ProFtpd);
}

#[test]
fn pureftpd_keeps_every_name() {
    every_name(Flavour::PureFtpd);
}

#[test]
fn pyftpdlib_keeps_every_name() {
    every_name(Flavour::PyFtpd);
}

#[test]
fn libunftp_keeps_every_name() {
    every_name(Flavour::LibUnftp);
}

/// Two names that differ in one byte only, which is not UTF-8, are two files.
#[test]
fn names_that_differ_in_one_byte_stay_apart() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd] {
        let Some(server) = require(&Options::new(flavour)) else { continue };
        let names: [&[u8]; 2] = [b"apart/caf\xe9", b"apart/caf\xe8"];
        for name in names {
            server.place(std::path::Path::new(os(name)), name).unwrap();
        }
        let bench = Bench::new(server, &json!({}));
        assert_eq!(bench.list(&json!({}), &Value::Null, "apart").json().len(), 2, "{flavour}");
        bench.delete(&text(names[0])).success();
        assert_eq!(bench.get(&json!({}), &text(names[1])).single().body, names[1], "{flavour}");
        // The deleted one is missing, and stays so: nothing is read in its place.
        assert!(bench.get(&json!({}), &text(names[0])).success().is_empty(), "{flavour}");
    }
}

/// With a legacy encoding the same bytes are characters, in both directions.
#[test]
fn windows_1252_names_round_trip() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd] {
        let Some(server) = require(&Options::new(flavour)) else { continue };
        server.place(std::path::Path::new(os(b"in/caf\xe9 \x80.txt")), b"old").unwrap();
        let bench = Bench::new(server, &json!({"fileNameEncoding": "windows-1252"}));
        let listed = bench.list(&json!({}), &Value::Null, "in").json();
        assert_eq!(listed[0]["fileName"], "café €.txt", "{flavour}");
        assert_eq!(bench.get(&json!({}), "in/café €.txt").single().body, b"old", "{flavour}");
        bench.create(&json!({}), "in/naïve ™.txt", b"new").single();
        let made = bench.server.root().join("in").join(os(b"na\xefve \x99.txt"));
        assert_eq!(std::fs::read(&made).unwrap(), b"new", "{flavour}");
        bench.delete("in/naïve ™.txt").success();
        assert!(!made.exists(), "{flavour}");
        // What the encoding does not have is the document's fault, and nothing was sent.
        let error = bench.create(&json!({}), "in/日本.txt", b"x").refusal();
        assert_eq!(error.kind(), host_sdk::ErrorKind::Document, "{flavour}");
        assert!(error.report().hint.as_deref().unwrap().contains("fileNameEncoding"));
        assert_eq!(bench.list(&json!({}), &Value::Null, "in").json().len(), 1, "{flavour}");
    }
}
