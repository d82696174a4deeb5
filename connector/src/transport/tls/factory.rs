//! What TLS is done with (RFC 4217): versions, authorities, certificates.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::fingerprint::Fingerprint;
use super::handshake::{Offer, TlsSession};
use super::key_files::{certificates, chain_and_key};
use super::probe::Answer;
use super::verifier::Verifier;
use crate::config::{TlsSettings, Trust, Versions};
use crate::failure::Failure;

/// The only protocol that may be negotiated here: an answer meant for another is an attack
/// (ALPACA).
const PROTOCOL: &[u8] = b"ftp";

/// What every TLS session of a connection has in common; made once from the settings.
pub(crate) struct TlsFactory {
    config: ClientConfig,
    config_12: Option<ClientConfig>,
    server_name: ServerName<'static>,
    reuse: bool,
    verifier: Arc<Verifier>,
    versions: Versions,
    mismatch: Arc<AtomicBool>,
    /// What the server would agree to that has nothing in common with this side; asked once.
    pub(crate) agreeable: OnceLock<Option<Answer>>,
}

impl TlsFactory {
    /// Reads certificates and keys.
    ///
    /// # Errors
    ///
    /// `configuration` with the setting that cannot be used.
    pub(crate) fn new(settings: &TlsSettings, host: &str) -> Result<Self, Failure> {
        let (id, name) = match &settings.server_name {
            Some(name) => ("tlsServerName", name.as_str()),
            None => ("host", host),
        };
        let server_name = ServerName::try_from(name.to_owned()).map_err(|_| {
            Failure::configuration(id, format!("\"{name}\" is no name that TLS can verify"))
        })?;
        let verifier = verifier(settings)?;
        let build = |versions: &[&'static SupportedProtocolVersion]| {
            client_config(settings, versions, Arc::clone(&verifier))
        };
        let (config, config_12) = match settings.versions {
            Versions::Only12 => (build(&[&rustls::version::TLS12])?, None),
            Versions::Only13 => (build(&[&rustls::version::TLS13])?, None),
            Versions::Both => (
                build(&[&rustls::version::TLS13, &rustls::version::TLS12])?,
                Some(build(&[&rustls::version::TLS12])?),
            ),
        };
        Ok(Self {
            config,
            config_12,
            server_name,
            reuse: settings.session_reuse,
            verifier,
            versions: settings.versions,
            mismatch: Arc::default(),
            agreeable: OnceLock::new(),
        })
    }

    /// Whether a handshake failed because the two sides have nothing in common, told once.
    pub(crate) fn take_mismatch(&self) -> bool {
        self.mismatch.swap(false, Ordering::Relaxed)
    }

    /// The name that the server's certificate has to carry.
    pub(crate) fn server_name(&self) -> &ServerName<'static> {
        &self.server_name
    }

    /// The certificate chain that was refused last, once.
    pub(crate) fn take_refused_chain(&self) -> Option<Vec<CertificateDer<'static>>> {
        self.verifier.take_refused()
    }

    /// Whether data connections resume the control connection's session.
    pub(crate) fn reuses_sessions(&self) -> bool {
        self.reuse
    }

    /// Whether TLS 1.2 may stand in where TLS 1.3 runs out of tickets.
    pub(crate) fn can_fall_back(&self) -> bool {
        self.config_12.is_some()
    }

    /// The TLS side of a new control connection.
    pub(crate) fn session(&self, prefer_12: bool) -> TlsSession {
        let (config, versions) = match &self.config_12 {
            Some(config) if prefer_12 => (config, Versions::Only12),
            _ => (&self.config, self.versions),
        };
        let offer = Offer { versions, mismatch: Arc::clone(&self.mismatch) };
        TlsSession::new(config.clone(), self.server_name.clone(), self.reuse, offer)
    }
}

fn provider() -> Arc<CryptoProvider> {
    // Passed explicitly: a process-wide default of the host's is invisible inside a plugin.
    Arc::new(rustls::crypto::ring::default_provider())
}

