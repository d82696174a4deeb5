//! The connection test: what it finds on real servers, and what it advises when something is
//! wrong.

use ftp_connector::FtpConnector;
use host_sdk::conformance::MemoryHost;
use host_sdk::{CheckReport, CheckStatus, Connector, Error, ErrorKind, Finding};
use serde_json::{Value, json};
use test_servers::scripted::{Script, ScriptedServer};
use test_servers::{Certificate, Flavour, Mode, Options, Server, TlsVersion, fixture, require};

use crate::support::{Bench, settings};

/// Every line of a report whose TLS is not implicit.
const LINES: [&str; 14] = [
    "dns",
    "tcp",
    "greeting",
    "tls",
    "certificate",
    "login",
    "features",
    "remoteDirectory",
    "dataConnection",
    "sessionReuse",
    "listing",
    "serverTime",
    "restart",
    "verdict",
];

/// A report, easy to ask.
struct Examined(CheckReport);

impl Examined {
    fn of(settings: &Value) -> Self {
        let host = MemoryHost::new();
        let connection = FtpConnector::new().connect(settings, host.context()).unwrap();
        Self::from(connection.test(host.context()).unwrap())
    }

    fn from(report: CheckReport) -> Self {
        let mut names: Vec<&str> = report.findings.iter().map(|it| it.name.as_str()).collect();
        let mut expected = LINES.to_vec();
        let told = names.clone();
        names.sort_unstable();
        expected.sort_unstable();
        assert_eq!(names, expected, "{told:?}");
        for finding in &report.findings {
            let wants_advice = matches!(finding.status, CheckStatus::Warning | CheckStatus::Failed);
            assert!(finding.advice.is_some() >= wants_advice, "{finding:?}");
        }
        Self(report)
    }

    #[track_caller]
    fn finding(&self, name: &str) -> &Finding {
        self.0.findings.iter().find(|finding| finding.name == name).unwrap()
    }

    /// Asserts how `name` ended: the finding's detail.
    #[track_caller]
    fn is(&self, name: &str, status: CheckStatus) -> &str {
        let finding = self.finding(name);
        assert_eq!(finding.status, status, "{}", self.text());
        &finding.detail
    }

    /// Asserts that `name` failed or was warned of, with advice that names `setting`.
    #[track_caller]
    fn advises(&self, name: &str, status: CheckStatus, setting: &str) {
        self.is(name, status);
        let advice = self.finding(name).advice.as_deref().unwrap();
        assert!(advice.contains(setting), "{name} does not name {setting}:\n{}", self.text());
    }

    /// Asserts that `name` failed with advice that names `setting`, that the lines from `next` to
    /// the verdict were skipped, and that the error is the report's.
    #[track_caller]
    fn ends_at(&self, name: &str, setting: &str, next: &str) -> &Error {
        self.advises(name, CheckStatus::Failed, setting);
        self.advises("verdict", CheckStatus::Failed, setting);
        let (_, rest) = LINES.split_at(LINES.iter().position(|line| *line == next).unwrap());
        for later in rest.iter().filter(|line| **line != "verdict") {
            let detail = self.is(later, CheckStatus::Skipped);
            assert!(!detail.is_empty());
        }
        assert!(!self.0.is_usable());
        let error = self.0.error.as_ref().unwrap();
        assert_eq!(error.message(), self.finding(name).detail);
        error
    }

    /// The report as a person reads it.
    fn text(&self) -> String {
        let mut text = String::new();
        for finding in &self.0.findings {
            let status = format!("{:?}", finding.status).to_lowercase();
            text.push_str(&format!(
                "{:<15} {status:<7} {:>5} ms  {}\n",
                finding.name, finding.milliseconds, finding.detail
            ));
            if let Some(advice) = &finding.advice {
                text.push_str(&format!("{:<33}{advice}\n", ""));
            }
        }
        text
    }
}

/// A server with the usual files, and its report.
fn examined(options: &Options, extra: &Value) -> Option<(Server, Examined)> {
    let server = require(options)?;
    fixture(&server.root()).unwrap();
    let examined = Examined::of(&settings(&server, extra));
    Some((server, examined))
}

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
    let by_list = flavour == Flavour::VsFtpd || extra["listing"] == "list" || !has_mlsd(flavour);
    let kind = if by_list { "LIST in Unix format" } else { "MLSD" };
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

fn has_mlsd(flavour: Flavour) -> bool {
    flavour != Flavour::VsFtpd
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
fn an_unknown_host_ends_at_the_look_up() {
    let examined = Examined::of(&json!({"host": "no-such-host.invalid"}));
    let error = examined.ends_at("dns", "host", "tcp");
    assert_eq!(error.kind(), ErrorKind::Connection);
}

#[test]
fn a_closed_port_ends_at_the_connection() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let examined = Examined::of(&json!({"host": "127.0.0.1", "port": port}));
    examined.is("dns", CheckStatus::Ok);
    let error = examined.ends_at("tcp", "port", "greeting");
    assert_eq!(error.report().attempts, 1);
}

#[test]
fn a_wrong_password_is_sent_once() {
    let options = Options::new(Flavour::VsFtpd);
    let Some((server, examined)) = examined(&options, &json!({"password": "wrong"})) else {
        return;
    };
    let error = examined.ends_at("login", "password", "features");
    assert_eq!(error.kind(), ErrorKind::Authentication);
    assert_eq!(server.log().matches("FTP command: Client \"127.0.0.1\", \"PASS").count(), 1);
}

#[test]
fn a_server_that_demands_tls_is_told_from_a_wrong_user() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PureFtpd, Flavour::PyFtpd] {
        let Some(server) = require(&Options::new(flavour).explicit()) else { continue };
        let examined = Examined::of(&settings(&server, &json!({"sslMode": "none"})));
        examined.ends_at("login", "sslMode to explicit", "features");
    }
}

