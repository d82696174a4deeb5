//! Who opens data connections, over which family, and whether TLS protects them.

use std::collections::BTreeSet;

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, Error, ErrorKind};
use serde_json::{Value, json};
use test_servers::scripted::{Script, ScriptedServer};
use test_servers::{Flavour, Mode, Options, fixture, require};

use crate::quirks;
use crate::support::{Bench, report};

/// Starts `options` and connects with `extra` settings.
fn bench(options: &Options, extra: &Value) -> Option<Bench> {
    let server = require(options)?;
    fixture(&server.root()).unwrap();
    let mut extra = extra.clone();
    extra["host"] = json!(server.host());
    Some(Bench::new(server, &extra))
}

/// An upload, a download, a listing and an empty file, over one session.
fn all_kinds(bench: &Bench, what: &str) {
    let body = vec![7; 300_000];
    bench.create(&json!({}), "upload/m.bin", &body).single();
    assert!(bench.on_server("upload/m.bin").unwrap() == body, "{what}");
    bench.create(&json!({}), "upload/empty.bin", b"").single();
    assert_eq!(bench.on_server("upload/empty.bin").unwrap(), b"", "{what}");
    assert!(bench.get(&json!({}), "upload/m.bin").single().body == body, "{what}");
    assert_eq!(bench.get(&json!({}), "zero.bin").single().body, b"", "{what}");
    assert_eq!(bench.list(&json!({}), &json!(null), "dir").json().len(), 3, "{what}");
}

/// Every mode of `flavour` over both families, under these settings.
fn everywhere(group: &str, flavour: Flavour, extra: &Value) {
    let active = extra["connectionMode"] == "active";
    let matrix = Options::matrix().into_iter().filter(|options| options.flavour() == flavour);
    for options in matrix.flat_map(|options| [options.clone(), options.ipv6()]) {
        if active && quirks::calls_no_ipv6_address(&options) {
            continue;
        }
        let Some(bench) = bench(&options, extra) else { continue };
        let what = format!("{} {}", options.name(), bench.server.host());
        all_kinds(&bench, &what);
        report(group, &what);
    }
}

macro_rules! each_flavour {
    ($($passive:ident $active:ident $flavour:ident $ports:literal;)*) => {
        $(
            #[test]
            fn $passive() {
                everywhere("PASSIVE", Flavour::$flavour, &json!({}));
            }

            #[test]
            fn $active() {
                let extra = json!({"connectionMode": "active", "activePorts": $ports});
                everywhere("ACTIVE", Flavour::$flavour, &extra);
            }
        )*
    };
}

each_flavour! {
    vsftpd_passive vsftpd_active VsFtpd "40000-40019";
    proftpd_passive proftpd_active ProFtpd "40020-40039";
    pureftpd_passive pureftpd_active PureFtpd "40040-40059";
    pyftpdlib_passive pyftpdlib_active PyFtpd "40060-40079";
    libunftp_passive libunftp_active LibUnftp "40080-40099";
}

/// Data connections without TLS beside a control connection with it.
#[test]
fn data_in_clear_where_the_server_allows_it() {
    for flavour in Flavour::ALL {
        for mode in ["passive", "active"] {
            let options = Options::new(flavour).explicit().clear_data();
            let extra = json!({
                "dataProtection": "clear", "connectionMode": mode, "activePorts": "40100-40119",
            });
            let Some(bench) = bench(&options, &extra) else { continue };
            all_kinds(&bench, &format!("{flavour} {mode}"));
            report("CLEAR", &format!("{} {mode}", options.name()));
        }
    }
}

#[test]
fn data_in_clear_where_the_server_forbids_it() {
    let forbidding = Flavour::ALL.into_iter().filter(|one| !quirks::lets_data_go_in_clear(*one));
    for flavour in forbidding {
        let options = Options::new(flavour).explicit();
        let Some(bench) = bench(&options, &json!({"dataProtection": "clear"})) else { continue };
        let listed = bench.list(&json!({}), &json!(null), "dir");
        let error = listed.outcome.error().expect("no success").clone();
        let hint = error.report().hint.as_deref().unwrap_or_default();
        report("CLEAR", &format!("{flavour} refuses: {error} / {hint}"));
        assert!(!error.is_retryable(), "{flavour}: {error:?}");
        assert!(hint.contains("dataProtection"), "{flavour}: {error:?}");
    }
}

/// What a listing against a script comes to with these settings.
fn listing(script: &str, extra: &Value) -> (Result<(), Error>, ScriptedServer) {
    let server = ScriptedServer::start(&Script::parse(script).unwrap()).unwrap();
    let mut settings = json!({
        "host": server.host(), "port": server.port(), "userName": "u", "password": "p",
        "retry": {"attempts": 1},
    });
    settings.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    let connection = FtpConnector::new().connect(&settings, MemoryHost::new().context()).unwrap();
    let host = MemoryHost::new();
    let input = host.add_request(&[]);
    let operation = connection.operation(&json!({"operation": "list"})).unwrap();
    let _ = host.execute(operation.as_ref());
    let result = match host.answer(input).unwrap().error() {
        Some(error) => Err(error.clone()),
        None => Ok(()),
    };
    (result, server)
}

