//! What only a scripted server can be made to say.

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{CheckStatus, Connector, ErrorKind};
use serde_json::{Value, json};
use test_servers::scripted::{Script, ScriptedServer};

use super::examined::Examined;

/// A login as most servers do it; the rest of a conversation follows.
const LOGIN: &str = "< 220 ready\n> USER *\n< 331 Password?\n> PASS *\n< 230 Welcome.\n\
    > FEAT\n< 502 What?\n> PWD\n< 257 \"/\" is here\n";

fn scripted(script: &str) -> (ScriptedServer, Value) {
    let script = Script::parse(script).unwrap();
    let server = ScriptedServer::start(&script).unwrap();
    let settings = json!({
        "host": "127.0.0.1", "port": server.port(), "userName": "u", "password": "p",
        "connectionTimeout": 60_000, "readTimeout": 60_000,
    });
    (server, settings)
}

#[test]
fn dead_passive_ports_name_the_settings() {
    let dead = format!(
        "{LOGIN}> EPSV\nlisten dead\n< 229 Extended (|||{{port}}|)\n\
         > PASV\nlisten dead\n< 227 Passive (127,0,0,1,{{p1}},{{p2}})\n\
         > TYPE I\n< 200 Binary.\n> REST 1\n< 350 From 1.\n> REST 0\n< 350 From 0.\n"
    );
    let (server, settings) = scripted(&dead);
    let examined = Examined::of(&settings);
    examined.advises("dataConnection", CheckStatus::Failed, "passive ports");
    examined.advises("dataConnection", CheckStatus::Failed, "passiveAddress");
    examined.advises("verdict", CheckStatus::Failed, "connectionMode");
    examined.is("listing", CheckStatus::Skipped);
    examined.is("serverTime", CheckStatus::Skipped);
    examined.is("restart", CheckStatus::Ok);
    server.verify();
}

#[test]
fn pasv_stands_in_and_a_refused_restart_is_a_reservation() {
    let script = format!(
        "{LOGIN}> EPSV\n< 500 What?\n> PASV\npassive PASV\n> LIST\n< 150 Here.\n\
         data send \"total 1\\r\\n\"\ndata close\n< 226 Done.\n\
         > TYPE I\n< 200 Binary.\n> REST 1\n< 502 No.\n"
    );
    let (server, settings) = scripted(&script);
    let examined = Examined::of(&settings);
    assert!(examined.is("dataConnection", CheckStatus::Ok).starts_with("passive by PASV"));
    assert!(examined.is("listing", CheckStatus::Ok).contains("shows with the first entry"));
    examined.advises("restart", CheckStatus::Warning, "transferTimeout");
    examined.is("verdict", CheckStatus::Warning);
    let report = server.verify();
    assert_eq!(report.connections(), 1);
}

#[test]
fn one_connection_and_one_password_whatever_the_server_says() {
    let (server, settings) =
        scripted("< 220 ready\n> USER *\n< 331 Password?\n> PASS *\n< 530 Too many users.\n");
    let examined = Examined::of(&settings);
    examined.ends_at("login", "maximumConnections", "features");
    let report = server.verify();
    assert_eq!(report.commands().iter().filter(|it| it.starts_with("PASS")).count(), 1);
    assert_eq!(report.connections(), 1);
}

#[test]
fn a_listing_that_makes_no_sense_ends_at_the_listing() {
    let script = format!(
        "{LOGIN}> EPSV\npassive EPSV\n> LIST\n< 150 Here.\ndata send \"?? what ??\\r\\n\"\n\
         data close\n< 226 Done.\n"
    );
    let (server, settings) = scripted(&script);
    let examined = Examined::of(&settings);
    examined.is("dataConnection", CheckStatus::Ok);
    examined.ends_at("listing", "listing", "serverTime");
    let _ = server.finish();
}

#[test]
fn silence_instead_of_a_greeting_is_what_implicit_tls_looks_like() {
    let (server, mut settings) = scripted("pause until next command\n");
    settings["readTimeout"] = json!(50);
    let examined = Examined::of(&settings);
    let error = examined.ends_at("greeting", "sslMode implicit", "login");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let _ = server.finish();
}

#[test]
fn control_bytes_of_a_greeting_are_escaped() {
    let (server, settings) = scripted("< 220 \\x1b[31mred\\x07\n> USER *\n< 530 No.\n");
    let examined = Examined::of(&settings);
    let greeting = examined.is("greeting", CheckStatus::Ok);
    assert!(!greeting.contains(char::is_control), "{greeting:?}");
    server.verify();
}

#[test]
fn a_cancelled_check_has_no_report() {
    let (server, settings) = scripted("pause until next command\n");
    let host = MemoryHost::new();
    let connection = FtpConnector::new().connect(&settings, host.context()).unwrap();
    let error = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| connection.test(host.context()));
        host.cancel();
        waiting.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let _ = server.finish();
}
