//! Who a server has to be: verified by an authority, or by its very certificate.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};

/// Decides whether a certificate is the server's.
#[derive(Debug)]
pub(crate) struct Verifier {
    rule: Rule,
    provider: Arc<CryptoProvider>,
    /// The chain refused last, for a report: a handshake that fails leaves none behind.
    refused: Mutex<Option<Vec<CertificateDer<'static>>>>,
}

#[derive(Debug)]
enum Rule {
    /// An authority vouches for it.
    Authority(Arc<dyn ServerCertVerifier>),
    /// It is the one with this SHA-256 fingerprint.
    Pinned([u8; 32]),
}

impl Verifier {
    /// Trusts the operating system's authorities and `extra`.
    pub(crate) fn platform(
        extra: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let verifier =
            rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
        Ok(Self::new(Rule::Authority(Arc::new(verifier)), provider))
    }

    /// Trusts `roots`.
    pub(crate) fn roots(
        roots: RootCertStore,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|e| Error::General(e.to_string()))?;
        Ok(Self::new(Rule::Authority(verifier), provider))
    }

    /// Trusts the certificate with this fingerprint, and no other.
    pub(crate) fn pinned(fingerprint: [u8; 32], provider: Arc<CryptoProvider>) -> Self {
        Self::new(Rule::Pinned(fingerprint), provider)
    }

    fn new(rule: Rule, provider: Arc<CryptoProvider>) -> Self {
        Self { rule, provider, refused: Mutex::default() }
    }

    /// The chain refused last, once.
    pub(crate) fn take_refused(&self) -> Option<Vec<CertificateDer<'static>>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn judge(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.rule {
            Rule::Authority(verifier) => verifier.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            Rule::Pinned(fingerprint) => {
                if Sha256::digest(end_entity.as_ref()).as_slice() != fingerprint {
                    return Err(Error::InvalidCertificate(
                        CertificateError::ApplicationVerificationFailure,
                    ));
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verdict = self.judge(end_entity, intermediates, server_name, ocsp_response, now);
        if verdict.is_err() {
            let chain = std::iter::once(end_entity).chain(intermediates);
            let chain = chain.map(|certificate| certificate.clone().into_owned()).collect();
            *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(chain);
        }
        verdict
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
