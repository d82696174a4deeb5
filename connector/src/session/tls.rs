//! TLS for control and data connections (RFC 4217): who is trusted, and how sessions resume.
//!
//! One [`TlsSession`] belongs to one control connection: its data connections resume that
//! session and no other, as servers demand that do not want data connections hijacked.

use std::io::{self, ErrorKind as IoErrorKind};
use std::net::TcpStream;
use std::sync::Arc;

use host_sdk::{Error, ErrorKind};
use rustls::client::{ClientSessionMemoryCache, Resumption};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use super::control::is_timeout;
use super::io_error;
use super::stream::NetStream;
use super::verifier::Verifier;
use crate::config::{TlsSettings, Trust, Versions};
use crate::deadline::Deadline;

/// Session tickets kept for one control connection: a server may hand out several at a time.
const TICKETS: usize = 32;

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
    pub(crate) fn new(settings: &TlsSettings, host: &str) -> Result<Self, Error> {
        let server_name = ServerName::try_from(host.to_owned()).map_err(|_| {
            Error::configuration("host", format!("\"{host}\" is no name that TLS can verify"))
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
        let mut config = config.clone();
        config.resumption = if self.reuse {
            Resumption::store(Arc::new(ClientSessionMemoryCache::new(TICKETS)))
        } else {
            Resumption::disabled()
        };
        TlsSession { config: Arc::new(config), server_name: self.server_name.clone() }
    }
}

/// TLS for one control connection and its data connections.
pub(crate) struct TlsSession {
    config: Arc<ClientConfig>,
    server_name: ServerName<'static>,
}

impl TlsSession {
    /// Performs the handshake over `socket`, whole, by `deadline`.
    ///
    /// # Errors
    ///
    /// `tls` that says what does not fit; `timeout`; `connection` when the server hangs up.
    pub(crate) fn handshake(
        &self,
        socket: TcpStream,
        deadline: Deadline,
        what: &str,
    ) -> Result<NetStream, Error> {
        let mut stream = self.begin(socket)?;
        complete_handshake(&mut stream, deadline, what)?;
        Ok(NetStream::Tls(Box::new(stream)))
    }

    fn begin(&self, socket: TcpStream) -> Result<StreamOwned<ClientConnection, TcpStream>, Error> {
        let connection = ClientConnection::new(Arc::clone(&self.config), self.server_name.clone())
            .map_err(|e| tls_error("TLS", &e))?;
        Ok(StreamOwned::new(connection, socket))
    }
}

/// Whether the TLS beneath `stream` resumed an earlier session.
pub(crate) fn is_resumed(stream: &NetStream) -> bool {
    stream.tls().and_then(|tls| tls.handshake_kind()) == Some(HandshakeKind::Resumed)
}

fn complete_handshake(
    stream: &mut StreamOwned<ClientConnection, TcpStream>,
    deadline: Deadline,
    what: &str,
) -> Result<(), Error> {
    let failed = |e: &io::Error| {
        if is_timeout(e) { deadline.error(what) } else { io_error(what, e) }
    };
    while stream.conn.is_handshaking() {
        let left = deadline.remaining(what)?;
        stream.sock.set_read_timeout(left).map_err(|e| failed(&e))?;
        stream.sock.set_write_timeout(left).map_err(|e| failed(&e))?;
        while stream.conn.wants_write() {
            stream.conn.write_tls(&mut stream.sock).map_err(|e| failed(&e))?;
        }
        if !stream.conn.is_handshaking() {
            break;
        }
        let read = stream.conn.read_tls(&mut stream.sock);
        match read {
            Ok(0) => return Err(io_error(what, &IoErrorKind::UnexpectedEof.into())),
            Ok(_) => {}
            Err(e) if e.kind() == IoErrorKind::Interrupted => continue,
            Err(e) => return Err(failed(&e)),
        }
        if let Err(e) = stream.conn.process_new_packets() {
            // The alert tells the server's log why; whether it arrives changes nothing here.
            let _ = stream.conn.write_tls(&mut stream.sock);
            return Err(tls_error(what, &e));
        }
    }
    while stream.conn.wants_write() {
        stream.conn.write_tls(&mut stream.sock).map_err(|e| failed(&e))?;
    }
    Ok(())
}

/// The error that a failure inside TLS is.
pub(crate) fn tls_error(what: &str, error: &rustls::Error) -> Error {
    use CertificateError as Bad;
    let (reason, hint) = match error {
        rustls::Error::InvalidCertificate(reason) => match reason {
            Bad::Expired | Bad::ExpiredContext { .. } => (
                "the server's certificate has expired".to_owned(),
                "the partner has to renew the certificate",
            ),
            Bad::NotValidYet | Bad::NotValidYetContext { .. } => (
                "the server's certificate is not valid yet".to_owned(),
                "check this machine's clock",
            ),
            Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
                "the server's certificate is for another host name".to_owned(),
                "set host to a name that the certificate carries",
            ),
            Bad::UnknownIssuer => (
                "the server's certificate is from an unknown authority".to_owned(),
                "add the authority to caCertificates, or pin the certificate with \
                 certificateFingerprint",
            ),
            Bad::BadSignature => (
                "the server's certificate is from another authority of the same name".to_owned(),
                "add the authority to caCertificates, or pin the certificate with \
                 certificateFingerprint",
            ),
            Bad::Revoked => (
                "the server's certificate was revoked".to_owned(),
                "the partner has to replace the certificate",
            ),
            Bad::ApplicationVerificationFailure => (
                "the server's certificate is not the pinned one".to_owned(),
                "if the partner renewed it, ask for the new fingerprint and set \
                 certificateFingerprint",
            ),
            other => (
                format!("the server's certificate is unusable: {other}"),
                "the partner has to repair the certificate",
            ),
        },
        rustls::Error::AlertReceived(alert) => (
            format!("the server refused TLS with the alert {alert:?}"),
            "check tlsMinimumVersion, tlsMaximumVersion and, if the server wants one, \
             clientCertificate",
        ),
        rustls::Error::InvalidMessage(_) => (
            "the server answered with something that is not TLS".to_owned(),
            "check sslMode and port",
        ),
        rustls::Error::PeerIncompatible(reason) => (
            format!("the server's TLS does not fit: {reason:?}"),
            "check tlsMinimumVersion and tlsMaximumVersion",
        ),
        other => (other.to_string(), "check sslMode and port"),
    };
    Error::new(ErrorKind::Tls, format!("{what} failed: {reason}")).with_hint(hint)
}

