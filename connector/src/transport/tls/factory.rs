//! What TLS is done with (RFC 4217): versions, authorities, certificates.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};

use super::handshake::TlsSession;
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
}

impl TlsFactory {
    /// Reads certificates and keys.
    ///
    /// # Errors
    ///
    /// `configuration` with the setting that cannot be used.
    pub(crate) fn new(settings: &TlsSettings, host: &str) -> Result<Self, Failure> {
        let server_name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Failure::configuration("host", format!("\"{host}\" is no name that TLS can verify"))
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
        Ok(Self { config, config_12, server_name, reuse: settings.session_reuse, verifier })
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
        let config = match &self.config_12 {
            Some(config) if prefer_12 => config,
            _ => &self.config,
        };
        TlsSession::new(config.clone(), self.server_name.clone(), self.reuse)
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
        Some((chain, key)) => {
            let chain = certificates("clientCertificate", chain)?;
            let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| {
                Failure::configuration(
                    "clientKey",
                    "expected one private key in PEM, without a password",
                )
            })?;
            builder.with_client_auth_cert(chain, key).map_err(|e| {
                Failure::configuration("clientCertificate", format!("does not fit clientKey: {e}"))
            })?
        }
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn verifier(settings: &TlsSettings) -> Result<Arc<Verifier>, Failure> {
    let extra = match &settings.authorities {
        Some(pem) => certificates("caCertificates", pem)?,
        None => Vec::new(),
    };
    let verifier = match (settings.fingerprint, settings.trust) {
        (Some(fingerprint), _) => Verifier::pinned(fingerprint, provider()),
        (None, Trust::Platform) => Verifier::platform(extra, provider()),
        (None, Trust::Bundled) => {
            let mut roots =
                RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
            add_roots(&mut roots, extra)?;
            Verifier::roots(roots, provider())
        }
        (None, Trust::Only) => {
            let mut roots = RootCertStore::empty();
            add_roots(&mut roots, extra)?;
            Verifier::roots(roots, provider())
        }
    };
    verifier
        .map(Arc::new)
        .map_err(|e| Failure::configuration("trust", format!("no authority can be used: {e}")))
}

fn add_roots(
    roots: &mut RootCertStore,
    extra: Vec<CertificateDer<'static>>,
) -> Result<(), Failure> {
    for certificate in extra {
        roots.add(certificate).map_err(|e| {
            Failure::configuration("caCertificates", format!("a certificate cannot be used: {e}"))
        })?;
    }
    Ok(())
}

fn certificates(id: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, Failure> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Failure::configuration(id, "expected certificates in PEM")),
    }
}