const LOGIN: &str = "< 220 ready\n> USER *\n< 331 password\n> PASS *\n< 230 in\n\
    otherwise FEAT < 502 no\notherwise PWD < 257 \"/\"\notherwise TYPE < 200 ok\n";

/// A server that takes PORT and never calls: the error comes in time and names what to check.
#[test]
fn a_call_that_never_comes_ends_in_time() {
    let script = format!("{LOGIN}> PORT *\n< 200 ok\n> LIST\n< 150 soon\nexpect close\n");
    let extra = json!({"connectionMode": "active", "connectionTimeout": 400});
    let (result, server) = listing(&script, &extra);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error:?}");
    let hint = error.report().hint.as_deref().unwrap_or_default();
    assert!(hint.contains("activePorts") && hint.contains("activeAddress"), "{error:?}");
    server.verify();
}

/// A server that cannot call says so on the control connection: nobody waits for the time-out.
#[test]
fn a_call_that_is_given_up_is_told_at_once() {
    let script = format!("{LOGIN}> PORT *\n< 200 ok\n> LIST\n< 150 soon\n< 425 no route\n");
    let extra = json!({"connectionMode": "active", "connectionTimeout": 3_600_000});
    let (result, server) = listing(&script, &extra);
    let error = result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection, "{error:?}");
    assert_eq!(error.report().reply.as_ref().map(|reply| reply.code), Some(425), "{error:?}");
    let hint = error.report().hint.as_deref().unwrap_or_default();
    assert!(hint.contains("activeAddress"), "{error:?}");
    server.verify();
}

/// Somebody else on the port is turned away, and the server's own call is still taken.
#[test]
fn a_stranger_on_the_active_port_is_turned_away() {
    let script = format!(
        "{LOGIN}> PORT *\n< 200 ok\n> LIST\n< 150 soon\n\
         data connect from 127.0.0.9\nexpect close\n"
    );
    let extra = json!({"connectionMode": "active", "connectionTimeout": 400});
    let (result, server) = listing(&script, &extra);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Timeout);
    server.verify();
}

#[test]
fn the_configured_address_and_ports_are_announced() {
    for (address, script) in [
        ("127.0.0.5", "> PORT 127,0,0,5,{p1},{p2}\n< 500 no\n"),
        ("2001:db8::7", "> EPRT |2|2001:db8::7|{port}|\n< 522 no\n"),
    ] {
        let extra = json!({
            "connectionMode": "active", "activeAddress": address, "activePorts": "40120-40129",
        });
        let (result, server) = listing(&format!("{LOGIN}{script}"), &extra);
        let error = result.unwrap_err();
        let hint = error.report().hint.as_deref().unwrap_or_default();
        assert!(hint.contains("activeAddress"), "{error:?}");
        let said = server.verify();
        let commands = said.commands();
        let announced = commands.iter().find(|one| one.contains("RT ")).unwrap();
        let ports: BTreeSet<String> = (40_120..40_130)
            .flat_map(|port: u32| [format!("|{port}|"), format!(",{},{}", port >> 8, port & 0xff)])
            .collect();
        assert!(ports.iter().any(|port| announced.ends_with(port)), "{announced}");
    }
}

/// All ports of the range are taken: the error names the setting.
#[test]
fn a_range_without_a_free_port_names_the_setting() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let extra = json!({"connectionMode": "active", "activePorts": format!("{port}-{port}")});
    let (result, server) = listing(LOGIN, &extra);
    let error = result.unwrap_err();
    assert!(error.report().hint.as_deref().unwrap().contains("activePorts"), "{error:?}");
    server.verify();
}

#[test]
fn a_server_without_epsv_is_met_with_pasv() {
    let script = format!(
        "{LOGIN}> EPSV\n< 502 what\n> PASV\npassive PASV\n> LIST\n< 150 here\n\
         data send \"-rw-r--r-- 1 u g 1 Jan  1  2020 a\\r\\n\"\ndata close\n< 226 done\n"
    );
    let (result, server) = listing(&script, &json!({}));
    result.unwrap();
    server.verify();
}

/// Over implicit TLS the protection of data is agreed on like over explicit TLS.
#[test]
fn implicit_tls_protects_data_too() {
    let Some(bench) = bench(&Options::new(Flavour::ProFtpd).mode(Mode::Implicit), &json!({}))
    else {
        return;
    };
    all_kinds(&bench, "implicit");
    assert!(bench.server.log().contains("PROT P"), "{}", bench.server.log());
}

/// A server that refuses to open a data connection has not said that the directory is empty.
#[test]
fn a_refused_data_connection_is_no_empty_listing() {
    for refusal in ["450 nothing", "550 no files", "530 TLS first", "521 no PROT", "425 no"] {
        for script in [
            format!("{LOGIN}> EPSV\n< {refusal}\notherwise PASV < {refusal}\n"),
            format!("{LOGIN}> EPSV\npassive EPSV\n> LIST\n< {refusal}\n"),
        ] {
            let (result, server) = listing(&script, &json!({}));
            let said_of_the_list = script.contains("> LIST");
            let may_be_empty = refusal.starts_with("450") || refusal.starts_with("550");
            assert_eq!(result.is_ok(), said_of_the_list && may_be_empty, "{script}\n{result:?}");
            server.verify();
        }
    }
}
