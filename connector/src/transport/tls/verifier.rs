//! Who a server has to be: verified by an authority, or by its very certificate.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    verify_tls13_signature_with_raw_key,
};
use rustls::pki_types::{CertificateDer, ServerName, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};

use super::certificate::{self, Weakness};
use super::fingerprint::Fingerprint;
use crate::transport::error::{SelfSigned, WeakCertificate};

/// Decides whether a certificate is the server's.
#[derive(Debug)]
pub(crate) struct Verifier {
    rule: Policy,
    provider: Arc<CryptoProvider>,
    /// The chain refused last, for a report: a handshake that fails leaves none behind.
    refused: Mutex<Option<Vec<CertificateDer<'static>>>>,
    /// Whether it was said that a pinned certificate is not valid now.
    has_warned: AtomicBool,
}

#[derive(Debug)]
enum Policy {
    /// An authority vouches for it, or it is one of those that were given as authorities.
    Authority { verifier: Arc<dyn ServerCertVerifier>, given: Vec<CertificateDer<'static>> },
    /// It is the one with this fingerprint.
    Pinned(Fingerprint),
}

impl Verifier {
    /// Trusts the operating system's authorities and those `given`.
    ///
    /// # Errors
    ///
    /// Authorities that cannot be used.
    pub(crate) fn platform(
        given: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let verifier = rustls_platform_verifier::Verifier::new_with_extra_roots(
            given.clone(),
            Arc::clone(&provider),
        )?;
        Ok(Self::new(Policy::Authority { verifier: Arc::new(verifier), given }, provider))
    }

    /// Trusts `roots`, and `given` among them as certificates of servers too.
    ///
    /// # Errors
    ///
    /// Authorities that cannot be used.
    pub(crate) fn roots(
        roots: RootCertStore,
        given: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|e| Error::General(e.to_string()))?;
        Ok(Self::new(Policy::Authority { verifier, given }, provider))
    }

    /// Trusts the certificate with this fingerprint, and no other: whatever it says of names, dates
    /// and uses.
    pub(crate) fn pinned(fingerprint: Fingerprint, provider: Arc<CryptoProvider>) -> Self {
        Self::new(Policy::Pinned(fingerprint), provider)
    }

    fn new(rule: Policy, provider: Arc<CryptoProvider>) -> Self {
        Self { rule, provider, refused: Mutex::default(), has_warned: AtomicBool::new(false) }
    }

    /// The chain refused last, once.
    pub(crate) fn take_refused(&self) -> Option<Vec<CertificateDer<'static>>> {
        self.refused.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn verify(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.rule {
            Policy::Authority { given, .. } if given.iter().any(|one| one == end_entity) => {
                // A certificate that vouches for itself need not be one of a server's by its kind.
                is_valid(end_entity, now)?;
                if certificate::is_common_name(end_entity, server_name) {
                    return Ok(ServerCertVerified::assertion());
                }
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            Policy::Authority { verifier, .. } => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|e| explained(end_entity, intermediates, e)),
            Policy::Pinned(fingerprint) => {
                if Fingerprint::of(end_entity) != *fingerprint {
                    return Err(Error::InvalidCertificate(
                        CertificateError::ApplicationVerificationFailure,
                    ));
                }
                if let Err(e) = is_valid(end_entity, now)
                    && !self.has_warned.swap(true, Ordering::Relaxed)
                {
                    log::warn!("the pinned certificate is trusted all the same: {e}");
                }
                Ok(ServerCertVerified::assertion())
            }
        }
    }

    /// Whether `certificate` is trusted as such, so that what it says of itself does not matter.
    fn trusts_itself(&self, certificate: &CertificateDer<'_>) -> bool {
        match &self.rule {
            Policy::Authority { given, .. } => given.iter().any(|one| one == certificate),
            Policy::Pinned(_) => true,
        }
    }

    /// What the `verdict` on a signature is, where the certificate is not read by its form: one of
    /// version 1 can be trusted by itself.
    fn by_key(
        &self,
        verdict: Result<HandshakeSignatureValid, Error>,
        certificate: &CertificateDer<'_>,
        check: impl FnOnce(&SubjectPublicKeyInfoDer<'_>) -> Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        let error = match verdict {
            Err(e @ Error::InvalidCertificate(_)) => e,
            other => return other,
        };
        if let Some(weakness) = certificate::weakness(certificate)
            && matches!(weakness, Weakness::ShortKey { .. })
        {
            return Err(weak(weakness));
        }
        match certificate::public_key(certificate) {
            Some(key) if self.trusts_itself(certificate) => check(&key),
            _ => Err(error),
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
        let verdict = self.verify(end_entity, intermediates, server_name, ocsp_response, now);
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
        let verdict = verify_tls12_signature(message, certificate, signature, algorithms);
        self.by_key(verdict, certificate, |key| {
            verify_12_by_key(message, key, signature, algorithms)
        })
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        let verdict = verify_tls13_signature(message, certificate, signature, algorithms);
        self.by_key(verdict, certificate, |key| {
            verify_tls13_signature_with_raw_key(message, key, signature, algorithms)
        })
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn other(reason: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(reason))))
}

fn weak(weakness: Weakness) -> Error {
    other(WeakCertificate(weakness))
}

/// The error of a chain that was turned down with `error`, by what is behind it.
fn explained(
    end_entity: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
    error: Error,
) -> Error {
    if is_self_signed(end_entity, &error) {
        return other(SelfSigned);
    }
    let may_be_weak = matches!(
        &error,
        Error::InvalidCertificate(
            CertificateError::BadSignature
                | CertificateError::UnsupportedSignatureAlgorithmContext { .. }
                | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. }
                | CertificateError::Other(_)
        )
    );
    let mut chain = std::iter::once(end_entity).chain(intermediates);
    match chain.find_map(|one| certificate::weakness(one)).filter(|_| may_be_weak) {
        Some(weakness) => weak(weakness),
        None => error,
    }
}

/// Whether a certificate is valid at `now`.
fn is_valid(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), Error> {
    let Some((from, until)) = certificate::validity(certificate) else { return Ok(()) };
    let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    match now {
        now if now < from => Err(Error::InvalidCertificate(CertificateError::NotValidYet)),
        now if now > until => Err(Error::InvalidCertificate(CertificateError::Expired)),
        _ => Ok(()),
    }
}

/// Verifies a signature of TLS 1.2 by the key alone.
fn verify_12_by_key(
    message: &[u8],
    key: &SubjectPublicKeyInfoDer<'_>,
    signature: &DigitallySignedStruct,
    algorithms: &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error> {
    let bad = Error::InvalidCertificate(CertificateError::BadSignature);
    let Some((algorithm, bits)) = certificate::algorithm_and_bits(key) else { return Err(bad) };
    let fitting = algorithms.mapping.iter().filter(|(scheme, _)| *scheme == signature.scheme);
    let verified = fitting.flat_map(|(_, all)| all.iter()).any(|one| {
        one.public_key_alg_id().as_ref() == algorithm
            && one.verify_signature(bits, message, signature.signature()).is_ok()
    });
    if verified { Ok(HandshakeSignatureValid::assertion()) } else { Err(bad) }
}

/// Whether a certificate that was turned down with `error` names itself as its authority: what
/// most tools make by default is also marked as an authority, which is turned down as such.
fn is_self_signed(certificate: &CertificateDer<'_>, error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
    ) && certificate::issuer_and_subject(certificate)
        .is_some_and(|(issuer, subject)| issuer == subject)
}
