//! A server that has no version, no cipher suite or no key in common with this side: what it says,
//! and what has to change.

use rustls::{AlertDescription, Error, PeerIncompatible, ProtocolVersion};

use super::probe::Answer;
use crate::config::Versions;
use crate::failure::{Cause, Failure};

/// What the two sides have not in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mismatch {
    /// A version.
    Version,
    /// Something else: the server does not say what.
    Unknown,
}

impl Mismatch {
    /// What `error` says of it; none for any other error.
    pub(super) fn of(error: &Error) -> Option<Self> {
        match error {
            Error::AlertReceived(AlertDescription::ProtocolVersion)
            | Error::PeerIncompatible(
                PeerIncompatible::ServerDoesNotSupportTls12Or13
                | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig,
            ) => Some(Self::Version),
            Error::AlertReceived(
                AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity,
            )
            | Error::PeerIncompatible(_) => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The failure of `what`, where these `versions` were offered.
    pub(super) fn failure(self, what: &str, error: &Error, versions: Versions) -> Failure {
        let (reason, hint) = match (self, versions) {
            (Self::Version, Versions::Both) => (
                "the server speaks no TLS version from 1.2 on".to_owned(),
                "the partner has to enable TLS 1.2 or 1.3 on the server: older versions are broken, \
                 and no setting makes up for that",
            ),
            (_, Versions::Only13) => (
                format!("the server does not speak TLS 1.3 as it was asked to ({error})"),
                "set tlsMinimumVersion to 1.2, or have the partner enable TLS 1.3",
            ),
            (_, Versions::Only12) => (
                format!("the server does not speak TLS 1.2 as it was asked to ({error})"),
                "set tlsMaximumVersion to 1.3, or have the partner enable TLS 1.2 with ECDHE and \
                 AES-GCM",
            ),
            (Self::Unknown, Versions::Both) => (
                format!(
                    "the server accepts none of the versions and cipher suites that are secure \
                     ({error})"
                ),
                "the partner has to enable TLS 1.3, or TLS 1.2 with a cipher suite of ECDHE and \
                 AES-GCM",
            ),
        };
        Failure::new(Cause::Tls, format!("{what} failed: {reason}")).with_hint(hint)
    }
}

impl Answer {
    /// The failure of `what`, where the server gives this answer to one who takes anything; none
    /// where the answer explains nothing.
    pub(crate) fn failure(self, what: &str) -> Option<Failure> {
        let suite = self.suite_name();
        let (reason, hint) = match self {
            Self { version, .. } if version < u16::from(ProtocolVersion::TLSv1_2) => {
                let version = match version {
                    0x0302 => "TLS 1.1",
                    0x0301 => "TLS 1.0",
                    _ => "SSL 3.0",
                };
                (
                    format!("the server speaks only old versions of TLS, at best {version}"),
                    "the partner has to enable TLS 1.2 or 1.3 on the server: older versions are \
                     broken, and no setting makes up for that",
                )
            }
            _ if self.has_rsa_key_exchange() => (
                format!("the server has only cipher suites with RSA key exchange, such as {suite}"),
                "the partner has to enable cipher suites with ECDHE and AES-GCM, such as \
                 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384: those of RSA key exchange can be deciphered \
                 later",
            ),
            _ if self.has_dhe_key_exchange() => (
                format!("the server has only cipher suites with DHE key exchange, such as {suite}"),
                "the partner has to enable cipher suites with ECDHE and AES-GCM, such as \
                 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            ),
            _ if self.has_cbc() => (
                format!("the server has only cipher suites in CBC mode, such as {suite}"),
                "the partner has to enable cipher suites with ECDHE and AES-GCM, such as \
                 TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            ),
            _ => return None,
        };
        Some(Failure::new(Cause::Tls, format!("{what} failed: {reason}")).with_hint(hint))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_old_server_is_named() {
        for (version, suite, reason) in [
            (0x0300, 0x000a, "at best SSL 3.0"),
            (0x0301, 0xc013, "at best TLS 1.0"),
            (0x0302, 0xc014, "at best TLS 1.1"),
            (0x0303, 0x0035, "RSA key exchange, such as TLS_RSA_WITH_AES_256_CBC_SHA"),
            (0x0303, 0x009c, "RSA key exchange, such as TLS_RSA_WITH_AES_128_GCM_SHA256"),
            (0x0303, 0xc027, "CBC mode, such as TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"),
            (0x0303, 0x009f, "DHE key exchange, such as TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
        ] {
            let failure = Answer { version, suite }.failure("TLS").unwrap();
            assert!(failure.to_string().contains(reason), "{failure}");
            assert!(failure.hint().unwrap().starts_with("the partner has to enable"), "{failure}");
        }
        assert!(Answer { version: 0x0303, suite: 0xc02f }.failure("TLS").is_none());
    }

    #[test]
    fn advice_fits_what_was_offered() {
        let version = Error::AlertReceived(AlertDescription::ProtocolVersion);
        let suite = Error::AlertReceived(AlertDescription::HandshakeFailure);
        for (error, versions, hint) in [
            (&version, Versions::Both, "the partner has to enable TLS 1.2"),
            (&version, Versions::Only13, "set tlsMinimumVersion"),
            (&suite, Versions::Only13, "set tlsMinimumVersion"),
            (&version, Versions::Only12, "set tlsMaximumVersion"),
            (&suite, Versions::Both, "the partner has to enable TLS 1.3"),
        ] {
            let failure = Mismatch::of(error).unwrap().failure("TLS", error, versions);
            assert!(failure.hint().unwrap().starts_with(hint), "{failure:?}");
        }
        assert_eq!(Mismatch::of(&Error::AlertReceived(AlertDescription::UnknownCA)), None);
    }
}
