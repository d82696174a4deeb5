//! The settings of TLS, as types.

use host_sdk::{Error, Secret, SecretBytes, Settings};
use serde::Deserialize;

/// How the connection is protected (RFC 4217).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Security {
    /// Not at all.
    None,
    /// By AUTH TLS, before any USER.
    Explicit,
    /// From the first byte.
    Implicit,
}

/// How TLS is done.
#[derive(Debug)]
pub(crate) struct TlsSettings {
    pub(crate) versions: Versions,
    pub(crate) session_reuse: bool,
    pub(crate) trust: Trust,
    /// PEM or DER.
    pub(crate) authorities: Option<Vec<u8>>,
    pub(crate) fingerprint: Option<[u8; 32]>,
    /// The name that the server's certificate has to carry, where that is not the host's.
    pub(crate) server_name: Option<String>,
    pub(crate) client: Option<ClientIdentity>,
    pub(crate) protect_data: bool,
}

/// What this side identifies itself with, as it is kept.
#[derive(Debug)]
pub(crate) struct ClientIdentity {
    /// PEM or DER of the chain, or PKCS#12.
    pub(crate) certificate: Vec<u8>,
    /// PEM, DER or PKCS#12; absent where the certificate's file has it.
    pub(crate) key: Option<SecretBytes>,
    /// What opens an encrypted key.
    pub(crate) password: Option<Secret>,
}

/// Which TLS versions are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Versions {
    /// 1.2 alone.
    Only12,
    /// 1.3 alone.
    Only13,
    /// Both.
    Both,
}

/// Which authorities are trusted besides the configured ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Trust {
    /// The operating system's.
    Platform,
    /// Mozilla's, as bundled.
    Bundled,
    /// None.
    Only,
}

pub(super) fn tls(settings: &Settings) -> Result<TlsSettings, Error> {
    let minimum = settings.text("tlsMinimumVersion").unwrap_or("1.2");
    let maximum = settings.text("tlsMaximumVersion").unwrap_or("1.3");
    let versions = match (minimum, maximum) {
        ("1.2", "1.2") => Versions::Only12,
        ("1.3", "1.3") => Versions::Only13,
        ("1.3", "1.2") => {
            return Err(Error::configuration(
                "tlsMinimumVersion",
                "is higher than tlsMaximumVersion",
            ));
        }
        _ => Versions::Both,
    };
    let certificate =
        settings.text("clientCertificate").map(|value| file("clientCertificate", value));
    let password = settings.secret("clientKeyPassword")?;
    let client = match (certificate.transpose()?, settings.secret_bytes("clientKey")?) {
        (Some(certificate), Some(key)) => {
            Some(ClientIdentity { certificate, key: Some(key), password })
        }
        (Some(certificate), None) if may_hold_key(&certificate) => {
            Some(ClientIdentity { certificate, key: None, password })
        }
        (None, None) => None,
        (Some(_), None) => {
            return Err(Error::configuration("clientKey", "a clientCertificate needs its key"));
        }
        (None, Some(_)) => {
            return Err(Error::configuration(
                "clientCertificate",
                "a clientKey needs its certificate",
            ));
        }
    };
    let trust: Trust = settings.require("trust")?;
    let authorities =
        settings.text("caCertificates").map(|value| file("caCertificates", value)).transpose()?;
    let fingerprint = settings
        .text("certificateFingerprint")
        .map(|text| {
            fingerprint(text).ok_or_else(|| {
                Error::configuration(
                    "certificateFingerprint",
                    "expected 64 hexadecimal digits, with or without colons",
                )
            })
        })
        .transpose()?;
    if trust == Trust::Only && authorities.is_none() && fingerprint.is_none() {
        return Err(Error::configuration(
            "trust",
            "\"only\" needs caCertificates or certificateFingerprint",
        ));
    }
    Ok(TlsSettings {
        versions,
        session_reuse: settings.text("tlsSessionReuse") != Some("off"),
        trust,
        authorities,
        fingerprint,
        server_name: settings.text("tlsServerName").map(str::to_owned),
        client,
        protect_data: settings.text("dataProtection") != Some("clear"),
    })
}

/// PEM text as it is, or the content of the file it names.
fn file(id: &str, value: &str) -> Result<Vec<u8>, Error> {
    if value.contains("-----BEGIN ") {
        return Ok(value.as_bytes().to_vec());
    }
    std::fs::read(value)
        .map_err(|e| Error::configuration(id, format!("file {value} cannot be read: {e}")))
}

/// Whether the file of a certificate may have the key as well: PKCS#12, which is binary as DER is,
/// or PEM with a key in it.
fn may_hold_key(bytes: &[u8]) -> bool {
    const KEY: &[u8] = b"PRIVATE KEY-----";
    const CERTIFICATE_VERSION: [u8; 2] = [0x02, 0x01];
    let is_pem = bytes.windows(KEY.len()).any(|part| part == KEY);
    // The header of the outermost element is two to five bytes long.
    let has_version = (2..=6).any(|at| {
        bytes.first() == Some(&0x30) && bytes.get(at..at + 2) == Some(&CERTIFICATE_VERSION[..])
    });
    is_pem || has_version
}

fn fingerprint(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|c| *c != ':' && !c.is_whitespace())
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
        .collect();
    if digits.len() != 64 {
        return None;
    }
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_reads_with_and_without_colons() {
        let plain = "0123456789abcdef".repeat(4);
        let colons = plain
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).into_owned())
            .collect::<Vec<_>>();
        assert_eq!(fingerprint(&plain), fingerprint(&colons.join(":")));
        assert_eq!(fingerprint(&plain).unwrap()[1], 0x23);
    }
}
