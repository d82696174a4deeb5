//! What a process takes from its surroundings: variables, connections of another file, secrets that
//! programs print; and looks at servers without a process.

use std::fs;

use serde_json::{Value, json};
use test_servers::{Flavour, Options};

use crate::servers::server;
use crate::support::{Answer, Place, connection, echo, ftp_connector, message};

#[test]
fn variables_fill_texts() {
    let place = Place::new();
    place.process(json!([
        message(&[("a", "${greeting} $${x}")]),
        {"name": "keep", "type": "writeFiles", "directory": "${env:TEST_HOST_OUT}"},
    ]));
    let mut command = place.program(&["run", "process.json", "--set", "greeting=hello"]);
    let answer = Answer::of(command.env("TEST_HOST_OUT", "out"));
    assert_eq!(answer.code, 2, "{answer:?}");
    // The content is a template, in which braces are references.
    assert!(answer.stderr.contains("\"{x}\" names the property"), "{answer:?}");
    place.process(json!([
        message(&[("a", "${greeting}")]),
        {"name": "keep", "type": "writeFiles", "directory": "${env:TEST_HOST_OUT}"},
    ]));
    let mut command = place.program(&["run", "process.json", "--set", "greeting=hello"]);
    let answer = Answer::of(command.env("TEST_HOST_OUT", "out"));
    assert_eq!(answer.code, 0, "{answer:?}");
    assert_eq!(fs::read_to_string(place.path("out/a")).unwrap(), "hello");
    let answer = place.answer(&["run", "process.json"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("TEST_HOST_OUT"), "{answer:?}");
    assert!(answer.stderr.contains("--set greeting=VALUE"), "{answer:?}");
    assert_eq!(place.answer(&["run", "process.json", "--set", "greeting"]).code, 2);
}

#[test]
fn connections_come_from_a_file_of_their_own() {
    let place = Place::new();
    let process =
        json!({"process": "p", "steps": [message(&[("a", "1")]), echo("there", json!({}))]});
    place.write("process.json", process.to_string());
    assert_eq!(place.answer(&["run", "process.json"]).code, 2);
    let file = json!({"connections": {"e": {"connector": "echo"}, "other": {"connector": "none"}}});
    place.write("connections.json", file.to_string());
    let answer = place.answer(&["run", "process.json"]);
    assert_eq!(answer.code, 0, "{answer:?}");
    // What is wrong is shown in the file in which it is.
    place.write(
        "test.json",
        "{\"connections\": {\n  \"e\": {\"connector\": \"echo\", \"prefx\": 1}}}",
    );
    let answer = place.answer(&["validate", "--connections", "test.json", "process.json"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("test.json:2:30: $.connections.e.prefx"), "{answer:?}");
    place.write("broken.json", "{\n");
    let answer = place.answer(&["validate", "--connections", "broken.json", "process.json"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert!(answer.stderr.contains("broken.json:"), "{answer:?}");
}

#[test]
fn several_processes_run_one_after_the_other() {
    let place = Place::new();
    for name in ["one", "two"] {
        let process = json!({"process": name, "steps": [
            message(&[(name, name)]), {"name": "keep", "type": "writeFiles", "directory": "out"},
        ]});
        place.write(&format!("{name}.json"), process.to_string());
    }
    place.write("bad.json", "{}");
    let answer = place.answer(&["run", "one.json", "bad.json", "two.json", "--output", "json"]);
    assert_eq!(answer.code, 2, "{answer:?}");
    assert_eq!(place.names("out"), ["one", "two"]);
    let lines = answer.lines();
    assert!(lines.iter().all(|line| line["time"].is_string() && line["run"].is_string()));
    let processes: Vec<&Value> =
        lines.iter().filter(|line| line["event"] == "summary").map(|l| &l["process"]).collect();
    assert_eq!(processes, ["one", "two"]);
}

#[cfg(unix)]
#[test]
fn a_program_prints_the_password_and_is_not_started_to_validate() {
    let place = Place::new();
    let process = |program: &str| {
        json!({
            "process": "p",
            "connections": {"e": {"connector": "echo", "password": {"command": [program, "mark"]}}},
            "steps": [message(&[("a", "1")]), echo("there", json!({}))],
        })
    };
    place.write("process.json", process("touch").to_string());
    assert_eq!(place.answer(&["validate", "process.json"]).code, 0);
    assert!(!place.path("mark").exists());
    place.write("process.json", process("/no/such").to_string());
    assert_eq!(place.answer(&["validate", "process.json"]).code, 0);
}

#[test]
fn a_failure_is_one_line_with_all_that_is_known() {
    let place = Place::new();
    place.process(json!([
        message(&[("bad", "1"), ("good", "2")]),
        echo("there", json!({"refuse": "bad"})),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    let answer = place.answer(&["run", "process.json"]);
    assert_eq!(answer.code, 6, "{answer:?}");
    let lines: Vec<&str> = answer.stderr.lines().filter(|line| line.contains("error: ")).collect();
    assert_eq!(lines.len(), 1, "{answer:?}");
    for part in ["error: test: there: bad (document 1): ", "over e", "["] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(lines[0].starts_with("20") && lines[0].contains("Z "), "{}", lines[0]);
}

#[test]
fn what_init_writes_is_valid_and_what_is_there_stays() {
    for from in ["database", "backup", "iso", "mirror"] {
        let place = Place::new();
        let arguments = ["init", "--from", from];
        let answer = Answer::of(&mut place.program_with(ftp_connector(), &arguments));
        assert_eq!(answer.code, 0, "{answer:?}");
        assert!(place.path("schemas/process.schema.json").exists());
        let again = Answer::of(&mut place.program_with(ftp_connector(), &arguments));
        assert_eq!(again.code, 2, "{again:?}");
        let mut command = place.program_with(ftp_connector(), &["validate", "process.json"]);
        let answer = Answer::of(&mut command);
        assert_eq!((answer.code, &*answer.stdout), (0, "process.json: valid\n"), "{answer:?}");
        let errors = answer.stderr.lines().filter(|line| line.starts_with("error")).count();
        assert_eq!(errors, 0, "{answer:?}");
    }
}

#[test]
fn kinds_are_explained_and_schemas_printed() {
    let place = Place::new();
    let answer = place.answer(&["explain", "permission"]);
    assert!(answer.code == 0 && answer.stdout.contains("Exit code 6."), "{answer:?}");
    let answer = place.answer(&["explain", "permision"]);
    assert!(answer.code == 2 && answer.stderr.contains("\"permission\""), "{answer:?}");
    let answer = place.answer(&["schema", "process"]);
    assert!(serde_json::from_str::<Value>(&answer.stdout).is_ok(), "{answer:?}");
    assert_eq!(place.answer(&["schema", "proces"]).code, 2);
    let empty = Answer::of(&mut place.program_with(&place.path("."), &["connectors"]));
    assert!(empty.code == 7 && empty.stderr.contains("no connector is found in"), "{empty:?}");
}

#[test]
fn a_server_is_looked_at_without_a_process() {
    let Some(server) = server(&Options::new(Flavour::VsFtpd)) else { return };
    let place = Place::new();
    let settings = connection(&server, &json!({}));
    let user = settings["userName"].as_str().unwrap();
    let url = |path: &str| format!("ftp://{user}@localhost:{}/{path}", server.port());
    let command = |arguments: &[&str]| {
        let mut command = place.program_with(ftp_connector(), arguments);
        Answer::of(command.env("FTP_PASSWORD", server.password()))
    };
    place.write("a.txt", "hello");
    let put = command(&["put", "a.txt", &url("upload/")]);
    assert_eq!(put.code, 0, "{put:?}");
    let again = command(&["put", "a.txt", &url("upload/a.txt")]);
    assert_ne!(again.code, 0, "{again:?}");
    let listed = command(&["ls", &url("upload")]);
    assert!(listed.code == 0 && listed.stdout.contains("a.txt"), "{listed:?}");
    let got = command(&["get", &url("upload/a.txt"), "back"]);
    assert_eq!(got.code, 0, "{got:?}");
    assert_eq!(fs::read_to_string(place.path("back/a.txt")).unwrap(), "hello");
    assert_ne!(command(&["get", &url("upload/a.txt"), "back"]).code, 0);
    let removed = command(&["rm", &url("upload/a.txt")]);
    assert_eq!(removed.code, 0, "{removed:?}");
    let gone = command(&["get", &url("upload/a.txt")]);
    assert_eq!(gone.code, 4, "{gone:?}");
    assert_eq!(command(&["ls", "ftp//nowhere"]).code, 2);
}
