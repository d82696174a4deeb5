//! Who is trusted: every reason not to is told by its name, before any secret was sent, once.

use std::cell::Cell;
use std::io::{Read, Write};
use std::path::Path;
use std::rc::Rc;

use ftp_connector::FtpConnector;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, Error, ErrorKind};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_servers::scripted::{Script, ScriptedServer};
use test_servers::{Certificate, Flavour, Mode, Options, Server, TlsVersion, fixture, require};

use crate::logs;
use crate::quirks;
use crate::support::{Bench, report};

/// Flavours whose log holds every command.
const LOGGING: [Flavour; 3] = [Flavour::VsFtpd, Flavour::ProFtpd, Flavour::PyFtpd];

/// The error of a connection to `server` with `extra` settings, which must not come about: it is
/// `tls`, final, of the first attempt, and no user name reached the server.
#[track_caller]
fn refused(server: Server, extra: &Value) -> (Error, Server) {
    let retries = Rc::new(Cell::new(0));
    let counted = Rc::clone(&retries);
    logs::listen(move |record| {
        counted.set(counted.get() + usize::from(record.message.starts_with("attempt ")));
    });
    let bench = Bench::new(server, extra);
    let listed = bench.list(&json!({}), &json!(null), "");
    let error = listed.outcome.error().expect("no success").clone();
    let what = format!("{} {extra} {error:?}", bench.server.options().name());
    assert_eq!(error.kind(), ErrorKind::Tls, "{what}");
    assert!(!error.is_retryable(), "{what}");
    assert_eq!((error.report().attempts, retries.get()), (1, 0), "{what}");
    for secret in ["USER tester", "PASS ", "s3cret"] {
        assert!(!bench.server.log().contains(secret), "{what}\n{}", bench.server.log());
    }
    (error, bench.into_server())
}

/// The message says `reason` and the hint names `setting`.
#[track_caller]
fn assert_says(error: &Error, reason: &str, setting: &str) {
    assert!(error.message().contains(reason), "{error:?}");
    assert!(error.report().hint.as_deref().is_some_and(|hint| hint.contains(setting)), "{error:?}");
}

/// A connection to `server` works, on the control and the data connection.
#[track_caller]
fn accepted(server: Server, extra: &Value) -> Server {
    if !server.root().join("dir").exists() {
        fixture(&server.root()).unwrap();
    }
    let bench = Bench::new(server, extra);
    assert_eq!(bench.list(&json!({}), &json!(null), "dir").json().len(), 3);
    bench.connection.close().unwrap();
    bench.into_server()
}