#[test]
fn a_server_without_tls_ends_at_tls() {
    let Some(server) = require(&Options::new(Flavour::LibUnftp)) else { return };
    let examined = Examined::of(&settings(&server, &json!({"sslMode": "explicit"})));
    let error = examined.ends_at("tls", "sslMode", "certificate");
    assert_eq!(error.kind(), ErrorKind::Tls);
    let examined = Examined::of(&settings(&server, &json!({"sslMode": "implicit"})));
    examined.advises("tls", CheckStatus::Failed, "sslMode");
    examined.is("greeting", CheckStatus::Skipped);
    assert_eq!(examined.0.error.as_ref().unwrap().kind(), ErrorKind::Tls);
}

#[test]
fn certificates_that_are_refused_are_shown() {
    let pin = "set certificateFingerprint to ";
    let cases = [
        (Certificate::Expired, pin, "expired on 2020-02-01"),
        (Certificate::SelfSigned, pin, "CN=localhost issued by CN=localhost"),
        (Certificate::WrongHost, "set host", "for ftp.invalid"),
    ];
    for (certificate, setting, words) in cases {
        let options = Options::new(Flavour::LibUnftp).explicit().certificate(certificate);
        let Some((_server, examined)) = examined(&options, &json!({})) else { return };
        let error = examined.ends_at("tls", setting, "login");
        assert_eq!(error.kind(), ErrorKind::Tls);
        let detail = examined.is("certificate", CheckStatus::Failed);
        assert!(detail.contains(words), "{detail}");
        examined.advises("certificate", CheckStatus::Failed, setting);
    }
}

#[test]
fn an_unknown_authority_can_be_added_or_pinned() {
    let options = Options::new(Flavour::LibUnftp).explicit();
    let Some(server) = require(&options) else { return };
    let strange = Options::new(Flavour::LibUnftp).explicit();
    let Some(other) = require(&strange) else { return };
    let examined = Examined::of(&settings(&server, &json!({"caCertificates": other.ca_pem()})));
    examined.ends_at("tls", "caCertificates", "login");
    examined.advises("certificate", CheckStatus::Failed, "CN=test CA");

    let advice = examined.finding("certificate").advice.as_deref().unwrap();
    let (_, after) = advice.split_once("certificateFingerprint to ").unwrap();
    let fingerprint = after.split(',').next().unwrap();
    let extra = json!({"certificateFingerprint": fingerprint, "caCertificates": other.ca_pem()});
    let examined = Examined::of(&settings(&server, &extra));
    assert!(examined.0.is_usable(), "{}", examined.text());
}

#[test]
fn a_pinned_certificate_that_expired_is_a_reservation() {
    let options = Options::new(Flavour::LibUnftp).explicit().certificate(Certificate::Expired);
    let Some((server, refused)) = examined(&options, &json!({})) else { return };
    let advice = refused.finding("certificate").advice.as_deref().unwrap();
    let (_, after) = advice.split_once("certificateFingerprint to ").unwrap();
    let extra = json!({"certificateFingerprint": after.split(',').next().unwrap()});
    let examined = Examined::of(&settings(&server, &extra));
    examined.advises("certificate", CheckStatus::Warning, "certificateFingerprint");
    examined.advises("verdict", CheckStatus::Warning, "certificateFingerprint");
    assert!(examined.0.is_usable());
}

#[test]
fn a_missing_client_certificate_is_about_tls() {
    for version in [TlsVersion::V1_2, TlsVersion::V1_3] {
        let options = Options::new(Flavour::PyFtpd)
            .explicit()
            .client_certificate()
            .tls_versions(version..=version);
        let Some((_server, examined)) = examined(&options, &json!({})) else { return };
        examined.ends_at("tls", "clientCertificate", "login");
    }
}

#[test]
fn a_server_that_demands_session_reuse_names_the_setting() {
    let reuse_off = json!({"tlsSessionReuse": "off"});
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd] {
        let Some((_server, examined)) = examined(&Options::new(flavour).explicit(), &reuse_off)
        else {
            continue;
        };
        examined.advises("dataConnection", CheckStatus::Failed, "tlsSessionReuse");
        // TLS 1.3 lets this side finish its handshake before the server objects.
        assert_ne!(examined.finding("sessionReuse").status, CheckStatus::Ok);
        examined.is("listing", CheckStatus::Skipped);
        examined.is("restart", CheckStatus::Ok);
    }
    let options = Options::new(Flavour::LibUnftp).explicit();
    let Some((_server, examined)) = examined(&options, &reuse_off) else { return };
    examined.advises("sessionReuse", CheckStatus::Warning, "tlsSessionReuse");
}

#[test]
fn a_server_that_resumes_no_tls_13_session_resumes_one_of_12() {
    let options = Options::new(Flavour::PureFtpd).explicit();
    let Some((server, examined)) = examined(&options, &json!({})) else { return };
    examined.advises("sessionReuse", CheckStatus::Warning, "tlsMaximumVersion 1.2");
    let advised = Examined::of(&settings(&server, &json!({"tlsMaximumVersion": "1.2"})));
    advised.is("sessionReuse", CheckStatus::Ok);
    advised.is("verdict", CheckStatus::Ok);
}

#[test]
fn data_in_clear_that_is_refused_names_the_setting() {
    let options = Options::new(Flavour::ProFtpd).explicit();
    let in_clear = json!({"dataProtection": "clear"});
    let Some((_server, examined)) = examined(&options, &in_clear) else { return };
    let failed = examined.0.findings.iter().find(|it| it.status == CheckStatus::Failed).unwrap();
    assert!(failed.advice.as_deref().unwrap().contains("dataProtection"), "{}", examined.text());
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