fn provider() -> Arc<CryptoProvider> {
    // Passed explicitly: a process-wide default of the host's is invisible inside a plugin.
    Arc::new(rustls::crypto::ring::default_provider())
}

fn client_config(
    settings: &TlsSettings,
    versions: &[&'static SupportedProtocolVersion],
    verifier: Arc<Verifier>,
) -> Result<ClientConfig, Error> {
    let builder = ClientConfig::builder_with_provider(provider())
        .with_protocol_versions(versions)
        .map_err(|e| Error::internal(format!("TLS versions: {e}")))?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.client {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            let chain = certificates("clientCertificate", chain)?;
            let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes()).map_err(|_| {
                Error::configuration(
                    "clientKey",
                    "expected one private key in PEM, without a password",
                )
            })?;
            builder.with_client_auth_cert(chain, key).map_err(|e| {
                Error::configuration("clientCertificate", format!("does not fit clientKey: {e}"))
            })?
        }
    };
    config.alpn_protocols = vec![PROTOCOL.to_vec()];
    Ok(config)
}

fn verifier(settings: &TlsSettings) -> Result<Arc<Verifier>, Error> {
    let extra = match &settings.authorities {
        Some(pem) => certificates("caCertificates", pem)?,
        None => Vec::new(),
    };
    let verifier = match (settings.fingerprint, settings.trust) {
        (Some(fingerprint), _) => Ok(Verifier::pinned(fingerprint, provider())),
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
        .map_err(|e| Error::configuration("trust", format!("no authority can be used: {e}")))
}

fn add_roots(roots: &mut RootCertStore, extra: Vec<CertificateDer<'static>>) -> Result<(), Error> {
    for certificate in extra {
        roots.add(certificate).map_err(|e| {
            Error::configuration("caCertificates", format!("a certificate cannot be used: {e}"))
        })?;
    }
    Ok(())
}

fn certificates(id: &str, pem: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Error::configuration(id, "expected certificates in PEM")),
    }
}