/// The fingerprint of a certificate in PEM, as other tools print it.
fn fingerprint(pem: &Path) -> String {
    let certificate = CertificateDer::from_pem_file(pem).unwrap();
    let digest = Sha256::digest(certificate.as_ref());
    digest.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// Every kind of bad certificate against one flavour.
fn certificates(flavour: Flavour, mode: Mode) {
    let start = |certificate| require(&Options::new(flavour).mode(mode).certificate(certificate));
    let Some(server) = start(Certificate::Trusted) else { return };
    let pin = json!({"certificateFingerprint": fingerprint(&server.certificates().server_pem())});
    let server = accepted(server, &pin);
    if LOGGING.contains(&flavour) {
        assert!(server.log().contains("USER tester"), "the log does not hold what is looked for");
    }
    let (error, server) = refused(start(Certificate::Trusted).unwrap(), &pin);
    assert_says(&error, "not the pinned one", "certificateFingerprint");
    drop(server);
    let untrusted = start(Certificate::Trusted).unwrap();
    let authority = std::fs::read_to_string(untrusted.ca_pem()).unwrap();
    let (error, server) =
        refused(start(Certificate::Trusted).unwrap(), &json!({"caCertificates": authority}));
    // All instances' authorities have one name.
    assert_says(&error, "did not sign it", "caCertificates");
    let (error, server) = refused(server, &json!({"trust": "bundled", "caCertificates": ""}));
    assert_says(&error, "unknown authority", "caCertificates");
    drop(server);
    let (error, server) = refused(start(Certificate::Expired).unwrap(), &json!({}));
    assert_says(&error, "expired", "");
    drop(server);
    let (error, server) = refused(start(Certificate::WrongHost).unwrap(), &json!({}));
    assert_says(&error, "another host name", "host");
    drop(server);
    let (error, server) = refused(start(Certificate::SelfSigned).unwrap(), &json!({}));
    assert_says(&error, "self-signed", "certificateFingerprint");
    drop(server);
    report("TRUST", &format!("{flavour}-{mode} expired, host, authority, self-signed, pin"));
}

#[test]
fn vsftpd_explicit_certificates() {
    certificates(Flavour::VsFtpd, Mode::Explicit);
}

#[test]
fn proftpd_implicit_certificates() {
    certificates(Flavour::ProFtpd, Mode::Implicit);
}

#[test]
fn pyftpdlib_explicit_certificates() {
    certificates(Flavour::PyFtpd, Mode::Explicit);
}

#[test]
fn pureftpd_explicit_certificates() {
    certificates(Flavour::PureFtpd, Mode::Explicit);
}

#[test]
fn libunftp_explicit_certificates() {
    certificates(Flavour::LibUnftp, Mode::Explicit);
}

/// A pin identifies a certificate: a missing authority, a date that has passed and another name do
/// not matter.
#[test]
fn a_pinned_certificate_need_not_be_valid() {
    let cases = [
        Certificate::SelfSigned,
        Certificate::Trusted,
        Certificate::Expired,
        Certificate::WrongHost,
    ];
    for certificate in cases {
        let server = require(&Options::new(Flavour::LibUnftp).explicit().certificate(certificate));
        let Some(server) = server else { return };
        let digits = fingerprint(&server.certificates().server_pem());
        let extra = json!({"certificateFingerprint": digits.to_lowercase().replace(':', "")});
        let (_, heard) = logs::heard(|| drop(accepted(server, &extra)));
        let warnings = heard.iter().filter(|it| it.message.contains("the pinned certificate"));
        assert_eq!(warnings.count(), usize::from(certificate == Certificate::Expired));
    }
}

/// The name that a certificate has to carry can be another one than the host's.
#[test]
fn another_name_than_the_hosts_may_be_verified() {
    let options = Options::new(Flavour::LibUnftp).explicit().certificate(Certificate::WrongHost);
    let Some(server) = require(&options) else { return };
    accepted(server, &json!({"tlsServerName": "ftp.invalid"}));
    let Some(server) = require(&Options::new(Flavour::LibUnftp).explicit()) else { return };
    let (error, _server) = refused(server, &json!({"tlsServerName": "ftp.invalid"}));
    assert_says(&error, "another host name", "tlsServerName");
}

/// A server that answers ClientHellos with the bytes of `answers`, one after the other, and counts
/// them.
fn legacy(answers: Vec<Vec<u8>>) -> (u16, std::thread::JoinHandle<usize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = std::thread::spawn(move || {
        let mut count = 0;
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let mut hello = [0; 4096];
            let length = socket.read(&mut hello).unwrap();
            assert_eq!((hello[0], hello[5]), (22, 1), "no ClientHello of {length} bytes");
            socket.write_all(&answer).unwrap();
            let _ = socket.read(&mut hello);
            count += 1;
        }
        count
    });
    (port, served)
}

fn alert(description: u8) -> Vec<u8> {
    vec![21, 3, 3, 0, 2, 2, description]
}

fn server_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let hello = [&version[..], &[9; 32], &[0], &suite, &[0]].concat();
    let message = [&[2, 0, 0, u8::try_from(hello.len()).unwrap()][..], &hello].concat();
    let length = u8::try_from(message.len()).unwrap();
    [&[22, version[0], version[1], 0, length][..], &message].concat()
}

