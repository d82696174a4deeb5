//! The connection test: what it finds on real servers, and what it advises when something is
//! wrong.

mod conversations;
mod examined;
mod refusals;

use host_sdk::testing::MemoryHost;
use host_sdk::{CheckStatus, ErrorKind};
use serde_json::{Value, json};
use test_servers::{Flavour, Mode, Options, Server, TlsVersion, fixture, require};

use self::examined::{Examined, examined};
use crate::support::{Bench, settings};

/// Checks a whole flavour: usable, complete, and nothing on the server changed.
fn works(flavour: Flavour, mode: Mode, extra: &Value) -> Option<Examined> {
    use CheckStatus::{Ok, Skipped};
    let server = require(&Options::new(flavour).mode(mode))?;
    fixture(&server.root()).unwrap();
    let before = tree(&server);
    let examined = Examined::of(&settings(&server, extra));
    assert_eq!(tree(&server), before);
    let report = &examined.0;
    assert!(report.is_usable() && report.error.is_none(), "{}\n{}", examined.text(), server.log());
    assert!(examined.is("dns", Ok).starts_with("localhost is "));
    assert!(examined.finding("tcp").detail.contains(&server.port().to_string()));
    assert!(!examined.is("greeting", Ok).is_empty());
    assert!(examined.is("login", Ok).ends_with(server.user()));
    if flavour == Flavour::PureFtpd && mode == Mode::Plain {
        // It offers TLS even where it has no certificate.
        examined.advises("features", CheckStatus::Warning, "sslMode");
    } else {
        examined.is("features", Ok);
    }
    assert!(examined.is("remoteDirectory", Ok).starts_with("/,"));
    let kind = if flavour == Flavour::VsFtpd { "LIST in Unix format" } else { "MLSD" };
    assert!(examined.is("listing", Ok).starts_with(kind), "{}", examined.text());
    assert!(examined.is("restart", Ok).contains("REST"));
    if mode == Mode::Plain {
        examined.is("tls", Skipped);
        examined.is("certificate", Skipped);
        examined.is("sessionReuse", Skipped);
    } else {
        assert!(examined.is("tls", Ok).starts_with("TLS 1."));
        let certificate = examined.is("certificate", Ok);
        assert!(certificate.contains("CN=localhost issued by CN=test CA"), "{certificate}");
        assert!(certificate.contains("until 2049-01-01"), "{certificate}");
    }
    Some(examined)
}

