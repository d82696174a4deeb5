//! Uploads over TLS 1.3 arrive whole: a data connection that is closed while the server's session
//! tickets are still unread is reset, and the server drops what it had not read.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

use host_sdk::InputHeader;
use host_sdk::testing::MemoryHost;
use serde_json::json;
use test_servers::{Flavour, Mode, Options, fixture, require};

use crate::logs;
use crate::support::{Bench, report, with_properties};

/// Uploads a server must keep whole, all of them.
const UPLOADS: usize = 20;

/// Set to `full`, each upload has 1 to 50 MB; otherwise most are smaller, so that the suite stays
/// quick, and each server still gets large ones.
const SIZE_VARIABLE: &str = "FTP_TEST_UPLOADS";

const MB: usize = 1_000_000;

/// The sizes of the uploads: odd, so that no record or block ends where a file does.
fn sizes(flavour: Flavour) -> Vec<usize> {
    let full = std::env::var(SIZE_VARIABLE).is_ok_and(|value| value == "full");
    let megabytes: [usize; UPLOADS] = if full {
        [1, 2, 5, 10, 20, 30, 40, 50, 1, 3, 7, 15, 25, 35, 45, 50, 1, 4, 8, 12]
    } else if matches!(flavour, Flavour::VsFtpd | Flavour::LibUnftp) {
        [1, 2, 5, 10, 20, 1, 1, 1, 2, 2, 3, 1, 1, 1, 2, 1, 1, 1, 2, 50]
    } else {
        [1, 1, 1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 1, 2, 1, 1, 1, 5, 1, 1]
    };
    megabytes.iter().enumerate().map(|(at, megabytes)| megabytes * MB + 37 * at + 1).collect()
}

/// Bytes without repetition that differ from upload to upload.
fn body(number: usize, length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ (number as u64) << 32;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// All uploads are confirmed and whole, in the first attempt: a retry would hide a loss. ProFTPD
/// alone may refuse one, before its first byte: that is how its demand for tickets is found out.
fn arrive_whole(options: &Options) {
    let Some(server) = require(options) else { return };
    fixture(&server.root()).unwrap();
    let allowed = usize::from(options.flavour() == Flavour::ProFtpd);
    let retry = json!({"attempts": 1 + allowed, "delay": 1});
    let bench = Bench::new(server, &json!({"tlsMinimumVersion": "1.3", "retry": retry}));
    let retries = Rc::new(Cell::new(0));
    let counted = Rc::clone(&retries);
    logs::listen(move |record| {
        counted.set(counted.get() + usize::from(record.message.starts_with("attempt ")));
    });
    let started = Instant::now();
    let (mut whole, mut total) = (0, 0);
    let sizes = sizes(options.flavour());
    for (number, size) in sizes.iter().enumerate() {
        let name = format!("upload/{number}.bin");
        let body = body(number, *size);
        let created = bench.create(&json!({"actionIfFileExists": "overwrite"}), &name, &body);
        let kept = bench.on_server(&name);
        if created.outcome.error().is_none() && kept.as_ref() == Some(&body) {
            whole += 1;
            total += size;
        } else {
            let kept = kept.map(|kept| kept.len());
            report("SHORT", &format!("{name} {size} {kept:?} {:?}", created.outcome));
        }
        let _ = std::fs::remove_file(bench.server.root().join(&name));
    }
    let line = format!(
        "{:<20} TLS V1_3 {whole}/{UPLOADS} whole, {} MB in {:.1} s",
        options.name(),
        total / MB,
        started.elapsed().as_secs_f64()
    );
    report("UPLOADS", &line);
    assert_eq!(whole, UPLOADS, "{line}");
    assert!(retries.get() <= allowed, "{line}");
}

#[test]
fn vsftpd_keeps_them_whole() {
    arrive_whole(&Options::new(Flavour::VsFtpd).explicit());
}

#[test]
fn pyftpdlib_implicit_keeps_them_whole() {
    arrive_whole(&Options::new(Flavour::PyFtpd).mode(Mode::Implicit));
}

#[test]
fn proftpd_keeps_them_whole() {
    arrive_whole(&Options::new(Flavour::ProFtpd).explicit());
}

#[test]
fn pureftpd_keeps_them_whole() {
    arrive_whole(&Options::new(Flavour::PureFtpd).explicit());
}

#[test]
fn pyftpdlib_keeps_them_whole() {
    arrive_whole(&Options::new(Flavour::PyFtpd).explicit());
}

#[test]
fn libunftp_keeps_them_whole() {
    arrive_whole(&Options::new(Flavour::LibUnftp).explicit());
}

/// Many uploads in one execution, as a process step makes them.
#[test]
fn one_execution_keeps_them_whole() {
    for flavour in Flavour::ALL {
        let Some(server) = require(&Options::new(flavour).explicit()) else { continue };
        fixture(&server.root()).unwrap();
        let bench = Bench::new(server, &json!({"retry": {"attempts": 1}}));
        let host = MemoryHost::new();
        let header = |number: usize| -> InputHeader {
            with_properties(&[("fileName", &format!("upload/{number}.bin"))])
        };
        let bodies: Vec<Vec<u8>> =
            (0..UPLOADS).map(|number| body(number, number * 9000 + 1)).collect();
        for (number, body) in bodies.iter().enumerate() {
            host.add_input(header(number), body.clone());
        }
        bench.execute(&json!({"operation": "create"}), &host).unwrap();
        for (number, body) in bodies.iter().enumerate() {
            let kept = bench.on_server(&format!("upload/{number}.bin"));
            assert!(kept.as_ref() == Some(body), "{flavour} {number}");
        }
    }
}