/// Servers that have nothing in common with an up-to-date client: the message says what they have,
/// and what the partner has to change.
#[test]
fn servers_of_the_past_are_told_what_to_change() {
    const HANDSHAKE_FAILURE: u8 = 40;
    const PROTOCOL_VERSION: u8 = 70;
    let cases = [
        (vec![alert(PROTOCOL_VERSION), server_hello([3, 1], [0xc0, 0x14])], "at best TLS 1.0"),
        (vec![alert(PROTOCOL_VERSION), alert(PROTOCOL_VERSION)], "no TLS version from 1.2 on"),
        (
            vec![server_hello([3, 2], [0xc0, 0x14]), server_hello([3, 2], [0xc0, 0x14])],
            "at best TLS 1.1",
        ),
        (
            vec![alert(HANDSHAKE_FAILURE), server_hello([3, 3], [0, 0x35])],
            "only cipher suites with RSA key exchange, such as TLS_RSA_WITH_AES_256_CBC_SHA",
        ),
        (
            vec![alert(HANDSHAKE_FAILURE), server_hello([3, 3], [0xc0, 0x27])],
            "only cipher suites in CBC mode, such as TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
        ),
        (
            vec![alert(HANDSHAKE_FAILURE), alert(HANDSHAKE_FAILURE)],
            "none of the versions and cipher suites that are secure",
        ),
    ];
    for (answers, reason) in cases {
        let expected = answers.len();
        let (port, served) = legacy(answers);
        let settings = json!({
            "host": "localhost", "port": port, "userName": "u", "password": "p",
            "sslMode": "implicit", "trust": "bundled",
        });
        let connection =
            FtpConnector::new().connect(&settings, MemoryHost::new().context()).unwrap();
        let host = MemoryHost::new();
        host.add_request(&[]);
        let operation = connection.operation(&json!({"operation": "list"})).unwrap();
        let error = host.execute(operation.as_ref()).unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Tls, false), "{error:?}");
        assert_says(&error, reason, "the partner has to enable");
        assert_eq!(served.join().unwrap(), expected, "{reason}");
    }
}

#[test]
fn authorities_are_a_file_or_text_and_count_for_every_trust() {
    let Some(server) = require(&Options::new(Flavour::LibUnftp).explicit()) else { return };
    let file = json!(server.ca_pem());
    let text = json!(std::fs::read_to_string(server.ca_pem()).unwrap());
    let mut server = server;
    for authorities in [file, text] {
        for trust in ["only", "bundled", "platform"] {
            let extra = json!({"caCertificates": authorities, "trust": trust});
            server = accepted(server, &extra);
        }
    }
    for trust in ["bundled", "platform"] {
        let extra = json!({"caCertificates": "", "trust": trust});
        let (error, same) = refused(server, &extra);
        server = same;
        assert_says(&error, "unknown authority", "caCertificates");
    }
}

/// A certificate that signed itself can also be trusted as its own authority.
#[test]
fn a_self_signed_certificate_may_be_the_authority() {
    let options = Options::new(Flavour::LibUnftp).explicit().certificate(Certificate::SelfSigned);
    let Some(server) = require(&options) else { return };
    let extra = json!({"caCertificates": server.certificates().server_pem()});
    accepted(server, &extra);
}

#[test]
fn unusable_certificates_and_keys_are_configuration_errors() {
    let Some(server) = require(&Options::new(Flavour::LibUnftp).explicit()) else { return };
    let client = server.certificates();
    let cases = [
        (json!({"caCertificates": "/nonexistent.pem"}), "caCertificates"),
        (json!({"caCertificates": client.server_key()}), "caCertificates"),
        (
            json!({"clientCertificate": client.client_key(), "clientKey": {"file": client.client_key()}}),
            "clientCertificate",
        ),
        (
            json!({"clientCertificate": client.client_pem(), "clientKey": {"file": client.client_pem()}}),
            "clientKey",
        ),
        (
            json!({"clientCertificate": client.client_pem(), "clientKey": {"file": client.untrusted_key()}}),
            "clientCertificate",
        ),
    ];
    for (extra, path) in cases {
        let settings = crate::support::settings(&server, &extra);
        let connected = FtpConnector::new().connect(&settings, MemoryHost::new().context());
        let error = connected.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Configuration, "{error:?}");
        assert_eq!(error.report().path.as_deref(), Some(path), "{error:?}");
    }
}

/// A server that wants a client certificate: with the right one, without one, with an untrusted one.
pub(crate) fn client_certificates(flavour: Flavour, mode: Mode, version: TlsVersion) {
    let options =
        Options::new(flavour).mode(mode).tls_versions(version..=version).client_certificate();
    let Some(server) = require(&options) else { return };
    let files = server.certificates().clone();
    let pair =
        |pem: &Path, key: &Path| json!({"clientCertificate": pem, "clientKey": {"file": key}});
    let (error, server) = refused(server, &json!({}));
    assert_says(&error, "wants a client certificate and none is configured", "clientCertificate");
    let (error, server) = refused(server, &pair(&files.untrusted_pem(), &files.untrusted_key()));
    assert_says(&error, "rejected the client certificate", "clientCertificate");
    let mut known = pair(&files.client_pem(), &files.client_key());
    if quirks::cannot_resume_with_client_certificates(flavour) {
        known["tlsSessionReuse"] = json!("off");
    }
    accepted(server, &known);
    report("TRUST", &format!("{flavour}-{mode} TLS {version:?} client certificates"));
}

