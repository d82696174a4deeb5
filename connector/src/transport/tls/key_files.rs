//! Certificates and keys as people keep them: PEM, DER and PKCS#12, with a password or without.

use p12_keystore::Pkcs12Archive;
use pkcs8::EncryptedPrivateKeyInfoRef;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

use super::certificate::{element, issuer_and_subject};
use crate::config::ClientIdentity;
use crate::failure::Failure;

/// The tag of an element of DER that holds others: what any certificate and any key begins with.
const SEQUENCE: u8 = 0x30;

/// What OpenSSL writes above a key that is encrypted in its own old way.
const OLD_ENCRYPTION: &[u8] = b"Proc-Type: 4,ENCRYPTED";

/// The certificates in PEM or DER of the setting `id`.
///
/// # Errors
///
/// `configuration` where there is none.
pub(super) fn certificates(
    id: &str,
    bytes: &[u8],
) -> Result<Vec<CertificateDer<'static>>, Failure> {
    if bytes.first() == Some(&SEQUENCE) {
        return match issuer_and_subject(bytes) {
            Some(_) => Ok(vec![CertificateDer::from(bytes.to_vec())]),
            None => Err(Failure::configuration(id, "the file holds no certificate in DER")),
        };
    }
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(bytes).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Failure::configuration(id, "expected certificates in PEM or DER")),
    }
}

/// The chain and the key that this side identifies with.
///
/// # Errors
///
/// `configuration` with the setting that cannot be used.
pub(super) fn chain_and_key(
    identity: &ClientIdentity,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    let password = identity.password.as_ref().map(|password| password.reveal());
    if is_pkcs12(&identity.certificate) {
        if identity.key.is_some() {
            return Err(Failure::configuration(
                "clientKey",
                "is not needed: clientCertificate is a PKCS#12 file, which has a key of its own",
            ));
        }
        return pkcs12(&identity.certificate, password);
    }
    let chain = certificates("clientCertificate", &identity.certificate)?;
    let key = match &identity.key {
        Some(key) => key.reveal(),
        None => &identity.certificate,
    };
    Ok((chain, private_key(key, password)?))
}

/// Whether bytes are a PKCS#12 file: its version 3 comes first (RFC 7292 §4).
fn is_pkcs12(bytes: &[u8]) -> bool {
    bytes.first() == Some(&SEQUENCE)
        && element(bytes).is_some_and(|(_, fields, _)| fields.starts_with(b"\x02\x01\x03"))
}

/// A key in PEM or DER, in the clear or encrypted as PKCS#8 says.
fn private_key(bytes: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, Failure> {
    if bytes.windows(OLD_ENCRYPTION.len()).any(|part| part == OLD_ENCRYPTION) {
        return Err(Failure::configuration(
            "clientKey",
            "the key is encrypted in OpenSSL's old way, which protects it badly",
        )
        .with_hint("convert it: openssl pkcs8 -topk8 -in OLD.pem -out NEW.pem"));
    }
    if is_pkcs12(bytes) {
        return pkcs12(bytes, password).map(|(_, key)| key);
    }
    if bytes.first() == Some(&SEQUENCE) {
        if EncryptedPrivateKeyInfoRef::try_from(bytes).is_ok() {
            return decrypted(bytes, password);
        }
        return PrivateKeyDer::try_from(bytes.to_vec())
            .map_err(|_| Failure::configuration("clientKey", "the file holds no key in DER"));
    }
    if let Some(der) = encrypted_pem(bytes) {
        return decrypted(der.secret_pkcs8_der(), password);
    }
    PrivateKeyDer::from_pem_slice(bytes).map_err(|_| {
        Failure::configuration("clientKey", "expected one private key in PEM, DER or PKCS#12")
    })
}

/// What is between `-----BEGIN ENCRYPTED PRIVATE KEY-----` and its end.
fn encrypted_pem(bytes: &[u8]) -> Option<PrivatePkcs8KeyDer<'static>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (_, behind) = text.split_once("-----BEGIN ENCRYPTED PRIVATE KEY-----")?;
    let (content, _) = behind.split_once("-----END ENCRYPTED PRIVATE KEY-----")?;
    // The armour of a key in the clear is the same but for its label.
    let pem = format!("-----BEGIN PRIVATE KEY-----{content}-----END PRIVATE KEY-----\n");
    PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).ok()
}

fn decrypted(der: &[u8], password: Option<&str>) -> Result<PrivateKeyDer<'static>, Failure> {
    let password = password.ok_or_else(|| password_missing("the key"))?;
    let Ok(encrypted) = EncryptedPrivateKeyInfoRef::try_from(der) else {
        return Err(unknown_encryption());
    };
    let key = encrypted.decrypt(password).map_err(|_| wrong_password("the key"))?;
    Ok(PrivatePkcs8KeyDer::from(key.as_bytes().to_vec()).into())
}

fn unknown_encryption() -> Failure {
    let message = "the key is damaged, or encrypted in a way that is not known here";
    Failure::configuration("clientKey", message).with_hint(
        "encrypt it as PKCS#8 says: openssl pkcs8 -topk8 -v2 aes-256-cbc -in OLD.pem -out NEW.pem",
    )
}

fn password_missing(what: &str) -> Failure {
    Failure::configuration("clientKeyPassword", format!("is needed: {what} is encrypted"))
}

fn wrong_password(what: &str) -> Failure {
    Failure::configuration("clientKeyPassword", format!("does not open {what}"))
}

/// The key of a PKCS#12 file and its certificate, with those that lead to its authority.
fn pkcs12(
    bytes: &[u8],
    password: Option<&str>,
) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), Failure> {
    const FILE: &str = "the PKCS#12 file";
    let archive =
        Pkcs12Archive::from_pkcs12(bytes, password.unwrap_or_default()).map_err(|e| match e {
            p12_keystore::error::Error::MacError(_)
            | p12_keystore::error::Error::Pkcs5Error(_)
            | p12_keystore::error::Error::UnpadError => match password {
                Some(_) => wrong_password(FILE),
                None => password_missing(FILE),
            },
            other => Failure::configuration(
                "clientCertificate",
                format!("the PKCS#12 file cannot be read: {other}"),
            ),
        })?;
    let [bag] = archive.keys.as_slice() else {
        let message = format!("the PKCS#12 file holds {} keys, not one", archive.keys.len());
        return Err(Failure::configuration("clientCertificate", message));
    };
    let is_own =
        |other: &p12_keystore::CertificateBag| match (&bag.local_key_id, &other.local_key_id) {
            (Some(key), Some(certificate)) => key.0 == *certificate,
            _ => false,
        };
    let own = archive.certs.iter().find(|bag| is_own(bag)).or(archive.certs.first());
    let Some(own) = own else {
        let message = "the PKCS#12 file holds no certificate";
        return Err(Failure::configuration("clientCertificate", message));
    };
    let mut chain = vec![own.cert.as_der()];
    while let Some(next) = chain.last().and_then(|last| {
        let (issuer, _) = issuer_and_subject(last)?;
        let issued_by = |other: &&p12_keystore::CertificateBag| {
            issuer_and_subject(other.cert.as_der()).is_some_and(|(_, subject)| subject == issuer)
        };
        archive.certs.iter().find(issued_by).map(|bag| bag.cert.as_der())
    }) {
        if chain.contains(&next) {
            break;
        }
        chain.push(next);
    }
    let chain = chain.into_iter().map(|der| CertificateDer::from(der.to_vec())).collect();
    Ok((chain, PrivatePkcs8KeyDer::from(bag.key.as_der().to_vec()).into()))
}
