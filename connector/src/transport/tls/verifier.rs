//! Who a server has to be: verified by an authority, or by its very certificate.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, RootCertStore, SignatureScheme,
};
use sha2::{Digest, Sha256};

use crate::transport::error::SelfSigned;

/// Decides whether a certificate is the server's.
#[derive(Debug)]
pub(crate) struct Verifier {
    rule: Policy,
    provider: Arc<CryptoProvider>,
    /// The chain refused last, for a report: a handshake that fails leaves none behind.
    refused: Mutex<Option<Vec<CertificateDer<'static>>>>,
}

#[derive(Debug)]
enum Policy {
    /// An authority vouches for it.
    Authority(Arc<dyn ServerCertVerifier>),
    /// It is the one with this SHA-256 fingerprint.
    Pinned {
        fingerprint: [u8; 32],
        /// Asked for the dates only: whom it trusts does not matter.
        dates: Arc<WebPkiServerVerifier>,
    },
}

impl Verifier {
    /// Trusts the operating system's authorities and `extra`.
    pub(crate) fn platform(
        extra: Vec<CertificateDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let verifier =
            rustls_platform_verifier::Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
        Ok(Self::new(Policy::Authority(Arc::new(verifier)), provider))
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
        Ok(Self::new(Policy::Authority(verifier), provider))
    }

    /// Trusts the certificate with this fingerprint, and no other: until it expires, and for the
    /// host names that it carries.
    pub(crate) fn pinned(
        fingerprint: [u8; 32],
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, Error> {
        let roots = RootCertStore::from_iter(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let dates =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|e| Error::General(e.to_string()))?;
        Ok(Self::new(Policy::Pinned { fingerprint, dates }, provider))
    }

    fn new(rule: Policy, provider: Arc<CryptoProvider>) -> Self {
        Self { rule, provider, refused: Mutex::default() }
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
            Policy::Authority(verifier) => verifier
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|e| if is_self_signed(end_entity, &e) { self_signed() } else { e }),
            Policy::Pinned { fingerprint, dates } => {
                if Sha256::digest(end_entity.as_ref()).as_slice() != fingerprint {
                    return Err(Error::InvalidCertificate(
                        CertificateError::ApplicationVerificationFailure,
                    ));
                }
                // The dates are checked before anything that a pinned certificate need not have.
                if let Err(e) = dates.verify_server_cert(end_entity, &[], server_name, &[], now)
                    && is_about_dates(&e)
                {
                    return Err(e);
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

fn self_signed() -> Error {
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(SelfSigned))))
}

fn is_about_dates(error: &Error) -> bool {
    use CertificateError::{Expired, ExpiredContext, NotValidYet, NotValidYetContext};
    matches!(
        error,
        Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }
        )
    )
}

/// Whether a certificate that was turned down with `error` names itself as its authority: what
/// most tools make by default is also marked as an authority, which is turned down as such.
fn is_self_signed(certificate: &CertificateDer<'_>, error: &Error) -> bool {
    matches!(
        error,
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::Other(_))
    ) && issuer_and_subject(certificate).is_some_and(|(issuer, subject)| issuer == subject)
}

/// The two names of a certificate (RFC 5280 §4.1), as they are encoded.
fn issuer_and_subject(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, fields, _) = element(certificate)?;
    let (tag, _, rest) = element(fields)?;
    let serial = if tag == VERSION { rest } else { fields };
    let (_, _, algorithm) = element(serial)?;
    let (_, _, issuer) = element(algorithm)?;
    let (_, issuer, validity) = element(issuer)?;
    let (_, _, subject) = element(validity)?;
    let (_, subject, _) = element(subject)?;
    Some((issuer, subject))
}

/// Tag and content of the first element of DER, and what follows it.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    const LONG: u8 = 0x80;
    let (&[tag, first], rest) = der.split_first_chunk()?;
    let (length, rest) = if first < LONG {
        (usize::from(first), rest)
    } else {
        let (digits, rest) = rest.split_at_checked(usize::from(first - LONG))?;
        let length = digits.iter().try_fold(0_usize, |length, digit| {
            length.checked_mul(256)?.checked_add(usize::from(*digit))
        })?;
        (length, rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_certificates_have_no_names() {
        for bytes in [&b""[..], b"\x30", b"\x30\x05\x30", b"\x30\x80", b"\x30\xff\x01"] {
            assert_eq!(issuer_and_subject(bytes), None, "{bytes:?}");
        }
        let deep = [[0x30, 0x84, 0xff, 0xff, 0xff, 0xff].as_slice(); 9].concat();
        assert_eq!(issuer_and_subject(&deep), None);
    }

    #[test]
    fn names_are_found_with_and_without_a_version() {
        let fields = b"\x02\x01\x07\x30\x00\x30\x01i\x30\x00\x30\x01s";
        let with_version = [b"\xa0\x00".as_slice(), fields].concat();
        for fields in [fields.as_slice(), &with_version] {
            let length = u8::try_from(fields.len()).unwrap();
            let certificate = [&[0x30, length + 2, 0x30, length], fields].concat();
            assert_eq!(issuer_and_subject(&certificate), Some((&b"i"[..], &b"s"[..])));
        }
    }
}
