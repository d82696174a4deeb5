//! Files that leave a server are stored somewhere, or the process is refused.

use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, fixture, require};

use crate::servers::run;
use crate::support::{Place, connection, ftp_connector};

fn process(connection: &Value, steps: &Value) -> Value {
    json!({"process": "p", "connections": {"partner": connection}, "steps": steps})
}

fn query(options: &Value) -> Value {
    json!({"name": "fetch", "type": "connector", "connection": "partner", "operation": "query",
           "options": options})
}

/// The directory that a file came from is no order to the next server; one set on purpose is.
#[test]
fn the_configured_directory_wins_over_the_one_a_file_came_from() {
    let Some(server) = server() else { return };
    let place = Place::new();
    let from = connection(&server, &json!({"remoteDirectory": "many"}));
    let to = connection(&server, &json!({"remoteDirectory": "upload"}));
    let send = json!({"name": "send", "type": "connector", "connection": "to",
                      "operation": "create"});
    let set = json!({"name": "set", "type": "setProperties",
                     "properties": {"remoteDirectory": "/upload/set"}});
    for (steps, directory) in [
        (json!([query(&json!({})), send]), "upload"),
        (json!([query(&json!({})), set, send]), "upload/set"),
    ] {
        let connections = json!({"partner": from, "to": to});
        let process = json!({"process": "p", "connections": connections, "steps": steps});
        let answer = run(&place, &process);
        assert_eq!((answer.code, answer.counts()), (0, [25, 0, 0, 0]), "{answer:?}");
        let landed = std::fs::read(server.root().join(directory).join("f25.dat")).unwrap();
        assert_eq!(landed, b"25");
    }
    assert_eq!(std::fs::read_dir(server.root().join("many")).unwrap().count(), 25);
}

/// A file of a directory below is deleted there, not its namesake where the connection points.
#[test]
fn an_id_over_the_same_connection_counts_from_where_the_document_came_from() {
    let Some(server) = server() else { return };
    let root = server.root().join("many");
    server.place("many/sub/f01.dat", b"below").unwrap();
    let place = Place::new();
    let both = connection(&server, &json!({"remoteDirectory": "many"}));
    let delete = json!({"name": "drop", "type": "connector", "connection": "partner",
                        "operation": "delete", "parameters": {"id": "{fileName}"}});
    let mut fetch = query(&json!({"recursive": 1}));
    fetch["filter"] = json!({"property": "size", "operator": "equals", "value": 5});
    let keep = json!({"name": "keep", "type": "writeFiles", "directory": "out"});
    let answer = run(&place, &process(&both, &json!([fetch, keep, delete])));
    assert_eq!(answer.code, 0, "{answer:?}");
    assert!(!root.join("sub/f01.dat").exists(), "{answer:?}");
    assert!(root.join("f01.dat").exists(), "{answer:?}");
}

fn server() -> Option<Server> {
    let server = require(&Options::new(Flavour::VsFtpd))?;
    fixture(&server.root()).unwrap();
    Some(server)
}

#[test]
fn a_process_that_loses_what_it_deletes_is_refused_unless_told_to_discard() {
    let Some(server) = server() else { return };
    let place = Place::new();
    let partner = connection(&server, &json!({"remoteDirectory": "many"}));
    let left = || std::fs::read_dir(server.root().join("many")).unwrap().count();
    let set = json!({"name": "set", "type": "setProperties", "properties": {"a": "b"}});
    let deleting = query(&json!({"deleteAfterReading": true}));
    let moving = query(&json!({"moveAfterReading": "done"}));
    let cases = [
        (json!([deleting]), "$.steps[0].options.deleteAfterReading"),
        (json!([deleting, set]), "$.steps[0].options.deleteAfterReading"),
        (json!([moving]), "$.steps[0].options.moveAfterReading"),
    ];
    for (steps, path) in cases {
        let answer = run(&place, &process(&partner, &steps));
        assert_eq!(answer.code, 2, "{answer:?}");
        assert!(answer.stderr.contains(path), "{answer:?}");
        assert!(answer.stderr.contains("\"discard\": true"), "{answer:?}");
        let arguments = ["validate", "process.json"];
        let mut command = place.program_with(ftp_connector(), &arguments);
        let validated = crate::support::Answer::of(command.env("FTP_PASSWORD", "x"));
        assert_eq!(validated.code, 2, "{validated:?}");
    }
    assert_eq!(left(), 25);
    let mut discarding = deleting;
    discarding["discard"] = json!(true);
    let answer = run(&place, &process(&partner, &json!([discarding])));
    assert_eq!((answer.code, answer.counts()), (0, [25, 0, 0, 0]), "{answer:?}");
    assert_eq!(left(), 0);
}