/// Every path below the server's root, with its time and size.
fn tree(server: &Server) -> Vec<String> {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        for entry in entries {
            let path = entry.unwrap().path();
            let data = path.symlink_metadata().unwrap();
            let modified = data.modified().unwrap();
            found.push(format!("{} {} {modified:?}", path.display(), data.len()));
            if data.is_dir() {
                walk(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    walk(&server.root(), &mut found);
    found.sort();
    found
}

/// Makes one test of each flavour and mode.
macro_rules! flavours {
    ($($name:ident: $flavour:ident $mode:ident;)*) => {
        $(
            #[test]
            fn $name() {
                let Some(passive) = works(Flavour::$flavour, Mode::$mode, &json!({})) else { return };
                assert!(passive.is("dataConnection", CheckStatus::Ok).starts_with("passive by EPSV"));
            }
        )*
    };
}

flavours! {
    vsftpd_plain: VsFtpd Plain;
    vsftpd_explicit: VsFtpd Explicit;
    vsftpd_implicit: VsFtpd Implicit;
    proftpd_plain: ProFtpd Plain;
    proftpd_explicit: ProFtpd Explicit;
    pureftpd_plain: PureFtpd Plain;
    pureftpd_explicit: PureFtpd Explicit;
    pyftpdlib_plain: PyFtpd Plain;
    pyftpdlib_explicit: PyFtpd Explicit;
    libunftp_plain: LibUnftp Plain;
    libunftp_explicit: LibUnftp Explicit;
}

#[test]
fn active_data_connections_tell_who_came() {
    let extra = json!({"connectionMode": "active"});
    let Some(examined) = works(Flavour::ProFtpd, Mode::Explicit, &extra) else { return };
    let detail = examined.is("dataConnection", CheckStatus::Ok);
    assert!(detail.starts_with("active by PORT, 127.0.0.1:"), "{detail}");
    examined.is("sessionReuse", CheckStatus::Ok);
}

#[test]
fn a_missing_directory_leaves_the_rest_examined() {
    for flavour in [Flavour::VsFtpd, Flavour::LibUnftp] {
        let options = Options::new(flavour);
        let missing = json!({"remoteDirectory": "/inbox/missing"});
        let Some((_server, examined)) = examined(&options, &missing) else { continue };
        examined.advises("remoteDirectory", CheckStatus::Failed, "remoteDirectory");
        examined.is("dataConnection", CheckStatus::Ok);
        examined.is("listing", CheckStatus::Ok);
        examined.is("restart", CheckStatus::Ok);
        examined.advises("verdict", CheckStatus::Failed, "remoteDirectory");
        assert_eq!(examined.0.error.as_ref().unwrap().kind(), ErrorKind::NotFound);
    }
}

#[test]
fn an_empty_directory_is_listed() {
    for flavour in Flavour::ALL {
        let empty = json!({"remoteDirectory": "empty"});
        let Some((_server, examined)) = examined(&Options::new(flavour), &empty) else { continue };
        assert!(examined.0.is_usable(), "{}", examined.text());
        assert_eq!(examined.is("remoteDirectory", CheckStatus::Ok), "/empty");
        assert!(examined.is("listing", CheckStatus::Ok).ends_with("0 entries in /empty"));
        examined.is("serverTime", CheckStatus::Skipped);
    }
}

#[test]
fn the_servers_zone_is_found_by_comparing() {
    let there =
        || Options::new(Flavour::ProFtpd).configuration("TimesGMT off").time_zone("Asia/Kolkata");
    let Some((server, by_facts)) = examined(&there(), &json!({})) else { return };
    let detail = by_facts.is("serverTime", CheckStatus::Ok);
    assert!(detail.contains("UTC+05:30"), "{detail}");

    let list = Examined::of(&settings(&server, &json!({"listing": "list"})));
    list.advises("serverTime", CheckStatus::Warning, "serverTimeZone");
    list.advises("serverTime", CheckStatus::Warning, "UTC+05:30");
    assert!(list.finding("listing").advice.as_deref().unwrap().contains("listing to auto"));

    let zoned = json!({"listing": "list", "serverTimeZone": "Asia/Kolkata"});
    Examined::of(&settings(&server, &zoned)).is("serverTime", CheckStatus::Ok);
    let wrong = json!({"listing": "list", "serverTimeZone": "Europe/Berlin"});
    let wrong = Examined::of(&settings(&server, &wrong));
    wrong.advises("serverTime", CheckStatus::Warning, "serverTimeZone");
}

#[test]
fn mlsd_where_there_is_none_names_the_setting() {
    let mlsd = json!({"listing": "mlsd"});
    let Some((_server, examined)) = examined(&Options::new(Flavour::VsFtpd), &mlsd) else {
        return;
    };
    examined.advises("listing", CheckStatus::Failed, "listing");
    examined.is("dataConnection", CheckStatus::Skipped);
    examined.is("restart", CheckStatus::Ok);
}

#[test]
fn a_check_leaves_the_connection_usable() {
    let options =
        Options::new(Flavour::VsFtpd).explicit().tls_versions(TlsVersion::V1_3..=TlsVersion::V1_3);
    let Some(server) = require(&options) else { return };
    fixture(&server.root()).unwrap();
    let bench = Bench::new(server, &json!({}));
    for _ in 0..2 {
        let report = bench.connection.test(MemoryHost::new().context()).unwrap();
        assert!(Examined::from(report).0.is_usable());
    }
    assert_eq!(bench.get(&json!({}), "hello.txt").single().body, b"hello\nworld\n");
}
