//! What a server's certificate says about itself.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer, X509Certificate, X509Name};

use super::report::CheckResult;
use crate::failure::Failure;
use crate::transport::tls::fingerprint::Fingerprint;
use host_sdk::kit::text::printable;

/// From how many days before its end on a certificate is worth a warning.
const SOON: i64 = 30;

/// How many host names a finding lists.
const NAMES: usize = 6;

/// A chain as the server sent it, its own certificate first.
pub(super) struct Chain {
    subject: String,
    issuer: String,
    /// The subjects of the certificates behind the server's own.
    above: Vec<String>,
    names: Vec<String>,
    fits_host: bool,
    valid_from: Timestamp,
    /// The earliest end of all certificates in the chain.
    valid_until: Timestamp,
    fingerprint: Fingerprint,
}

impl Chain {
    /// Reads the certificates; none where the first one cannot be read.
    pub(super) fn read(certificates: &[CertificateDer<'_>], host: &str) -> Option<Self> {
        let (first, others) = certificates.split_first()?;
        let (_, own) = X509Certificate::from_der(first).ok()?;
        let mut valid_until = instant(own.validity().not_after.timestamp())?;
        let mut above = Vec::new();
        for certificate in others {
            let Ok((_, issuer)) = X509Certificate::from_der(certificate) else { continue };
            above.push(name(issuer.subject()));
            let end = instant(issuer.validity().not_after.timestamp());
            valid_until = end.map_or(valid_until, |end| end.min(valid_until));
        }
        Some(Self {
            subject: name(own.subject()),
            issuer: name(own.issuer()),
            above,
            names: host_names(&own),
            fits_host: fits(first, host),
            valid_from: instant(own.validity().not_before.timestamp())?,
            valid_until,
            fingerprint: Fingerprint::of(first),
        })
    }

    /// The finding for a certificate that was accepted.
    pub(super) fn accepted(&self, now: Timestamp, is_pinned: bool) -> CheckResult {
        let detail = self.detail(now);
        let days = self.days_left(now);
        if days >= SOON {
            return CheckResult::ok(detail);
        }
        let advice = if is_pinned {
            "have the partner renew the certificate, then set certificateFingerprint to the new one's"
        } else {
            "have the partner renew the certificate in time, and add its authority to \
             caCertificates if that changes"
        };
        CheckResult::warning(detail, advice)
    }

    /// The finding for a certificate that was refused with `error`.
    pub(super) fn refused(&self, now: Timestamp, is_pinned: bool, error: &Failure) -> CheckResult {
        CheckResult::failed(self.detail(now), self.advice(now, is_pinned, error))
    }

    fn advice(&self, now: Timestamp, is_pinned: bool, error: &Failure) -> String {
        let pin = format!(
            "set certificateFingerprint to {}, once the partner has confirmed it",
            self.fingerprint
        );
        if is_pinned {
            return format!("if the partner renewed the certificate, {pin}");
        }
        if self.valid_until < now {
            return "have the partner renew the certificate: no setting makes up for it".to_owned();
        }
        if !self.fits_host {
            return match self.names.first() {
                Some(first) => format!(
                    "set host to a name of the certificate, such as {first}, or tlsServerName where \
                     the host has to stay"
                ),
                None => format!("the certificate names no host: {pin}"),
            };
        }
        if self.valid_from > now {
            return format!("check this machine's clock; if it is right, {pin}");
        }
        match error.hint() {
            // Nobody vouches for a self-signed one: there is no authority to add.
            Some(hint) if hint.contains("its fingerprint") => pin,
            Some(hint) if !hint.contains("caCertificates") => hint.to_owned(),
            _ => format!("add the authority {} to caCertificates, or {pin}", self.authority()),
        }
    }

    /// Who would have to be trusted: the issuer of the last certificate that was sent.
    fn authority(&self) -> &str {
        self.above.last().unwrap_or(&self.issuer)
    }

    fn detail(&self, now: Timestamp) -> String {
        let mut text = format!("{} issued by {}", self.subject, self.issuer);
        if !self.above.is_empty() {
            text.push_str(&format!(", sent with {}", self.above.join(" and ")));
        }
        if !self.names.is_empty() {
            let more = self.names.len().saturating_sub(NAMES);
            let shown: Vec<&str> = self.names.iter().take(NAMES).map(String::as_str).collect();
            text.push_str(&format!(", for {}", shown.join(", ")));
            if more > 0 {
                text.push_str(&format!(" and {more} more"));
            }
        }
        let day = |at: Timestamp| at.to_zoned(TimeZone::UTC).date();
        let days = self.days_left(now);
        let until = day(self.valid_until);
        let span = if self.valid_from > now {
            format!("valid only from {} on", day(self.valid_from))
        } else if self.valid_until < now {
            format!("expired on {until}, {} days ago", -days)
        } else {
            format!("valid until {until}, {days} days left")
        };
        text.push_str(&format!("; {span}"));
        text
    }

    fn days_left(&self, now: Timestamp) -> i64 {
        self.valid_until.duration_since(now).as_hours().div_euclid(24)
    }
}

fn instant(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(seconds).ok()
}

/// A name without what a terminal would take for a command.
fn name(name: &X509Name<'_>) -> String {
    let text = printable(&name.to_string());
    if text.is_empty() { "a certificate without a name".to_owned() } else { text }
}

fn host_names(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(names)) = certificate.subject_alternative_name() else { return Vec::new() };
    let names = names.value.general_names.iter();
    names
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(printable(name)),
            GeneralName::IPAddress(bytes) => address(bytes),
            _ => None,
        })
        .collect()
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(bytes) = <[u8; 4]>::try_from(bytes) {
        return Some(std::net::Ipv4Addr::from(bytes).to_string());
    }
    let bytes = <[u8; 16]>::try_from(bytes).ok()?;
    Some(std::net::Ipv6Addr::from(bytes).to_string())
}

