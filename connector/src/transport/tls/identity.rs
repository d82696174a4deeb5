//! Who this side is: the client certificate, and whether the server asked for one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

use crate::failure::{Cause, Failure};

/// Shows the configured client certificate and notes that it was asked for. A server that does
/// not accept what it gets often just hangs up: this is what tells that from a broken network.
#[derive(Debug)]
pub(crate) struct ClientCertificate {
    certificate: Arc<dyn ResolvesClientCert>,
    asked: AtomicBool,
}

impl ClientCertificate {
    /// Shows what `certificate` chooses.
    pub(crate) fn new(certificate: Arc<dyn ResolvesClientCert>) -> Arc<Self> {
        Arc::new(Self { certificate, asked: AtomicBool::new(false) })
    }

    /// Whether the server has asked for it.
    pub(crate) fn was_asked(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }

    /// The failure behind `error`, which ended the connection before the server's first word
    /// inside TLS: if it wants to know who this side is, it did not like the answer.
    pub(crate) fn explain_rejection(&self, what: &str, error: Failure) -> Failure {
        let hung_up = matches!(error.cause(), Cause::Lost | Cause::Tls) && !error.is_answer();
        if !hung_up || !self.was_asked() {
            return error;
        }
        let (reason, hint) = if self.certificate.has_certs() {
            (
                "the server rejected the client certificate",
                "check clientCertificate and clientKey: the partner has to know the certificate \
                 or its authority",
            )
        } else {
            (
                "the server wants a client certificate and none is configured",
                "set clientCertificate and clientKey",
            )
        };
        Failure::new(Cause::Tls, format!("{what} failed: {reason} ({error})")).with_hint(hint)
    }
}

impl ResolvesClientCert for ClientCertificate {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.asked.store(true, Ordering::Relaxed);
        self.certificate.resolve(issuers, schemes)
    }

    fn only_raw_public_keys(&self) -> bool {
        self.certificate.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.certificate.has_certs()
    }
}
