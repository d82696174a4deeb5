//! What must never be seen: passwords, accounts, keys, in no log, no error, no result.

use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use ftp_connector::FtpConnector;
use host_sdk::Connector;
use host_sdk::testing::MemoryHost;
use serde_json::{Value, json};
use test_servers::scripted::{Script, ScriptedServer};
use test_servers::{Flavour, Mode, Options, PASSWORD, Server, fixture, require};

use crate::logs;
use crate::plugin::{Recorder, load_copy};
use crate::support::{report, settings, with_id, with_properties};
use crate::test_proxy::{self, Manner, Protocol, TestProxy};

/// The password that is wrong, and told from the right one.
const WRONG: &str = "wr0ng-s3cret";

/// The account.
const ACCOUNT: &str = "acc0unt-s3cret";

/// Whether `text` holds a secret; the lines of keys count each.
#[track_caller]
fn assert_clean(text: &str, keys: &[String]) {
    // Proxies hear "proxy-user:pr0xy s3cret" in Base64.
    let fixed = [PASSWORD, WRONG, ACCOUNT, test_proxy::PASSWORD, "cHJveHktdXNlcjpwcjB4eSBzM2NyZXQ"];
    for secret in fixed.into_iter().chain(keys.iter().map(String::as_str)) {
        if let Some(at) = text.find(secret) {
            let from = text[..at].rfind('\n').map_or(0, |at| at + 1);
            panic!("a secret is shown: {}", text[from..].lines().next().unwrap_or_default());
        }
    }
}

/// The lines of a key that are secret.
fn lines_of(pem: &std::path::Path) -> Vec<String> {
    let text = std::fs::read_to_string(pem).unwrap();
    text.lines().filter(|line| !line.starts_with("-----")).map(str::to_owned).collect()
}

/// Does what a connection can do, well and badly; everything that comes back, as text.
fn work(connector: &dyn Connector, settings: &Value) -> String {
    let mut seen = String::new();
    let mut see = |what: &dyn std::fmt::Debug| writeln!(seen, "{what:?}").unwrap();
    let connection = match connector.connect(settings, MemoryHost::new().context()) {
        Ok(connection) => connection,
        Err(e) => {
            see(&e);
            return seen;
        }
    };
    let tested = connection.test(MemoryHost::new().context());
    see(&tested);
    // What cannot log in fails everywhere alike; servers make that slow.
    let works = tested.is_ok_and(|tested| tested.error.is_none());
    let inputs = [
        (json!({"operation": "create"}), with_properties(&[("fileName", "upload/s.txt")])),
        (json!({"operation": "create"}), with_properties(&[("fileName", "no\r\nname")])),
        (json!({"operation": "get"}), with_id("hello.txt")),
        (json!({"operation": "get"}), with_id("noread.txt")),
        (json!({"operation": "query"}), with_properties(&[("remoteDirectory", "dir")])),
        (json!({"operation": "list"}), with_properties(&[("remoteDirectory", "nowhere")])),
        (json!({"operation": "delete"}), with_id("upload/s.txt")),
        (json!({"operation": "delete"}), with_id("missing.txt")),
    ];
    for (operation, header) in inputs.into_iter().take(if works { usize::MAX } else { 1 }) {
        let host = MemoryHost::new();
        let input = host.add_input(header, "body");
        match connection.operation(&operation) {
            Ok(operation) => see(&host.execute(operation.as_ref())),
            Err(e) => see(&e),
        }
        see(&host.answer(input));
        see(&host.results());
    }
    see(&connection.close());
    seen
}

