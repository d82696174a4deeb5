//! What a failed socket, handshake or TLS record means.

use std::io;

use rustls::{AlertDescription, CertificateError};

use crate::failure::{Cause, Failure};
use crate::transport::tls::certificate::Weakness;
use host_sdk::kit::shortage;

/// The error that a failure of the network or of TLS records is.
pub(crate) fn io_error(what: &str, error: &io::Error) -> Failure {
    if let Some(own) = error.get_ref().and_then(|inner| inner.downcast_ref::<Failure>()) {
        return own.clone();
    }
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return record_error(what, tls);
    }
    if let Some(shortage) = shortage::of_files(what, error) {
        return shortage.into();
    }
    match error.kind() {
        io::ErrorKind::UnexpectedEof => Failure::new(
            Cause::Lost,
            format!("{what}: the connection was closed before its proper end"),
        ),
        _ => Failure::new(Cause::Lost, format!("{what} failed: {error}")),
    }
}

/// Whether `error` is a socket's time-out, which systems report in two ways.
pub(crate) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

/// Repeats `read` while a signal interrupts it.
pub(crate) fn retry_interrupted(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}

/// No authority vouches for the certificate, only its own key.
#[derive(Debug, thiserror::Error)]
#[error("self-signed")]
pub(crate) struct SelfSigned;

/// A certificate that is too weak to be trusted.
#[derive(Debug, thiserror::Error)]
#[error("too weak: {0}")]
pub(crate) struct WeakCertificate(pub(crate) Weakness);

/// The error that a failure inside TLS is.
pub(crate) fn tls_error(what: &str, error: &rustls::Error) -> Failure {
    let (reason, hint) = match error {
        rustls::Error::InvalidCertificate(reason) => certificate_reason(reason),
        rustls::Error::AlertReceived(alert) => (
            format!("the server refused TLS with the alert {alert:?}"),
            "ask the partner what the server's log says of it",
        ),
        rustls::Error::PeerIncompatible(_) => (
            format!("the server's TLS does not fit: {error}"),
            "ask the partner to bring the server's TLS up to date",
        ),
        rustls::Error::InvalidMessage(_) => (
            "the server answered with something that is not TLS".to_owned(),
            "check sslMode and port",
        ),
        other => (other.to_string(), "check sslMode and port"),
    };
    Failure::new(Cause::Tls, format!("{what} failed: {reason}")).with_hint(hint)
}

/// The error that a failure inside TLS is once its handshake is over: damage on the way may not
/// happen again, a rejected certificate will.
pub(crate) fn record_error(what: &str, error: &rustls::Error) -> Failure {
    use AlertDescription as Alert;
    let reason = match error {
        rustls::Error::AlertReceived(
            Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::CertificateRequired
            | Alert::UnknownCA
            | Alert::AccessDenied
            | Alert::HandshakeFailure
            | Alert::ProtocolVersion
            | Alert::InsufficientSecurity,
        )
        | rustls::Error::InvalidCertificate(_) => return tls_error(what, error),
        rustls::Error::AlertReceived(alert) => {
            format!("the server broke TLS off with the alert {alert:?}")
        }
        other => format!("what arrived is no TLS, or was damaged on its way ({other})"),
    };
    Failure::new(Cause::Tls, format!("{what} failed: {reason}")).with_transient(true)
}

fn certificate_reason(reason: &CertificateError) -> (String, &'static str) {
    use CertificateError as Bad;
    let (reason, hint) = match reason {
        Bad::Expired | Bad::ExpiredContext { .. } => (
            "the server's certificate has expired",
            "the partner has to renew the certificate: no setting makes up for it",
        ),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            ("the server's certificate is not valid yet", "check this machine's clock")
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => (
            "the server's certificate is for another host name",
            "set host to a name that the certificate carries, or tlsServerName where the host has \
             to stay",
        ),
        Bad::UnknownIssuer => (
            "the server's certificate is from an unknown authority",
            "add the authority to caCertificates, or pin the certificate with \
             certificateFingerprint",
        ),
        Bad::BadSignature => (
            "the server's certificate names a trusted authority that did not sign it",
            "if the authority has a new key, put its new certificate into caCertificates",
        ),
        Bad::Revoked => {
            ("the server's certificate was revoked", "the partner has to replace the certificate")
        }
        Bad::ApplicationVerificationFailure => (
            "the server's certificate is not the pinned one",
            "if the partner renewed it, ask for the new fingerprint and set \
             certificateFingerprint",
        ),
        Bad::Other(other) if other.0.is::<SelfSigned>() => (
            "the server's certificate is self-signed",
            "ask the partner for its fingerprint and set certificateFingerprint",
        ),
        Bad::Other(other) if other.0.is::<WeakCertificate>() => {
            return (
                format!("the server's certificate is {}", other.0),
                "the partner has to replace the certificate by one with an RSA key of 2048 bits or \
                 more, or an elliptic one, signed with SHA-256: no setting makes up for it",
            );
        }
        other => {
            return (
                format!("the server's certificate is unusable: {other}"),
                "the partner has to repair the certificate; until then it can be pinned with \
                 certificateFingerprint",
            );
        }
    };
    (reason.to_owned(), hint)
}
