//! What the bytes of a certificate say (RFC 5280 §4.1): names, dates, the key, weaknesses.

use rustls::pki_types::{IpAddr, ServerName, SubjectPublicKeyInfoDer};
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// The shortest RSA key that is trusted, in bits.
const SHORTEST_RSA: usize = 2048;

/// Signatures of SHA-1, of RSA (RFC 8017) and of ECDSA (RFC 5758).
const SHA1_SIGNATURES: [&str; 2] = ["1.2.840.113549.1.1.5", "1.2.840.10045.4.1"];

/// From when to when a certificate is valid, in seconds since 1970.
pub(super) fn validity(certificate: &[u8]) -> Option<(i64, i64)> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    let validity = certificate.validity();
    Some((validity.not_before.timestamp(), validity.not_after.timestamp()))
}

/// Why no up-to-date client trusts a certificate, whoever vouches for it; none where that is not
/// the reason.
pub(super) fn weakness(certificate: &[u8]) -> Option<Weakness> {
    let (_, certificate) = X509Certificate::from_der(certificate).ok()?;
    if let Ok(PublicKey::RSA(key)) = certificate.public_key().parsed()
        && key.key_size() < SHORTEST_RSA
    {
        return Some(Weakness::ShortKey { bits: key.key_size() });
    }
    let algorithm = certificate.signature_algorithm.algorithm.to_id_string();
    SHA1_SIGNATURES.contains(&algorithm.as_str()).then_some(Weakness::Sha1)
}

/// What is too weak about a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Weakness {
    /// Its RSA key is too short.
    #[error("its RSA key has {bits} bits, where {SHORTEST_RSA} are the least that is secure")]
    ShortKey {
        /// How many bits it has.
        bits: usize,
    },
    /// It is signed with SHA-1.
    #[error("it is signed with SHA-1, which can be forged")]
    Sha1,
}

/// Whether a certificate without names of hosts carries `name` as its common name, as certificates
/// did before there were names of hosts (RFC 6125 §6.4.4).
pub(super) fn is_common_name(certificate: &[u8], name: &ServerName<'_>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else {
        return false;
    };
    let has_names = certificate.subject_alternative_name().ok().flatten().is_some_and(|names| {
        names
            .value
            .general_names
            .iter()
            .any(|name| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_)))
    });
    let wanted = match name {
        ServerName::DnsName(name) => name.as_ref().to_owned(),
        ServerName::IpAddress(IpAddr::V4(address)) => {
            std::net::Ipv4Addr::from(*address).to_string()
        }
        ServerName::IpAddress(IpAddr::V6(address)) => {
            std::net::Ipv6Addr::from(*address).to_string()
        }
        _ => return false,
    };
    let mut names = certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok());
    !has_names && names.any(|name| name.eq_ignore_ascii_case(&wanted))
}

/// Issuer and subject, as they are encoded.
pub(super) fn issuer_and_subject(certificate: &[u8]) -> Option<(&[u8], &[u8])> {
    let (issuer, subject, _) = fields(certificate)?;
    Some((issuer, subject))
}

/// The key, with its algorithm.
pub(super) fn public_key(certificate: &[u8]) -> Option<SubjectPublicKeyInfoDer<'_>> {
    let (_, _, behind) = fields(certificate)?;
    let (_, _, rest) = element(behind)?;
    let key = behind.get(..behind.len() - rest.len())?;
    Some(SubjectPublicKeyInfoDer::from(key))
}

/// The algorithm and the bits of a key.
pub(super) fn algorithm_and_bits<'k>(
    key: &'k SubjectPublicKeyInfoDer<'_>,
) -> Option<(&'k [u8], &'k [u8])> {
    let (_, fields, _) = element(key)?;
    let (_, algorithm, rest) = element(fields)?;
    let (_, bits, _) = element(rest)?;
    let (_unused, bits) = bits.split_first()?;
    Some((algorithm, bits))
}

/// Issuer, subject, and what follows them.
fn fields(certificate: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(certificate)?;
    let (_, fields, _) = element(certificate)?;
    let (tag, _, rest) = element(fields)?;
    let serial = if tag == VERSION { rest } else { fields };
    let (_, _, algorithm) = element(serial)?;
    let (_, _, issuer) = element(algorithm)?;
    let (_, issuer, validity) = element(issuer)?;
    let (_, _, subject) = element(validity)?;
    let (_, subject, behind) = element(subject)?;
    Some((issuer, subject, behind))
}

/// Tag and content of the first element of DER, and what follows it.
pub(super) fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
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
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    use super::*;

    #[test]
    fn damaged_certificates_have_no_names() {
        for bytes in [&b""[..], b"\x30", b"\x30\x05\x30", b"\x30\x80", b"\x30\xff\x01"] {
            assert_eq!(issuer_and_subject(bytes), None, "{bytes:?}");
            assert!(public_key(bytes).is_none() && weakness(bytes).is_none(), "{bytes:?}");
        }
        let deep = [[0x30, 0x84, 0xff, 0xff, 0xff, 0xff].as_slice(); 9].concat();
        assert_eq!(issuer_and_subject(&deep), None);
    }

    #[test]
    fn weak_certificates_are_named() {
        let read = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/certificates/");
            CertificateDer::from_pem_file(format!("{folder}{name}")).unwrap()
        };
        let weaknesses = ["rsa-1024.pem", "sha-1.pem", "certificate.pem", "version-1.pem"]
            .map(|name| weakness(&read(name)));
        let short = Weakness::ShortKey { bits: 1024 };
        assert_eq!(weaknesses, [Some(short), Some(Weakness::Sha1), None, None]);
        let local = ServerName::try_from("LOCALHOST").unwrap();
        let carries = ["no-names.pem", "version-1.pem", "certificate.pem", "other-name.pem"]
            .map(|name| is_common_name(&read(name), &local));
        // Where there are names of hosts, the common name is none of them.
        assert_eq!(carries, [true, true, false, false]);
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