fn client_config(
    settings: &TlsSettings,
    versions: &[&'static SupportedProtocolVersion],
    verifier: Arc<Verifier>,
) -> Result<ClientConfig, Failure> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|e| Failure::internal(format!("TLS versions: {e}")))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.client {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let (chain, key) = chain_and_key(identity)?;
            builder.with_client_auth_cert(chain, key).map_err(|e| {
                Failure::configuration("clientCertificate", format!("does not fit clientKey: {e}"))
            })?
        }
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn verifier(settings: &TlsSettings) -> Result<Arc<Verifier>, Failure> {
    let given = match &settings.authorities {
        Some(bytes) => certificates("caCertificates", bytes)?,
        None => Vec::new(),
    };
    let roots = |mut roots: RootCertStore, given: Vec<CertificateDer<'static>>| {
        add_roots(&mut roots, &given)?;
        Verifier::roots(roots, given, provider()).map_err(no_authority)
    };
    let verifier = match (settings.fingerprint, settings.trust) {
        (Some(bytes), _) => Verifier::pinned(Fingerprint::new(bytes), provider()),
        (None, Trust::Platform) => Verifier::platform(given, provider()).map_err(no_authority)?,
        (None, Trust::Bundled) => {
            let bundled = webpki_roots::TLS_SERVER_ROOTS.iter().cloned();
            roots(RootCertStore::from_iter(bundled), given)?
        }
        (None, Trust::Only) => roots(RootCertStore::empty(), given)?,
    };
    Ok(Arc::new(verifier))
}

fn no_authority(error: rustls::Error) -> Failure {
    Failure::configuration("trust", format!("no authority can be used: {error}"))
}

