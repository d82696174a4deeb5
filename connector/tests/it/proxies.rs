//! Control and data connections through proxies.

use std::cell::Cell;
use std::rc::Rc;

use host_sdk::{Error, ErrorKind};
use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, fixture, require};

use crate::logs;
use crate::support::{Bench, merged, report};
use crate::test_proxy::{Manner, Protocol, TestProxy};

const PROTOCOLS: [Protocol; 2] = [Protocol::Socks5, Protocol::Http];

fn start(options: &Options) -> Option<Server> {
    let server = require(options)?;
    fixture(&server.root()).unwrap();
    Some(server)
}

#[test]
fn both_connections_go_through_the_proxy() {
    for protocol in PROTOCOLS {
        for manner in [Manner::Open, Manner::WithCredentials] {
            for options in [
                Options::new(Flavour::LibUnftp),
                Options::new(Flavour::VsFtpd).explicit(),
                Options::new(Flavour::ProFtpd).implicit(),
                Options::new(Flavour::PureFtpd).explicit().ipv6(),
                Options::new(Flavour::PyFtpd),
            ] {
                let Some(server) = start(&options) else { continue };
                let proxy = TestProxy::start(protocol, manner);
                let host = json!({"host": server.host()});
                let extra = merged(&proxy.settings(manner == Manner::WithCredentials), &host);
                let bench = Bench::new(server, &extra);
                let what = format!("{protocol:?} {manner:?} {}", options.name());
                bench.create(&json!({}), "upload/p.txt", b"through").single();
                assert_eq!(bench.get(&json!({}), "upload/p.txt").single().body, b"through");
                // One for the control connection, the others for data.
                let targets = proxy.targets();
                assert!(targets.len() >= 3, "{what}: {targets:?}");
                assert!(targets[0].ends_with(&format!(":{}", bench.server.port())), "{what}");
                assert!(
                    targets.iter().all(|target| {
                        target.trim_matches(['[', ']']).starts_with(bench.server.host())
                    }),
                    "{what}: {targets:?}"
                );
                report("PROXY", &format!("{what} {} connections", targets.len()));
            }
        }
    }
}

/// Credentials that the proxy does not ask for do no harm.
#[test]
fn an_open_proxy_takes_those_with_credentials_too() {
    for protocol in PROTOCOLS {
        let Some(server) = start(&Options::new(Flavour::LibUnftp)) else { return };
        let proxy = TestProxy::start(protocol, Manner::Open);
        let bench = Bench::new(server, &proxy.settings(true));
        assert_eq!(bench.list(&json!({}), &json!(null), "dir").json().len(), 3);
    }
}

/// PASV's address counts when it is asked for: that of the server as it sees itself.
#[test]
fn the_servers_own_address_is_for_pasv() {
    for protocol in PROTOCOLS {
        let Some(server) = start(&Options::new(Flavour::ProFtpd)) else { return };
        let proxy = TestProxy::start(protocol, Manner::Open);
        let extra = merged(&proxy.settings(false), &json!({"passiveAddress": "server"}));
        let bench = Bench::new(server, &extra);
        assert_eq!(bench.list(&json!({}), &json!(null), "dir").json().len(), 3);
        let targets = proxy.targets();
        assert!(targets[0].starts_with("localhost:"), "{targets:?}");
        assert!(targets[1..].iter().any(|data| data.starts_with("127.0.0.1:")), "{targets:?}");
    }
}

/// The error of a connection that does not come about, and how often it was tried.
fn failure(server: Server, extra: &Value) -> (Error, u32) {
    let retries = Rc::new(Cell::new(1));
    let counted = Rc::clone(&retries);
    logs::listen(move |record| {
        counted.set(counted.get() + u32::from(record.message.starts_with("attempt ")));
    });
    let retry = json!({"retry": {"attempts": 3, "delay": 1, "maximumDelay": 1}});
    let bench = Bench::new(server, &merged(extra, &retry));
    let listed = bench.list(&json!({}), &json!(null), "");
    (listed.outcome.error().unwrap().clone(), retries.get())
}

#[track_caller]
fn assert_says(error: &Error, message: &str, setting: &str) {
    assert!(error.message().contains(message), "{error:?}");
    assert!(error.report().hint.as_deref().is_some_and(|hint| hint.contains(setting)), "{error:?}");
}

#[test]
fn a_proxy_that_refuses_is_told_from_one_that_fails() {
    let Some(mut server) = start(&Options::new(Flavour::LibUnftp)) else { return };
    for protocol in PROTOCOLS {
        // Without the credentials it wants, and with wrong ones: at once.
        let proxy = TestProxy::start(protocol, Manner::WithCredentials);
        let mut wrong = proxy.settings(true);
        wrong["proxy"]["password"] = json!("wrong");
        for extra in [proxy.settings(false), wrong] {
            let (error, attempts) = failure(server, &extra);
            assert_eq!(error.kind(), ErrorKind::Authentication, "{error:?}");
            assert_says(&error, "proxy", "proxy.userName");
            assert_eq!(attempts, 1, "{error:?}");
            server = start(&Options::new(Flavour::LibUnftp)).unwrap();
        }
        // By its rules: trying again is no use.
        let proxy = TestProxy::start(protocol, Manner::Refusing);
        let (error, attempts) = failure(server, &proxy.settings(false));
        assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
        assert_says(&error, "proxy", "proxy");
        assert_eq!(attempts, 1, "{error:?}");
        assert!(!error.is_retryable());
        // Broken: that may pass.
        server = start(&Options::new(Flavour::LibUnftp)).unwrap();
        let proxy = TestProxy::start(protocol, Manner::HangingUp);
        let (error, attempts) = failure(server, &proxy.settings(false));
        assert_eq!((error.kind(), attempts), (ErrorKind::Connection, 3), "{error:?}");
        assert_says(&error, "proxy", "proxy");
        // In order, but with nobody behind it.
        server = start(&Options::new(Flavour::LibUnftp)).unwrap();
        let proxy = TestProxy::start(protocol, Manner::Open);
        let nowhere = merged(&proxy.settings(false), &json!({"port": 1}));
        let (error, attempts) = failure(server, &nowhere);
        assert_eq!((error.kind(), attempts), (ErrorKind::Connection, 3), "{error:?}");
        assert_says(&error, "localhost:1", "host");
        server = start(&Options::new(Flavour::LibUnftp)).unwrap();
    }
}

/// Another protocol than the configured one, or no proxy at all.
#[test]
fn what_is_no_such_proxy_is_said_to_be_none() {
    let crossed = [(Protocol::Socks5, "http"), (Protocol::Http, "socks5")];
    for (protocol, configured) in crossed {
        let Some(server) = start(&Options::new(Flavour::LibUnftp)) else { return };
        let proxy = TestProxy::start(protocol, Manner::Open);
        let mut extra = proxy.settings(false);
        extra["proxy"]["type"] = json!(configured);
        extra["connectionTimeout"] = json!(500);
        let (error, _) = failure(server, &extra);
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Connection | ErrorKind::Timeout | ErrorKind::Protocol
            ),
            "{error:?}"
        );
        assert_says(&error, "proxy", "proxy.type");
    }
    let Some(server) = start(&Options::new(Flavour::LibUnftp)) else { return };
    let nobody = json!({"proxy": {"type": "socks5", "host": "127.0.0.1", "port": 1}});
    let (error, attempts) = failure(server, &nobody);
    assert_eq!((error.kind(), attempts), (ErrorKind::Connection, 3), "{error:?}");
    assert_says(&error, "127.0.0.1:1", "proxy.host");
}
