//! Each server program comes up, lets its user in and serves its data root.

use test_servers::{Flavour, Mode, Options, fixture, require};

use crate::raw::{Raw, tls};

/// Logs in, reads a file and leaves, in each mode the program knows.
fn every_mode(flavour: Flavour) {
    for options in Options::matrix().iter().filter(|options| options.flavour() == flavour) {
        let Some(server) = require(options) else { return };
        fixture(&server.root()).unwrap();
        let config = tls(&server.ca_pem(), None);
        let mut raw = Raw::enter(&server, &config);
        assert!(raw.expect("PWD", 257).contains("\"/\""));
        raw.expect("TYPE I", 200);
        let secure = server.mode() != Mode::Plain;
        if secure {
            raw.expect("PBSZ 0", 200);
            raw.expect("PROT P", 200);
        }
        let file = raw.fetch("RETR hello.txt", secure.then_some(&config));
        assert_eq!(file.bytes, b"hello\nworld\n", "{options:?} {} {}", file.text, server.log());
        assert_eq!(file.code, 226, "{}", file.text);
        raw.expect("QUIT", 221);
    }
}

#[test]
fn vsftpd() {
    every_mode(Flavour::VsFtpd);
}

#[test]
fn proftpd() {
    every_mode(Flavour::ProFtpd);
}

#[test]
fn pure_ftpd() {
    every_mode(Flavour::PureFtpd);
}

#[test]
fn pyftpdlib() {
    every_mode(Flavour::PyFtpd);
}

#[test]
fn libunftp() {
    every_mode(Flavour::LibUnftp);
}
