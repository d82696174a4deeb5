//! Every call comes back: when it is cancelled, whatever it waits for, and when the server has
//! stopped talking.

use std::time::{Duration, Instant};

use ftp_connector::FtpConnector;
use host_sdk::testing::{Callback, MemoryHost};
use host_sdk::{Connector, ErrorKind};
use serde_json::{Value, json};
use test_servers::model::{Fault, ModelServer};

use crate::support::{with_id, with_properties};
use crate::transcript::{Play, Transcript, in_time};

/// Longer than the tests wait: nothing here may come back because a time-out has passed.
const FOR_EVER: u64 = 3_600_000;

/// Executes `operation` against `script`, cancels it once `is_under_way`, and gives its error.
fn cancelled(
    script: &str,
    extra: &Value,
    operation: &Value,
    is_under_way: fn(&MemoryHost) -> bool,
) -> ErrorKind {
    let mut settings = json!({
        "connectionTimeout": FOR_EVER,
        "readTimeout": FOR_EVER,
        "retry": {"attempts": 5, "delay": FOR_EVER, "maximumDelay": FOR_EVER},
    });
    settings.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let play = Play::start(&Transcript::parse(script).script(), &settings);
    let host = MemoryHost::new();
    if operation["operation"] == "create" {
        host.add_input(with_properties(&[("fileName", "b.txt")]), vec![b'x'; 20_000_000]);
    } else {
        host.add_input(with_id("a.txt"), Vec::new());
    }
    let operation = play.connection().operation(operation).unwrap();
    let executing = host.clone();
    let execution = std::thread::spawn(move || executing.execute(operation.as_ref()));
    assert!(host.wait_until(Duration::from_secs(20), is_under_way), "it does not get that far");
    host.cancel();
    let result = in_time("a cancelled execution", move || execution.join().unwrap());
    // The client leaves where it was cancelled: no script can foresee what it has said by then.
    let _ = play.end();
    result.unwrap_err().kind()
}

fn took_its_input(host: &MemoryHost) -> bool {
    host.calls(Callback::NextInput) > 0
}

fn moved_bytes(host: &MemoryHost) -> bool {
    !host.progress().is_empty()
}

const DOWNLOAD: &str = "otherwise SIZE * < 213 5\n@login\n> EPSV\npassive EPSV\n> RETR /a.txt\n";

#[test]
fn cancelling_ends_the_wait_for_a_greeting() {
    let get = json!({"operation": "get"});
    let script = "expect close";
    assert_eq!(cancelled(script, &json!({}), &get, took_its_input), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_the_wait_for_a_reply() {
    let get = json!({"operation": "get"});
    let script = format!("{DOWNLOAD}expect close");
    assert_eq!(cancelled(&script, &json!({}), &get, took_its_input), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_the_wait_for_data() {
    let get = json!({"operation": "get"});
    let script = format!("{DOWNLOAD}< 150 Here.\ndata send \"he\"\nexpect close");
    assert_eq!(cancelled(&script, &json!({}), &get, moved_bytes), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_the_wait_for_the_confirmation() {
    let get = json!({"operation": "get"});
    let script = format!("{DOWNLOAD}< 150 Here.\ndata send \"hello\"\ndata close\nexpect close");
    assert_eq!(cancelled(&script, &json!({}), &get, moved_bytes), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_a_write_that_nobody_reads() {
    let create = json!({"operation": "create", "options": {"actionIfFileExists": "overwrite"}});
    let script = "@login\n> EPSV\npassive EPSV\n> STOR *\n< 150 Go.\ndata accept\nexpect close";
    assert_eq!(cancelled(script, &json!({}), &create, moved_bytes), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_the_wait_for_the_servers_call() {
    let get = json!({"operation": "get"});
    let active = json!({"connectionMode": "active", "activePorts": "50200-50300"});
    let script = "otherwise SIZE * < 213 5\n@login\n> PORT *\n< 200 Ok.\n> RETR *\n< 150 Here.\nexpect close";
    assert_eq!(cancelled(script, &active, &get, took_its_input), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_the_pause_before_another_attempt() {
    let get = json!({"operation": "get"});
    let script = "connections\n< 421 Too many users.\nclose";
    assert_eq!(cancelled(script, &json!({}), &get, took_its_input), ErrorKind::Cancelled);
}

#[test]
fn cancelling_ends_a_tls_handshake() {
    let get = json!({"operation": "get"});
    // That of the data connection: on the control connection the script would read it as a command.
    let script = "otherwise PBSZ 0 < 200 Ok.\notherwise PROT P < 200 Ok.\n\
        otherwise SIZE * < 213 5\n@answers\n< 220 ready\n> AUTH TLS\n< 234 Go ahead.\ntls\n\
        > EPSV\npassive EPSV\n> RETR *\n< 150 Here.\nexpect close";
    let explicit = json!({"sslMode": "explicit"});
    assert_eq!(cancelled(script, &explicit, &get, took_its_input), ErrorKind::Cancelled);
}

/// Cancels an upload that holds the lock of its name while a server with `faults` says nothing; the
/// locks that stay.
fn cancelled_with_a_lock(faults: Vec<(usize, Fault)>) -> Vec<String> {
    let count = faults.len();
    let server = ModelServer::start(&[], faults).unwrap();
    let settings = json!({
        "host": "127.0.0.1", "port": server.port(), "userName": "anna", "password": "secret",
        "connectionTimeout": FOR_EVER, "readTimeout": FOR_EVER,
    });
    let connection = FtpConnector::new().connect(&settings, MemoryHost::new().context()).unwrap();
    let options = json!({"actionIfFileExists": "generateError"});
    let operation = json!({"operation": "create", "options": options});
    let operation = connection.operation(&operation).unwrap();
    let host = MemoryHost::new();
    host.add_input(with_properties(&[("fileName", "b.txt")]), "hello");
    let executing = host.clone();
    let execution = std::thread::spawn(move || executing.execute(operation.as_ref()));
    let end = Instant::now() + Duration::from_secs(20);
    while server.faults_to_come() == count {
        assert!(Instant::now() < end, "it does not get as far as the first fault");
        std::thread::yield_now();
    }
    host.cancel();
    let result = in_time("a cancelled execution", move || execution.join().unwrap());
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(!server.names().contains(&"b.txt".to_owned()));
    server.directories()
}

#[test]
fn a_cancelled_upload_releases_its_lock() {
    assert_eq!(cancelled_with_a_lock(vec![(1, Fault::SilentTo("RNFR"))]), Vec::<String>::new());
}

#[test]
fn releasing_a_lock_after_a_cancellation_does_not_take_for_ever() {
    let faults = vec![(1, Fault::SilentTo("RNFR")), (1, Fault::SilentTo("RMD"))];
    assert_eq!(cancelled_with_a_lock(faults), ["/.b.txt.lock"]);
}
