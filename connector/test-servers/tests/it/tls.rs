//! The TLS options do what their names say, with every program that knows them.

use rustls::ProtocolVersion;
use test_servers::{Certificate, Flavour, Options, Server, SessionReuse, TlsVersion, require};

use crate::raw::{Raw, tls};

fn explicit() -> impl Iterator<Item = Options> {
    Flavour::ALL.into_iter().map(|flavour| Options::new(flavour).explicit())
}

fn upgraded(
    server: &Server,
    client: Option<(&std::path::Path, &std::path::Path)>,
) -> Result<ProtocolVersion, String> {
    let mut raw = Raw::connect(server.address());
    raw.reply();
    raw.expect("AUTH TLS", 234);
    let version = raw.upgrade(&tls(&server.ca_pem(), client)).map_err(|error| error.to_string())?;
    // With TLS 1.3 a refused client certificate shows only after the handshake.
    raw.try_ask("FEAT").map_err(|error| error.to_string())?;
    Ok(version)
}

#[test]
fn the_version_is_the_one_asked_for() {
    for (version, wire) in
        [(TlsVersion::V1_2, ProtocolVersion::TLSv1_2), (TlsVersion::V1_3, ProtocolVersion::TLSv1_3)]
    {
        for options in explicit() {
            let Some(server) = require(&options.tls_versions(version..=version)) else { return };
            assert_eq!(upgraded(&server, None), Ok(wire), "{}", server.options().name());
        }
    }
}

#[test]
fn bad_certificates_are_refused_by_a_client_that_looks() {
    for (certificate, words) in [
        (Certificate::Expired, "expired"),
        (Certificate::WrongHost, "not valid for name"),
        (Certificate::SelfSigned, "invalid peer certificate"),
    ] {
        for options in explicit() {
            let Some(server) = require(&options.certificate(certificate)) else { return };
            let error = upgraded(&server, None).unwrap_err();
            assert!(error.contains(words), "{}: {error}", server.options().name());
        }
    }
}

#[test]
fn a_client_certificate_is_demanded_and_judged() {
    for options in explicit() {
        let Some(server) = require(&options.client_certificate()) else { return };
        let name = server.options().name();
        let keys = server.certificates();
        let known = (keys.client_pem(), keys.client_key());
        let untrusted = (keys.untrusted_pem(), keys.untrusted_key());
        let outcome = upgraded(&server, Some((&known.0, &known.1)));
        assert!(outcome.is_ok(), "{name}: {outcome:?} {}", server.log());
        assert!(upgraded(&server, None).is_err(), "{name}");
        assert!(upgraded(&server, Some((&untrusted.0, &untrusted.1))).is_err(), "{name}");
    }
}

#[test]
fn session_reuse_is_demanded_where_it_is_required() {
    for flavour in [Flavour::VsFtpd, Flavour::ProFtpd] {
        for reuse in [SessionReuse::Packaged, SessionReuse::Required, SessionReuse::Optional] {
            let options = Options::new(flavour).explicit().session_reuse(reuse);
            let Some(server) = require(&options) else { return };
            let mut raw = Raw::enter(&server, &tls(&server.ca_pem(), None));
            raw.expect("PBSZ 0", 200);
            raw.expect("PROT P", 200);
            // Another configuration knows nothing of the control connection's session.
            let strange = tls(&server.ca_pem(), None);
            let listing = raw.fetch("NLST", Some(&strange));
            assert!(!listing.resumed);
            let accepted = listing.code == 226;
            assert_eq!(accepted, !options.requires_session_reuse(), "{listing:?}");
        }
    }
}

#[test]
fn clear_data_is_refused_unless_permitted() {
    for options in explicit() {
        for permitted in [false, true] {
            let options = if permitted { options.clone().clear_data() } else { options.clone() };
            let Some(server) = require(&options) else { return };
            server.place("a.txt", b"abc").unwrap();
            let mut raw = Raw::enter(&server, &tls(&server.ca_pem(), None));
            raw.ask("PBSZ 0");
            raw.ask("PROT C");
            let name = options.name();
            if permitted {
                let file = raw.fetch("RETR a.txt", None);
                assert_eq!(file.bytes, b"abc", "{name}: {}", file.text);
            } else {
                // libunftp looks at PASV only.
                let refused = raw.ask("PASV").0 >= 400 || raw.ask("RETR a.txt").0 >= 400;
                assert!(refused, "{name}");
            }
        }
    }
}