#[test]
fn vsftpd_client_certificates() {
    client_certificates(Flavour::VsFtpd, Mode::Explicit, TlsVersion::V1_2);
    client_certificates(Flavour::VsFtpd, Mode::Explicit, TlsVersion::V1_3);
}

#[test]
fn proftpd_client_certificates() {
    client_certificates(Flavour::ProFtpd, Mode::Explicit, TlsVersion::V1_2);
    client_certificates(Flavour::ProFtpd, Mode::Explicit, TlsVersion::V1_3);
}

#[test]
fn pyftpdlib_client_certificates() {
    client_certificates(Flavour::PyFtpd, Mode::Explicit, TlsVersion::V1_2);
    client_certificates(Flavour::PyFtpd, Mode::Implicit, TlsVersion::V1_3);
}

#[test]
fn pureftpd_client_certificates() {
    client_certificates(Flavour::PureFtpd, Mode::Explicit, TlsVersion::V1_2);
    client_certificates(Flavour::PureFtpd, Mode::Explicit, TlsVersion::V1_3);
}

#[test]
fn libunftp_client_certificates() {
    client_certificates(Flavour::LibUnftp, Mode::Explicit, TlsVersion::V1_2);
    client_certificates(Flavour::LibUnftp, Mode::Explicit, TlsVersion::V1_3);
}

#[test]
fn versions_that_do_not_meet_name_their_settings() {
    for flavour in Flavour::ALL {
        let only = |version| Options::new(flavour).explicit().tls_versions(version..=version);
        let Some(server) = require(&only(TlsVersion::V1_2)) else { continue };
        let (error, _server) = refused(server, &json!({"tlsMinimumVersion": "1.3"}));
        assert_says(&error, "", "tlsMinimumVersion");
        let Some(server) = require(&only(TlsVersion::V1_3)) else { continue };
        let (error, _server) = refused(server, &json!({"tlsMaximumVersion": "1.2"}));
        assert_says(&error, "", "tlsMaximumVersion");
    }
}

#[test]
fn a_server_without_tls_gets_no_secret() {
    for flavour in Flavour::ALL {
        for mode in ["explicit", "implicit"] {
            let Some(server) = require(&Options::new(flavour)) else { continue };
            let extra = json!({"sslMode": mode, "trust": "bundled"});
            let (error, _server) = refused(server, &extra);
            assert_says(&error, "", "sslMode");
        }
    }
}

/// The data connection is verified as the control connection is, and the server's reply to being
/// turned away does not hide why.
#[test]
fn an_untrusted_data_connection_is_refused() {
    let script = "< 220 ready\n> AUTH TLS\n< 234 go\ntls\n> PBSZ 0\n< 200 ok\n> PROT P\n< 200 ok\n\
        > USER *\n< 331 password\n> PASS *\n< 230 in\n\
        otherwise FEAT < 502 no\notherwise PWD < 257 \"/\"\notherwise TYPE < 200 ok\n\
        > EPSV\npassive EPSV\n> {list}\n< 150 here\ndata tls untrusted\n< 426 what was that\n";
    let server = ScriptedServer::start(&Script::parse(script).unwrap()).unwrap();
    let settings = json!({
        "host": server.host(), "port": server.port(), "userName": "u", "password": "p",
        "sslMode": "explicit", "trust": "only", "caCertificates": server.ca_pem(),
    });
    let connection = FtpConnector::new().connect(&settings, MemoryHost::new().context()).unwrap();
    let host = MemoryHost::new();
    host.add_request(&[]);
    let operation = connection.operation(&json!({"operation": "list"})).unwrap();
    let error = host.execute(operation.as_ref()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error:?}");
    assert_says(&error, "did not sign it", "caCertificates");
    assert!(!error.is_retryable());
    server.verify();
}
