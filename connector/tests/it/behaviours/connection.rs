//! The connection's settings.

use host_sdk::ErrorKind;
use serde_json::{Value, json};
use test_servers::{Mode, fixture, require};

use super::{Behaviour, parity};
use crate::support::{Answered, Bench, merged, settings, with_id, with_properties};

pub(super) const CASES: &[Behaviour] = parity! {
    "Connection", EveryRow => {
        "Host is a name, an IPv4 or an IPv6 address": takes_names_and_addresses,
        "Connection Mode is passive unless it is active": opens_data_connections_either_way,
        "Remote Directory is the directory after login when it is blank":
            starts_in_the_directory_after_login,
        "Remote Directory is absolute, or relative to the directory after login":
            starts_in_the_remote_directory,
        "an input's Remote Directory overrides the connection's":
            takes_the_inputs_remote_directory,
        "an input's blank Remote Directory overrides nothing":
            keeps_the_remote_directory_when_blank,
        "SSL Mode is kept to: a server in another mode is no success": keeps_to_its_ssl_mode,
        "User Name and Password log in, and wrong ones do not": logs_in_with_its_credentials,
        "paths are Unix style, with /": writes_paths_in_unix_style,
    }
};

/// The answer to a request for `hello.txt`.
fn hello(bench: &Bench) -> Answered {
    bench.get(&json!({}), "hello.txt")
}

fn takes_names_and_addresses(bench: &Bench) {
    for host in ["localhost", "127.0.0.1"] {
        let read = hello(&bench.with(&json!({"host": host}))).single();
        assert_eq!(read.body, b"hello\nworld\n", "{host}");
    }
    let Some(server) = require(&bench.server.options().clone().ipv6()) else { return };
    fixture(&server.root()).unwrap();
    for host in ["::1", "[::1]"] {
        let settings = settings(&server, &json!({"host": host}));
        assert_eq!(hello(&bench.beside(&settings)).single().body, b"hello\nworld\n", "{host}");
    }
}

fn opens_data_connections_either_way(bench: &Bench) {
    let active = json!({"connectionMode": "active", "activePorts": "40200-40399"});
    for bench in [bench, &bench.with(&active)] {
        assert_eq!(hello(bench).single().body, b"hello\nworld\n");
        assert_eq!(bench.list(&json!({}), &Value::Null, "dir").json().len(), 3);
        bench.create(&json!({}), "upload/either.txt", b"way").single();
        bench.delete("upload/either.txt").success();
    }
}

fn starts_in_the_directory_after_login(bench: &Bench) {
    for bench in [bench, &bench.with(&json!({"remoteDirectory": "  "}))] {
        assert_eq!(hello(bench).single().properties.get("remoteDirectory"), Some("/"));
    }
}

fn starts_in_the_remote_directory(bench: &Bench) {
    for directory in ["dir/sub", "/dir/sub"] {
        let bench = bench.with(&json!({"remoteDirectory": directory}));
        let read = bench.get(&json!({}), "c.txt").single();
        assert_eq!(read.properties.get("remoteDirectory"), Some("/dir/sub"), "{directory}");
    }
}

/// Gets `a.txt` with this property.
fn directed(bench: &Bench, property: &str) -> Answered {
    let mut header = with_id("a.txt");
    header.properties = with_properties(&[("remoteDirectory", property)]).properties;
    bench.request(&json!({"operation": "get"}), header)
}

fn takes_the_inputs_remote_directory(bench: &Bench) {
    let bench = bench.with(&json!({"remoteDirectory": "many"}));
    for property in ["/dir", "dir"] {
        let read = directed(&bench, property).single();
        assert_eq!(read.properties.get("remoteDirectory"), Some("/dir"), "{property}");
    }
    assert_eq!(directed(&bench, "empty").success(), []);
}

fn keeps_the_remote_directory_when_blank(bench: &Bench) {
    let bench = bench.with(&json!({"remoteDirectory": "dir"}));
    for property in ["", "  "] {
        assert_eq!(directed(&bench, property).single().body, b"a", "{property:?}");
    }
}

fn keeps_to_its_ssl_mode(bench: &Bench) {
    // A server that waits for a handshake greets nobody.
    let impatient = json!({"connectionTimeout": 700, "retry": {"attempts": 1}});
    let modes: &[&str] = match bench.server.mode() {
        Mode::Plain => &["explicit", "implicit"],
        Mode::Explicit => &["none", "implicit"],
        Mode::Implicit => &["none", "explicit"],
    };
    for mode in modes {
        let other = merged(&impatient, &json!({"sslMode": mode}));
        let answered = hello(&bench.with(&other));
        assert!(answered.outcome.error().is_some(), "{mode}: {answered:?}");
        assert_eq!(answered.results, [], "{mode}");
    }
}

fn logs_in_with_its_credentials(bench: &Bench) {
    hello(bench).single();
    let answered = hello(&bench.with(&json!({"password": "wrong"})));
    assert_eq!(answered.outcome.error().unwrap().kind(), ErrorKind::Authentication);
    assert_eq!(answered.results, []);
}

fn writes_paths_in_unix_style(bench: &Bench) {
    for id in ["dir/sub/c.txt", "/dir//sub/./c.txt", "many/../dir/sub/c.txt"] {
        let read = bench.get(&json!({}), id).single();
        assert_eq!(read.body, b"c", "{id}");
        assert_eq!(read.properties.get("remoteDirectory"), Some("/dir/sub"), "{id}");
        assert_eq!(read.properties.get("fileName"), Some("c.txt"), "{id}");
    }
}
