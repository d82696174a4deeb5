//! The settings of TLS, as types.

use host_sdk::{Error, Secret, Settings};
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
    /// PEM text.
    pub(crate) authorities: Option<String>,
    pub(crate) fingerprint: Option<[u8; 32]>,
    /// PEM text of the chain, and of the key.
    pub(crate) client: Option<(String, Secret)>,
    pub(crate) protect_data: bool,
    /// Whether the control connection leaves TLS after the login.
    pub(crate) clear_control: bool,
    pub(crate) close_notify: CloseNotify,
}

/// How data connections inside TLS must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CloseNotify {
    /// With close_notify (RFC 8446 §6.1).
    Required,
    /// With it or without, where the server's confirmation and the size agree.
    Lenient,
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
        settings.text("clientCertificate").map(|value| pem("clientCertificate", value));
    let key = settings.secret("clientKey")?;
    let client = match (certificate.transpose()?, key) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
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
        settings.text("caCertificates").map(|value| pem("caCertificates", value)).transpose()?;
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
        client,
        protect_data: settings.text("dataProtection") != Some("clear"),
        clear_control: settings.is("clearControl"),
        close_notify: settings.require("tlsCloseNotify")?,
    })
}

/// PEM text as it is, or the content of the file it names.
fn pem(id: &str, value: &str) -> Result<String, Error> {
    if value.contains("-----BEGIN ") {
        return Ok(value.to_owned());
    }
    std::fs::read_to_string(value)
        .map_err(|e| Error::configuration(id, format!("file {value} cannot be read: {e}")))
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