/// All the settings with secrets, right ones and wrong ones, against `server`.
fn variants(server: &Server, proxy: &TestProxy) -> Vec<Value> {
    let files = server.certificates();
    let key = std::fs::read_to_string(files.client_key()).unwrap();
    let mut with_proxy = proxy.settings(true);
    let mut wrong_proxy = proxy.settings(true);
    wrong_proxy["proxy"]["password"] = json!(WRONG);
    with_proxy["account"] = json!(ACCOUNT);
    vec![
        json!({"account": ACCOUNT}),
        json!({"password": WRONG}),
        json!({"password": {"env": "FTP_TEST_SURELY_UNSET"}}),
        json!({"password": format!("{WRONG}\r\nQUIT")}),
        json!({"clientCertificate": files.client_pem(), "clientKey": key}),
        json!({"clientCertificate": files.untrusted_pem(), "clientKey": key}),
        json!({"clientCertificate": files.client_pem(), "clientKey": key.replace("-----", WRONG)}),
        json!({"passwort": WRONG}),
        json!({"password": [WRONG]}),
        json!({"proxy": {"host": "h", "password": [WRONG]}}),
        with_proxy,
        wrong_proxy,
    ]
}

fn servers() -> Vec<Server> {
    let prompt = Options::new(Flavour::VsFtpd).explicit().configuration("delay_failed_login=0");
    [Options::new(Flavour::ProFtpd), prompt]
        .iter()
        .filter_map(require)
        .inspect(|server| fixture(&server.root()).unwrap())
        .collect()
}

#[test]
fn the_loaded_connector_shows_no_secret() {
    let recorder = Arc::new(Recorder::default());
    let connector = load_copy("secrets", Arc::clone(&recorder));
    let mut tls = false;
    for server in servers() {
        let keys = lines_of(&server.certificates().client_key());
        for protocol in [Protocol::Socks5, Protocol::Http] {
            let proxy = TestProxy::start(protocol, Manner::WithCredentials);
            for extra in variants(&server, &proxy) {
                assert_clean(&work(&connector, &settings(&server, &extra)), &keys);
            }
        }
        assert_clean(&recorder.text(), &keys);
        tls |= server.mode() != Mode::Plain;
    }
    let log = recorder.text();
    report("SECRETS", &format!("{} records of the loaded connector", log.lines().count()));
    // Otherwise nothing was proved: the TLS library tells much at this level.
    assert!(!tls || log.contains("level: Trace"), "{log}");
}

#[test]
fn the_linked_connector_shows_no_secret() {
    let log = Rc::new(RefCell::new(String::new()));
    let heard = Rc::clone(&log);
    logs::listen(move |record| {
        writeln!(heard.borrow_mut(), "{} {}", record.target, record.message).unwrap();
    });
    for server in servers() {
        let keys = lines_of(&server.certificates().client_key());
        let proxy = TestProxy::start(Protocol::Http, Manner::WithCredentials);
        for extra in variants(&server, &proxy) {
            assert_clean(&work(&FtpConnector::new(), &settings(&server, &extra)), &keys);
        }
        assert_clean(&log.borrow(), &keys);
    }
}

/// Servers that repeat what they heard do not get it into an error.
#[test]
fn a_server_that_repeats_a_secret_is_not_quoted_with_it() {
    let repeating = [
        format!("< 331 password\n> PASS *\n< 530 {PASSWORD} is wrong\n"),
        format!("< 331 password\n> PASS *\n< {PASSWORD}\n"),
        format!("< 331 password\n> PASS *\n< 332 account\n> ACCT *\n< 532-no\n< 532 {ACCOUNT}?\n"),
        format!("< 331 password\n> PASS *\n< 421 too many like {PASSWORD}\n"),
    ];
    for script in repeating {
        let script = Script::parse(&format!("< 220 ready\n> USER *\n{script}")).unwrap();
        let server = ScriptedServer::start(&script).unwrap();
        let settings = json!({
            "host": server.host(), "port": server.port(), "userName": "u",
            "password": PASSWORD, "account": ACCOUNT, "retry": {"attempts": 1},
        });
        let connector = FtpConnector::new();
        let connection = connector.connect(&settings, MemoryHost::new().context()).unwrap();
        let host = MemoryHost::new();
        let input = host.add_request(&[]);
        let operation = connection.operation(&json!({"operation": "list"})).unwrap();
        let executed = host.execute(operation.as_ref());
        let answer = host.answer(input).unwrap();
        assert!(answer.error().is_some(), "{answer:?}");
        assert_clean(&format!("{executed:?} {answer:?} {}", answer.error().unwrap()), &[]);
        server.verify();
    }
}
