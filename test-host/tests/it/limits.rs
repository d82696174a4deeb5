//! Limits of the machine: each is one error at once, and no step waits.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use test_servers::{Flavour, Options, Server, fixture, require};

use crate::support::{Answer, Place, connection, connectors, echo, ftp_connector, message};

/// Runs `process.json` after the shell command `limit`; what hangs is killed.
fn run(place: &Place, connectors: &Path, limit: &str) -> Answer {
    let mut command = Command::new("timeout");
    let script = format!("{limit} exec \"$@\"");
    command.args(["-s", "KILL", "60", "sh", "-c", &script, "sh"]);
    command.arg(env!("CARGO_BIN_EXE_test-host")).arg("--connector-path").arg(connectors);
    command.args(["run", "process.json", "--output", "json", "-v"]);
    command.current_dir(place.path(".")).env("FTP_PASSWORD", "s3cret pass");
    Answer::of(&mut command)
}

fn fetch(server: &Server, extra: &Value) -> Value {
    let mut settings = connection(server, extra);
    // As long as it gets: what is tried again in vain is seen.
    settings["retry"] = json!({"attempts": 6, "delay": 10});
    json!({
        "process": "fetch",
        "connections": {"partner": settings},
        "steps": [
            {"name": "fetch", "type": "connector", "connection": "partner", "operation": "query"},
            {"name": "keep", "type": "writeFiles", "directory": "out"},
        ],
    })
}

/// Whether `answer` has an error that names the limit `option`. It must come at the first attempt.
fn names_limit(answer: &Answer, option: &str) -> bool {
    let lines = answer.lines();
    let again = lines.iter().find(|line| {
        line["message"].as_str().is_some_and(|message| message.starts_with("attempt "))
    });
    assert!(again.is_none(), "{answer:?}");
    let Some(summary) = lines.last().filter(|line| line["event"] == "summary") else {
        return answer.stderr.contains(option);
    };
    let errors = summary["errors"].as_array().unwrap().iter().map(|entry| &entry["error"]);
    let mut named = 0;
    for error in errors {
        let is_named = error["hint"].as_str().is_some_and(|hint| hint.contains(option));
        let lacks = error["message"].as_str().unwrap().contains("Too many open files");
        assert!(is_named || !lacks, "{answer:?}");
        // A file that cannot be written is that document's error; a connection ends them all.
        if is_named && error["kind"] == "busy" {
            assert!((&error["attempts"], answer.code) == (&json!(1), 5), "{answer:?}");
            named += 1;
        }
    }
    assert!(named <= 1, "{answer:?}");
    named == 1
}

#[test]
fn too_many_open_files_are_told_at_the_first_attempt() {
    let Some(server) = require(&Options::new(Flavour::VsFtpd)) else { return };
    fixture(&server.root()).unwrap();
    for extra in [
        json!({"remoteDirectory": "dir"}),
        json!({"remoteDirectory": "dir", "host": "127.0.0.1"}),
        json!({"remoteDirectory": "dir", "connectionMode": "active"}),
    ] {
        let place = Place::new();
        place.write("process.json", fetch(&server, &extra).to_string());
        // Each limit stops it somewhere else, until there is enough.
        let mut named = 0;
        let mut code = None;
        for limit in 4..64 {
            let answer = run(&place, ftp_connector(), &format!("ulimit -n {limit};"));
            code = Some(answer.code);
            if answer.code == 0 {
                break;
            }
            named += usize::from(names_limit(&answer, "ulimit -n"));
        }
        assert!(code == Some(0) && named > 1, "{extra}: {code:?} after {named}");
    }
}

/// Runs `process.json` with more and more threads until there are enough. Returns how many runs
/// reported that there are not.
fn with_few_threads(place: &Place, connectors: &Path) -> usize {
    for path in [&place.path("."), connectors] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
    }
    // The limit is per user and does not apply to root. No other program has this number.
    static USER: AtomicU32 = AtomicU32::new(54_321);
    let user = USER.fetch_add(1, Ordering::Relaxed);
    for told in 0..16 {
        let as_user = format!("set -- setpriv --reuid {user} --clear-groups \"$@\";");
        let limit = format!("{as_user} set -- prlimit --nproc={} \"$@\";", told + 1);
        let answer = run(place, connectors, &limit);
        if answer.code == 0 {
            return told;
        }
        assert_eq!(answer.code, 5, "{answer:?}");
        assert!(names_limit(&answer, "ulimit -u"), "{answer:?}");
    }
    panic!("never enough threads");
}

#[test]
fn threads_that_cannot_be_started_are_an_error_and_nobody_waits() {
    let Some(server) = require(&Options::new(Flavour::ProFtpd)) else { return };
    fixture(&server.root()).unwrap();
    let place = Place::new();
    place.process(json!([
        message(&[("a", "1")]), echo("first", json!({})), echo("second", json!({})),
        {"name": "keep", "type": "writeFiles", "directory": "out"},
    ]));
    // Without the thread for interruptions; the last step, without and with the one that writes
    // events, which nothing depends on; the step before it.
    assert_eq!(with_few_threads(&place, connectors()), 4);
    let place = Place::new();
    let process = fetch(&server, &json!({"remoteDirectory": "dir"}));
    place.write("process.json", process.to_string());
    // Without the thread for interruptions, for connecting; threads that end take their time.
    assert!(with_few_threads(&place, ftp_connector()) >= 2);
}
