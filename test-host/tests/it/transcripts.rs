//! What failed documents report of the conversation with the server.

use serde_json::{Value, json};
use test_servers::scripted::{Script, ScriptedServer};

use crate::support::{Answer, Place, ftp_connector};

/// A password that the server repeats.
const PASSWORD: &str = "tops3cret";

/// Runs a process that gets a file from a server that plays `script`.
fn run(script: &str, arguments: &[&str]) -> Answer {
    let server = ScriptedServer::start(&Script::parse(script).unwrap()).unwrap();
    let place = Place::new();
    let process = json!({
        "process": "test",
        "connections": {"s": {
            "connector": "ftp", "host": server.host(), "port": server.port(),
            "userName": "anna", "password": {"env": "FTP_PASSWORD"}, "retry": {"attempts": 1},
        }},
        "steps": [{"name": "fetch", "type": "connector", "connection": "s", "operation": "get",
                   "parameters": {"id": "a.txt"}}],
    });
    place.write("process.json", process.to_string());
    let arguments = [&["run", "process.json"], arguments].concat();
    let mut command = place.program_with(ftp_connector(), &arguments);
    let answer = Answer::of(command.env("FTP_PASSWORD", PASSWORD));
    server.finish().assert_matched();
    assert!(!format!("{answer:?}").contains(PASSWORD), "{answer:?}");
    answer
}

/// A login that is refused with the password in the answer.
const REFUSED: &str = "< 220 ready\n> USER anna\n< 331 Password?\n> PASS {secret}\n\
    < 530-{secret}\n< 530 is \\x1b[31mwrong\n";

const TOLD: [&str; 6] = [
    "< 220 ready",
    "> USER anna",
    "< 331 Password?",
    "> PASS …",
    "< 530-…",
    "< 530 is \\x1b[31mwrong",
];

#[test]
fn a_failed_document_tells_the_conversation() {
    let answer = run(REFUSED, &["--output", "json"]);
    let [event] = &answer.of_step("fetch")[..] else { panic!("{answer:?}") };
    let told = event["error"]["transcript"].as_array().unwrap();
    assert!(told[0].as_str().unwrap().starts_with("-- connecting to 127.0.0.1:"), "{told:?}");
    assert_eq!(told[1..], TOLD.map(Value::from));
    // Once is enough: the summary does not repeat it.
    assert_eq!(answer.summary()["errors"][0]["error"]["kind"], "authentication");
    assert!(answer.summary()["errors"][0]["error"]["transcript"].is_null(), "{answer:?}");
}

#[test]
fn people_see_the_conversation_when_they_ask_for_more() {
    let indented = TOLD.map(|line| format!("  {line}\n")).concat();
    let answer = run(REFUSED, &["-v"]);
    assert!(answer.stderr.contains(&indented), "{}", answer.stderr);
    assert!(!run(REFUSED, &[]).stderr.contains("  > USER"));
}
