//! Real servers that refuse something, and settings that do not fit them.

use host_sdk::{CheckStatus, ErrorKind};
use serde_json::json;
use test_servers::{Certificate, Flavour, Options, TlsVersion, require};

use super::examined::{Examined, examined};
use crate::support::settings;

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
        (Certificate::Expired, "renew the certificate", "expired on 2020-02-01"),
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