fn add_roots(roots: &mut RootCertStore, given: &[CertificateDer<'static>]) -> Result<(), Failure> {
    for certificate in given {
        roots.add(certificate.clone()).map_err(|e| {
            Failure::configuration("caCertificates", format!("a certificate cannot be used: {e}"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use host_sdk::Error;
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use rustls::server::{ClientHello, ResolvesServerCert};
    use rustls::sign::CertifiedKey;
    use rustls::{ClientConnection, ServerConfig, ServerConnection};
    use serde_json::{Value, json};

    use super::*;
    use crate::config::ConnectionSettings;

    fn file(name: &str) -> PathBuf {
        [env!("CARGO_MANIFEST_DIR"), "tests/certificates", name].iter().collect()
    }

    fn factory(extra: &Value) -> Result<TlsFactory, Error> {
        let mut settings = json!({"host": "localhost", "sslMode": "explicit"});
        for (id, value) in extra.as_object().unwrap() {
            settings[id] = value.clone();
        }
        let settings = ConnectionSettings::parse(&settings)?;
        TlsFactory::new(&settings.tls, &settings.host).map_err(Error::from)
    }

    /// Shows a certificate whatever it is.
    #[derive(Debug)]
    struct Shown(Arc<CertifiedKey>);

    impl ResolvesServerCert for Shown {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            Some(Arc::clone(&self.0))
        }
    }

    /// What a handshake with a server comes to that shows `certificate`.
    fn handshake(
        factory: &TlsFactory,
        certificate: &str,
        version: &'static SupportedProtocolVersion,
    ) -> Result<(), rustls::Error> {
        let chain = vec![CertificateDer::from_pem_file(file(certificate)).unwrap()];
        let key = PrivateKeyDer::from_pem_file(file("key.pem")).unwrap();
        let key = rustls::crypto::ring::sign::any_supported_type(&key).unwrap();
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(Shown(Arc::new(CertifiedKey::new(chain, key)))));
        let mut server = ServerConnection::new(Arc::new(config)).unwrap();
        let client = Arc::new(factory.config.clone());
        let mut client = ClientConnection::new(client, factory.server_name.clone()).unwrap();
        let mut bytes = Vec::new();
        for _ in 0..10 {
            while client.wants_write() {
                client.write_tls(&mut bytes).unwrap();
            }
            server.read_tls(&mut bytes.as_slice()).unwrap();
            bytes.clear();
            server.process_new_packets()?;
            while server.wants_write() {
                server.write_tls(&mut bytes).unwrap();
            }
            client.read_tls(&mut bytes.as_slice()).unwrap();
            bytes.clear();
            client.process_new_packets()?;
        }
        assert!(!client.is_handshaking());
        Ok(())
    }

    const VERSIONS: [&SupportedProtocolVersion; 2] =
        [&rustls::version::TLS12, &rustls::version::TLS13];

    fn fingerprint(certificate: &str) -> String {
        let certificate = CertificateDer::from_pem_file(file(certificate)).unwrap();
        Fingerprint::of(&certificate).to_string()
    }

    #[test]
    fn a_pin_identifies_a_certificate_whatever_it_says_of_itself() {
        for certificate in ["certificate.pem", "version-1.pem", "other-name.pem", "sha-1.pem"] {
            let pinned =
                factory(&json!({"certificateFingerprint": fingerprint(certificate)})).unwrap();
            for version in VERSIONS {
                handshake(&pinned, certificate, version)
                    .unwrap_or_else(|e| panic!("{certificate} {version:?}: {e}"));
                let other = if certificate == "sha-1.pem" { "version-1.pem" } else { "sha-1.pem" };
                handshake(&pinned, other, version).unwrap_err();
            }
        }
    }

    #[test]
    fn a_certificate_that_is_given_itself_is_trusted() {
        for trust in ["only", "bundled", "platform"] {
            for certificate in ["certificate.pem", "no-names.pem", "version-1.pem"] {
                let given =
                    factory(&json!({"caCertificates": file(certificate), "trust": trust})).unwrap();
                for version in VERSIONS {
                    handshake(&given, certificate, version)
                        .unwrap_or_else(|e| panic!("{certificate} {trust} {version:?}: {e}"));
                }
                handshake(&given, "other-name.pem", VERSIONS[0]).unwrap_err();
            }
        }
        let der = factory(&json!({"caCertificates": file("certificate.der")})).unwrap();
        handshake(&der, "certificate.pem", VERSIONS[1]).unwrap();
    }

    #[test]
    fn another_name_may_be_checked() {
        let given = json!({"caCertificates": file("other-name.pem")});
        let error = handshake(&factory(&given).unwrap(), "other-name.pem", VERSIONS[0]);
        assert!(error.unwrap_err().to_string().contains("not valid for name"));
        let mut named = given.clone();
        named["tlsServerName"] = json!("other.example");
        handshake(&factory(&named).unwrap(), "other-name.pem", VERSIONS[0]).unwrap();
        let error = factory(&json!({"tlsServerName": "no name"})).err().unwrap();
        assert_eq!(error.report().path.as_deref(), Some("tlsServerName"));
    }

    #[test]
    fn identities_are_read_in_every_form() {
        let key = |name: &str| json!({"file": file(name)});
        let pair = |certificate: &str, name: &str| json!({"clientCertificate": file(certificate), "clientKey": key(name)});
        let alone = |name: &str| json!({"clientCertificate": file(name)});
        let with_password = |mut extra: Value, password: &str| {
            extra["clientKeyPassword"] = json!(password);
            extra
        };
        for extra in [
            pair("certificate.pem", "key.pem"),
            pair("certificate.der", "key.der"),
            alone("both.pem"),
            with_password(pair("certificate.pem", "key.pem"), "not needed"),
            with_password(pair("certificate.pem", "key-encrypted.pem"), "secret"),
            with_password(pair("certificate.pem", "key-encrypted.der"), "secret"),
            with_password(pair("certificate.der", "key-encrypted-3des.pem"), "secret"),
            with_password(alone("identity.p12"), "secret"),
            with_password(alone("identity-legacy.p12"), "secret"),
            with_password(pair("certificate.pem", "identity.p12"), "secret"),
            alone("identity-no-password.p12"),
        ] {
            let made = factory(&extra).unwrap_or_else(|e| panic!("{extra}: {e:?}"));
            assert!(made.config.client_auth_cert_resolver.has_certs(), "{extra}");
        }
        for (extra, path, reason) in [
            (
                with_password(pair("certificate.pem", "key-encrypted.pem"), "wrong"),
                "clientKeyPassword",
                "does not open the key",
            ),
            (pair("certificate.pem", "key-encrypted.pem"), "clientKeyPassword", "is needed"),
            (pair("certificate.pem", "key-encrypted.der"), "clientKeyPassword", "is needed"),
            (
                with_password(alone("identity.p12"), "wrong"),
                "clientKeyPassword",
                "does not open the PKCS#12 file",
            ),
            (alone("identity.p12"), "clientKeyPassword", "is needed"),
            (alone("identity-legacy.p12"), "clientKeyPassword", "is needed"),
            (with_password(alone("no-key.p12"), "secret"), "clientCertificate", "holds 0 keys"),
            (
                with_password(pair("certificate.pem", "key-old.pem"), "secret"),
                "clientKey",
                "OpenSSL's old way",
            ),
            (
                with_password(pair("certificate.pem", "key-encrypted-pbes1.pem"), "secret"),
                "clientKey",
                "not known here",
            ),
            (
                pair("certificate.pem", "other-key.pem"),
                "clientCertificate",
                "does not fit clientKey",
            ),
            (pair("certificate.der", "certificate.der"), "clientKey", "holds no key"),
            (
                with_password(pair("identity.p12", "key.pem"), "secret"),
                "clientKey",
                "is not needed",
            ),
            (alone("certificate.pem"), "clientKey", "needs its key"),
        ] {
            let error = factory(&extra).err().unwrap_or_else(|| panic!("{extra}"));
            assert_eq!(error.report().path.as_deref(), Some(path), "{extra}: {error:?}");
            assert!(error.message().contains(reason), "{extra}: {error:?}");
            assert!(!format!("{error:?}").contains("secret\""), "{error:?}");
        }
    }
}
