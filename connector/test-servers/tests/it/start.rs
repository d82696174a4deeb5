//! Each server program comes up and lets its user in.

use std::io::Read as _;

use test_servers::{Flavour, Mode, Options, Server, fixture, require};

use crate::raw::{Raw, tls};

fn connected(server: &Server) -> Raw {
    let config = tls(&server.ca_pem(), None);
    match server.mode() {
        Mode::Implicit => {
            let mut raw = Raw::connect_implicit(server.address(), &config).unwrap();
            raw.reply();
            raw
        }
        mode => {
            let mut raw = Raw::connect(server.address());
            raw.reply();
            if mode == Mode::Explicit {
                raw.expect("AUTH TLS", 234);
                raw.upgrade(&config).unwrap();
            }
            raw
        }
    }
}

fn logs_in(options: &Options) {
    let Some(server) = require(options) else { return };
    let mut raw = connected(&server);
    raw.login(server.user(), server.password());
    assert!(raw.expect("PWD", 257).contains("\"/\""));
    raw.expect("QUIT", 221);
}

fn every_mode(flavour: Flavour) {
    for options in Options::matrix().iter().filter(|options| options.flavour() == flavour) {
        logs_in(options);
    }
    reads_a_file(&Options::new(flavour));
}

fn reads_a_file(options: &Options) {
    let Some(server) = require(options) else { return };
    fixture(&server.root()).unwrap();
    let mut raw = connected(&server);
    raw.login(server.user(), server.password());
    raw.expect("TYPE I", 200);
    let mut data = raw.data();
    let (code, text) = raw.ask("RETR hello.txt");
    assert!(code < 200, "{text}");
    let mut bytes = Vec::new();
    data.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, b"hello\nworld\n");
    assert_eq!(raw.reply().0, 226);
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