fn fits(certificate: &CertificateDer<'_>, host: &str) -> bool {
    let Ok(host) = ServerName::try_from(host) else { return false };
    ParsedCertificate::try_from(certificate)
        .is_ok_and(|certificate| verify_server_name(&certificate, &host).is_ok())
}

#[cfg(test)]
mod tests {
    use host_sdk::CheckStatus;
    use rustls::pki_types::pem::PemObject;
    use test_servers::{Certificate, Certificates};

    use super::*;
    use crate::failure::Cause;

    fn chain(shown: Certificate, host: &str) -> Chain {
        let directory = tempfile::tempdir().unwrap();
        let made = Certificates::write(directory.path(), shown).unwrap();
        let certificate = CertificateDer::from_pem_file(made.server_pem()).unwrap();
        Chain::read(&[certificate], host).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn the_days_left_decide_about_a_warning() {
        let chain = chain(Certificate::Trusted, "localhost");
        let cases = [
            ("2048-12-01T00:00:00Z", CheckStatus::Ok, "31 days left"),
            ("2048-12-02T00:00:00Z", CheckStatus::Ok, "30 days left"),
            ("2048-12-02T00:00:01Z", CheckStatus::Warning, "29 days left"),
            ("2049-01-03T00:00:00Z", CheckStatus::Warning, "expired on 2049-01-01, 2 days ago"),
            ("2023-12-31T00:00:00Z", CheckStatus::Ok, "valid only from 2024-01-01 on"),
        ];
        for (now, status, words) in cases {
            let found = chain.accepted(at(now), false);
            assert_eq!(found.status, status, "{now}");
            assert!(found.detail.contains(words), "{now}: {}", found.detail);
        }
        let detail = chain.accepted(at("2048-12-01T00:00:00Z"), false).detail;
        assert!(
            detail.starts_with(
                "CN=localhost issued by CN=test CA, for localhost, 127.0.0.1, ::1; valid"
            ),
            "{detail}"
        );
    }

    #[test]
    fn advice_names_the_setting_that_helps() {
        let unknown = Failure::new(Cause::Tls, "unknown authority")
            .with_hint("add the authority to caCertificates");
        let now = at("2026-01-01T00:00:00Z");
        let cases = [
            (Certificate::Trusted, "localhost", false, "add the authority CN=test CA to caCertif"),
            (Certificate::Expired, "localhost", false, "have the partner renew the certificate"),
            (
                Certificate::WrongHost,
                "localhost",
                false,
                "set host to a name of the certificate, such as ftp.invalid",
            ),
            (
                Certificate::SelfSigned,
                "localhost",
                true,
                "renewed the certificate, set certificateFingerprint",
            ),
        ];
        for (shown, host, is_pinned, words) in cases {
            let found = chain(shown, host).refused(now, is_pinned, &unknown);
            let advice = found.advice.unwrap();
            assert!(advice.contains(words), "{shown:?}: {advice}");
        }
    }
}
