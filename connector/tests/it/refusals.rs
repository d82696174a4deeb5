//! Line ends and NUL would end a command early: refused wherever they come from, before anything
//! of them is sent.

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, ErrorKind, InputHeader};
use serde_json::{Value, json};

use crate::support::{with_id, with_properties};
use crate::transcript::{Play, Transcript};

const INJECTIONS: [&str; 5] = ["x\r\nDELE a.txt", "x\ny", "x\ry", "x\0y", "x\r\n"];

#[test]
fn settings_with_line_ends_are_refused() {
    for injection in INJECTIONS {
        for id in ["userName", "password", "account", "remoteDirectory"] {
            let mut settings = json!({"host": "127.0.0.1", "userName": "anna", "password": "p"});
            settings[id] = json!(injection);
            let connected = FtpConnector::new().connect(&settings, MemoryHost::new().context());
            let error = connected.err().expect("the settings are refused");
            assert_eq!(error.kind(), ErrorKind::Configuration, "{id} {injection:?}");
            assert_eq!(error.report().path.as_deref(), Some(id));
        }
    }
}

#[test]
fn documents_with_line_ends_are_refused() {
    let mut cases: Vec<(Value, InputHeader)> = Vec::new();
    for injection in INJECTIONS {
        for verb in ["get", "delete"] {
            cases.push((json!({"operation": verb}), with_id(&format!("a{injection}"))));
        }
        let moving = json!({"moveAfterReading": format!("a{injection}z")});
        cases.push((json!({"operation": "get", "options": moving}), with_id("a.txt")));
        for verb in ["query", "list"] {
            let header = with_properties(&[("remoteDirectory", injection)]);
            cases.push((json!({"operation": verb}), header));
        }
        let create = json!({"operation": "create"});
        let bad_name = format!("a{injection}");
        cases.push((create.clone(), with_properties(&[("fileName", bad_name.as_str())])));
        for id in ["remoteDirectory", "stagingDirectory", "temporaryExtension"] {
            let bad = format!("a{injection}z");
            let header = with_properties(&[("fileName", "a.txt"), (id, bad.as_str())]);
            cases.push((create.clone(), header));
            if id != "remoteDirectory" {
                let options = json!({"operation": "create", "options": {id: bad}});
                cases.push((options, with_properties(&[("fileName", "a.txt")])));
            }
        }
    }
    let play = Play::start(&Transcript::parse("@login").script(), &json!({}));
    for (settings, header) in cases {
        let shown = format!("{settings} {header:?}");
        let operation = match play.connection().operation(&settings) {
            Ok(operation) => operation,
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Configuration, "{shown}");
                continue;
            }
        };
        let host = MemoryHost::new();
        let input = host.add_input(header, "body");
        host.execute(operation.as_ref()).unwrap();
        let outcome = host.answer(input).unwrap();
        let error = outcome.error().unwrap_or_else(|| panic!("{shown} was done"));
        assert_eq!(error.kind(), ErrorKind::Document, "{shown}: {error}");
        assert!(!error.message().contains(|c: char| c.is_control()), "{error:?}");
    }
    // Any command beyond the login would be a mismatch.
    play.end().assert_matched();
}
