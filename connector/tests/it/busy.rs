//! Servers that admit no more clients: told by their own words, tried again with pauses.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use host_sdk::ErrorKind;
use serde_json::{Value, json};
use test_servers::{Flavour, Options, fixture, require};

use crate::logs;
use crate::support::{Bench, report};

/// A server for one client, which is there, and a second connection with `retry`.
fn taken(options: &Options, retry: &Value) -> Option<(Bench, Bench)> {
    let server = require(&options.clone().maximum_clients(1))?;
    fixture(&server.root()).unwrap();
    let settings = crate::support::settings(&server, &json!({"retry": retry}));
    let first = Bench::new(server, &json!({}));
    assert_eq!(first.list(&json!({}), &Value::Null, "dir").json().len(), 3);
    let second = first.beside(&settings);
    Some((first, second))
}

fn flavours() -> Vec<Options> {
    [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd, Flavour::PyFtpd]
        .into_iter()
        .flat_map(|flavour| [Options::new(flavour), Options::new(flavour).explicit()])
        .collect()
}

#[test]
fn a_full_server_is_busy() {
    for options in flavours() {
        let retry = json!({"attempts": 3, "delay": 5, "maximumDelay": 10});
        let Some((_first, second)) = taken(&options, &retry) else { continue };
        let listed = second.list(&json!({}), &Value::Null, "dir");
        let error = listed.outcome.error().expect("no success");
        let what = format!("{} {error:?}", options.name());
        assert_eq!(error.kind(), ErrorKind::Busy, "{what}");
        assert!(error.is_retryable(), "{what}");
        assert_eq!(error.report().attempts, 3, "{what}");
        assert!(error.report().hint.as_deref().unwrap().contains("maximumConnections"), "{what}");
        report("BUSY", &format!("{:<20} {error}", options.name()));
    }
}

/// The client that holds the place leaves after the first refusal: a later attempt gets it.
#[test]
fn a_full_server_is_tried_again() {
    for options in flavours() {
        let retry = json!({"attempts": 20, "delay": 20, "maximumDelay": 200});
        let Some((first, second)) = taken(&options, &retry) else { continue };
        let connection = RefCell::new(Some(first.connection.clone()));
        let refusals = Rc::new(Cell::new(0));
        let counted = Rc::clone(&refusals);
        logs::listen(move |record| {
            if record.message.starts_with("attempt ") {
                counted.set(counted.get() + 1);
                if let Some(first) = connection.take() {
                    first.close().unwrap();
                }
            }
        });
        assert_eq!(second.list(&json!({}), &Value::Null, "dir").json().len(), 3);
        assert!(refusals.get() > 0, "{}", options.name());
        logs::listen(|_| {});
        report("BUSY", &format!("{:<20} in after {} refusals", options.name(), refusals.get()));
    }
}
