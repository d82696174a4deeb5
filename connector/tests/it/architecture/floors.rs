//! The floors of the house: which room may use which. ARCHITECTURE.md gives the reasons.

use super::imports::Crate;
use super::root;

/// A room of a crate, and the rooms below it that it may use.
type Floors = &'static [(&'static str, &'static [&'static str])];

/// The connector, lowest room first.
const CONNECTOR: Floors = &[
    ("file", &[]),
    ("descriptor", &["file"]),
    ("protocol", &["file"]),
    ("listing", &["file"]),
    ("failure", &["protocol", "file"]),
    ("config", &["descriptor", "listing", "file"]),
    ("transport", &["config", "failure", "file"]),
    ("session", &["transport", "config", "failure", "listing", "protocol", "file"]),
    ("pool", &["session", "transport", "config", "failure"]),
    (
        "operation",
        &["pool", "session", "config", "failure", "listing", "descriptor", "protocol", "file"],
    ),
    ("check", &["pool", "session", "transport", "config", "failure", "protocol", "file"]),
    ("connector", &["operation", "check", "pool", "config", "failure", "descriptor"]),
];

/// The host program, lowest room first.
const TEST_HOST: Floors = &[
    ("exit_code", &[]),
    ("locks", &[]),
    ("template", &[]),
    ("cancellation", &["locks"]),
    ("connectors", &["locks"]),
    ("report", &["locks", "exit_code"]),
    ("ledger", &["locks"]),
    ("process", &["ledger"]),
    ("engine", &["report", "cancellation", "template", "exit_code", "locks"]),
    ("steps", &["engine", "process", "ledger", "report", "template", "locks"]),
    (
        "pipeline",
        &[
            "steps",
            "engine",
            "process",
            "ledger",
            "connectors",
            "report",
            "cancellation",
            "template",
            "exit_code",
        ],
    ),
    ("demo", &["process", "engine"]),
    (
        "cli",
        &[
            "demo",
            "pipeline",
            "steps",
            "engine",
            "process",
            "ledger",
            "connectors",
            "report",
            "cancellation",
            "exit_code",
        ],
    ),
];

/// Rooms that stand beside the house: nobody uses them.
const OUTSIDE: &[&str] = &["bench", "fuzz", "lib", "main"];

/// The methods of a session, lowest file first.
const SESSION: &[&str] = &[
    "session/passive_commands.rs",
    "session/exchange.rs",
    "session/session.rs",
    "session/open/protection.rs",
    "session/open/features.rs",
    "session/open/login.rs",
    "session/open/retry.rs",
    "session/open/renew.rs",
    "session/path_refusal.rs",
    "session/route.rs",
    "session/working_directory.rs",
    "session/paths.rs",
    "session/directory.rs",
    "session/file.rs",
    "session/checksum.rs",
    "session/transfer/tickets.rs",
    "session/transfer/announce.rs",
    "session/transfer/data_refusal.rs",
    "session/transfer/passive.rs",
    "session/transfer/active.rs",
    "session/transfer/data_connection.rs",
    "session/transfer/opening.rs",
    "session/transfer/proof.rs",
    "session/transfer/transfer.rs",
    "session/transfer/download.rs",
    "session/transfer/upload.rs",
    "session/size.rs",
    "session/list/found.rs",
    "session/list/status.rs",
    "session/list/by_name.rs",
    "session/list/list.rs",
    "session/list/file.rs",
    "session/list/names.rs",
    "session/list/clock.rs",
    "session/list/probe.rs",
    "session/existence.rs",
    "session/listed.rs",
    "session/presence_beside.rs",
    "session/normalized.rs",
];

/// The methods of an execution, lowest file first.
const EXECUTION: &[&str] = &[
    "operation/execution.rs",
    "operation/target.rs",
    "operation/change/delete.rs",
    "operation/change/lock.rs",
    "operation/change/rename.rs",
];

/// The room that a file is in.
fn room(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}

fn breaches(house: &Crate, floors: Floors) -> Vec<String> {
    let mut breaches = Vec::new();
    for (file, used) in &house.uses {
        if OUTSIDE.contains(&room(file)) {
            continue;
        }
        let Some((_, below)) = floors.iter().find(|(name, _)| *name == room(file)) else {
            breaches.push(format!("{file} is in no room of the house"));
            continue;
        };
        let up =
            used.iter().filter(|other| room(other) != room(file) && !below.contains(&room(other)));
        breaches.extend(up.map(|other| format!("{file} uses {other}")));
    }
    breaches
}

/// The calls of methods of `type_name` that lead to a later file of `order`.
fn upward_calls(house: &Crate, type_name: &str, order: &[&str]) -> Vec<String> {
    let methods = house.methods(type_name);
    let mut breaches = Vec::new();
    for (file, of_file) in &methods {
        let Some(at) = order.iter().position(|name| name == file) else {
            if !of_file.defined.is_empty() {
                breaches.push(format!("{file} defines methods of {type_name} and has no floor"));
            }
            continue;
        };
        for (higher, of_higher) in
            order.iter().skip(at + 1).filter_map(|name| methods.get_key_value(*name))
        {
            let up = of_file.called.intersection(&of_higher.defined);
            breaches.extend(up.map(|method| format!("{file} calls {method} of {higher}")));
        }
    }
    breaches
}

#[test]
fn the_connector_uses_only_what_is_below() {
    let house = Crate::read(&root().join("connector/src"));
    assert_eq!(breaches(&house, CONNECTOR), Vec::<String>::new());
}

#[test]
fn the_host_uses_only_what_is_below() {
    let house = Crate::read(&root().join("test-host/src"));
    assert_eq!(breaches(&house, TEST_HOST), Vec::<String>::new());
}

#[test]
fn no_files_use_each_other_in_a_circle() {
    for name in [
        "connector/src",
        "connector/test-servers/src",
        "host-sdk/interface/src",
        "host-sdk/src",
        "test-host/src",
    ] {
        let circles = Crate::read(&root().join(name)).circles();
        assert!(circles.is_empty(), "{name}: {circles:#?}");
    }
}

#[test]
fn methods_of_one_type_call_only_what_is_below() {
    let house = Crate::read(&root().join("connector/src"));
    let mut up = upward_calls(&house, "Session", SESSION);
    up.extend(upward_calls(&house, "Execution", EXECUTION));
    assert_eq!(up, Vec::<String>::new());
}
