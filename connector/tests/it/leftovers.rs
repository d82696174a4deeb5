//! What uploads that failed leave on the server: nothing, or what a later upload removes.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use host_sdk::ErrorKind;
use host_sdk::testing::MemoryHost;
use serde_json::json;
use test_servers::{Flavour, Options, TlsVersion, require};

use crate::support::{Bench, with_properties};

const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A body that comes as far as its beginning.
struct Stuck {
    beginning: io::Cursor<Vec<u8>>,
    rest: Receiver<()>,
}

impl Read for Stuck {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.beginning.read(buffer)?;
        if count == 0 {
            // Until the test ends.
            let _ = self.rest.recv();
        }
        Ok(count)
    }
}

#[test]
fn a_cancelled_upload_leaves_nothing() {
    for options in [
        Options::new(Flavour::VsFtpd),
        Options::new(Flavour::ProFtpd),
        Options::new(Flavour::PureFtpd),
        Options::new(Flavour::PyFtpd),
        Options::new(Flavour::LibUnftp),
        Options::new(Flavour::VsFtpd).explicit().tls_versions(TlsVersion::V1_3..=TlsVersion::V1_3),
    ] {
        let Some(server) = require(&options) else { return };
        server.place("upload/keep.txt", b"kept").unwrap();
        let bench = Bench::new(server, &json!({}));
        for configured in [json!({}), json!({"stagingDirectory": "upload/staging"})] {
            let mut configured = configured;
            configured["createDirectories"] = json!(true);
            let operation = json!({"operation": "create", "options": configured});
            let operation = bench.connection.operation(&operation).unwrap();
            let host = MemoryHost::new();
            let (guard, rest) = channel();
            let body = Stuck { beginning: io::Cursor::new(vec![b'x'; 3_000_000]), rest };
            let header = with_properties(&[("fileName", "upload/b.txt")]);
            host.add_stream(header, body, None);
            let executing = host.clone();
            let execution = std::thread::spawn(move || executing.execute(operation.as_ref()));
            // The server shows it later than the host has handed it over.
            let end = Instant::now() + Duration::from_secs(20);
            while bench.files_below("upload").len() < 2 {
                assert!(Instant::now() < end, "{}: it does not begin", options.name());
                std::thread::sleep(Duration::from_millis(10));
            }
            host.cancel();
            // The host hears of the cancellation where it reads.
            drop(guard);
            assert_eq!(execution.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
            assert_eq!(bench.files_below("upload"), ["keep.txt"], "{}", options.name());
        }
    }
}

/// The names of uploads that were killed, and of files that only look like that.
const STALE: [&str; 2] = ["order.xml.0123456789abcdef.part", "a b.xml.ffffffffffffffff.part"];
const OTHERS: [&str; 4] =
    ["order.xml.part", "order.xml.0123456789abcdef.old", "x.0123456789ABCDEF.part", "order.xml"];

#[test]
fn what_a_killed_upload_left_is_swept_a_day_later() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd, Flavour::PyFtpd] {
        let Some(server) = require(&Options::new(flavour)) else { return };
        let bench = Bench::new(server, &json!({}));
        for name in STALE.iter().chain(&OTHERS) {
            bench.place(&format!("upload/{name}"), b"left behind");
            bench.age(&format!("upload/{name}"), 2 * DAY);
        }
        // It may be in the middle of an upload.
        let young = "upload/young.xml.0123456789abcdef.part";
        bench.place(young, b"left behind");
        bench.age(young, 23 * HOUR);
        bench.create(&json!({}), "upload/new.xml", b"new").single();
        let mut expected: Vec<&str> = OTHERS.to_vec();
        expected.extend(["new.xml", "young.xml.0123456789abcdef.part"]);
        expected.sort_unstable();
        assert_eq!(bench.files_below("upload"), expected, "{flavour:?}");
    }
}

/// Only what this side's settings would have made, where it would have made it.
#[test]
fn only_the_own_extension_is_swept_in_the_own_directory() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    let bench = Bench::new(server, &json!({}));
    let all = [
        "out/a.xml.0123456789abcdef.tmp",
        "stage/a.xml.0123456789abcdef.part",
        "stage/a.xml.0123456789abcdef.tmp",
    ];
    for name in all {
        bench.place(name, b"left behind");
        bench.age(name, 2 * DAY);
    }
    let options = json!({"temporaryExtension": "tmp", "stagingDirectory": "stage"});
    bench.create(&options, "out/new.xml", b"new").single();
    assert_eq!(bench.files_below("stage"), ["a.xml.0123456789abcdef.part"]);
    assert_eq!(bench.files_below("out"), ["a.xml.0123456789abcdef.tmp", "new.xml"]);
}

/// A server without a right to delete, or without times: nothing is removed, nothing fails.
#[test]
fn what_cannot_be_swept_stays() {
    for denied in ["cmds_denied=DELE", "cmds_denied=MDTM", "cmds_denied=NLST,LIST", "mdtm_write=NO"]
    {
        let options = Options::new(Flavour::VsFtpd).configuration(denied);
        let Some(server) = require(&options) else { return };
        let bench = Bench::new(server, &json!({}));
        bench.place("a.xml.0123456789abcdef.part", b"left behind");
        bench.age("a.xml.0123456789abcdef.part", 2 * DAY);
        for name in ["one.xml", "two.xml"] {
            bench.create(&json!({"actionIfFileExists": "overwrite"}), name, b"new").single();
        }
        let stays = denied != "mdtm_write=NO";
        assert_eq!(bench.on_server("a.xml.0123456789abcdef.part").is_some(), stays, "{denied}");
    }
}
