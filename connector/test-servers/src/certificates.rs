use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::{Certificate, StartError, TlsVersion};

/// The certificates of one server instance, as PEM files in its directory.
///
/// All keys are ECDSA P-256: made in a moment, and every server here takes them.
#[derive(Clone, Debug)]
pub struct Certificates {
    directory: PathBuf,
    shown: Certificate,
}

impl Certificates {
    /// Makes a CA, a server certificate of the given kind and two client certificates, and writes
    /// them into `directory`.
    ///
    /// # Errors
    ///
    /// [`StartError::Certificate`] and [`StartError::Io`].
    pub fn write(directory: &Path, shown: Certificate) -> Result<Self, StartError> {
        let made = Self { directory: directory.to_owned(), shown };
        std::fs::create_dir_all(directory).map_err(StartError::io("create", directory))?;

        let ca = authority("test CA")?;
        let untrusted_ca = authority("another CA")?;
        made.save("ca.pem", &ca.1)?;
        let (server, server_key) = match shown {
            Certificate::SelfSigned => {
                let key = KeyPair::generate()?;
                (leaf("localhost", LOCAL_NAMES)?.self_signed(&key)?.pem(), key.serialize_pem())
            }
            Certificate::Trusted => issue(leaf("localhost", LOCAL_NAMES)?, &ca.0)?,
            Certificate::WrongHost => issue(leaf("ftp.invalid", &["ftp.invalid"])?, &ca.0)?,
            Certificate::Expired => {
                let mut params = leaf("localhost", LOCAL_NAMES)?;
                params.not_before = date_time_ymd(2020, 1, 1);
                params.not_after = date_time_ymd(2020, 2, 1);
                issue(params, &ca.0)?
            }
        };
        made.save("server.pem", &server)?;
        made.save("server.key", &server_key)?;
        made.save("server-and-key.pem", &format!("{server}{server_key}"))?;
        for (name, issuer) in [("client", &ca.0), ("untrusted", &untrusted_ca.0)] {
            let (certificate, key) = issue(leaf(name, &[])?, issuer)?;
            made.save(&format!("{name}.pem"), &certificate)?;
            made.save(&format!("{name}.key"), &key)?;
        }
        Ok(made)
    }

    /// The certificate of the CA a client must trust.
    #[must_use]
    pub fn ca_pem(&self) -> PathBuf {
        self.directory.join("ca.pem")
    }

    /// The certificate the server shows.
    #[must_use]
    pub fn server_pem(&self) -> PathBuf {
        self.directory.join("server.pem")
    }

    /// The key of the server's certificate.
    #[must_use]
    pub fn server_key(&self) -> PathBuf {
        self.directory.join("server.key")
    }

    /// Certificate and key of the server in one file.
    pub(crate) fn server_and_key(&self) -> PathBuf {
        self.directory.join("server-and-key.pem")
    }

    /// A client certificate signed by the CA.
    #[must_use]
    pub fn client_pem(&self) -> PathBuf {
        self.directory.join("client.pem")
    }

    /// The key of the client certificate.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.directory.join("client.key")
    }

    /// A client certificate signed by a CA the server does not know.
    #[must_use]
    pub fn untrusted_pem(&self) -> PathBuf {
        self.directory.join("untrusted.pem")
    }

    /// The key of [`Self::untrusted_pem`].
    #[must_use]
    pub fn untrusted_key(&self) -> PathBuf {
        self.directory.join("untrusted.key")
    }

    /// Which certificate the server shows.
    #[must_use]
    pub fn shown(&self) -> Certificate {
        self.shown
    }

    /// A rustls configuration for a server that shows this certificate.
    pub(crate) fn server_config(
        &self,
        versions: std::ops::RangeInclusive<TlsVersion>,
    ) -> Result<Arc<rustls::ServerConfig>, StartError> {
        let bad = |error: rustls::Error| StartError::Io {
            what: "use the certificate",
            path: self.server_pem(),
            source: std::io::Error::other(error),
        };
        let unreadable = |error: rustls::pki_types::pem::Error| StartError::Io {
            what: "read the certificate",
            path: self.server_and_key(),
            source: std::io::Error::other(error.to_string()),
        };
        let certificate = CertificateDer::from_pem_file(self.server_pem()).map_err(unreadable)?;
        let key = PrivateKeyDer::from_pem_file(self.server_key()).map_err(unreadable)?;
        let versions: Vec<_> = [
            (TlsVersion::V1_2, &rustls::version::TLS12),
            (TlsVersion::V1_3, &rustls::version::TLS13),
        ]
        .into_iter()
        .filter_map(|(version, rustls)| versions.contains(&version).then_some(rustls))
        .collect();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&versions)
            .map_err(bad)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .map_err(bad)?;
        Ok(Arc::new(config))
    }

    fn save(&self, name: &str, pem: &str) -> Result<(), StartError> {
        let path = self.directory.join(name);
        std::fs::write(&path, pem).map_err(StartError::io("write", &path))?;
        if !name.ends_with("ca.pem") {
            crate::files::set_mode(&path, 0o600).map_err(StartError::io("protect", &path))?;
        }
        Ok(())
    }
}

const LOCAL_NAMES: &[&str] = &["localhost", "127.0.0.1", "::1"];

type Authority = Issuer<'static, KeyPair>;

fn authority(name: &str) -> Result<(Authority, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = named(name, &[])?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let pem = params.self_signed(&key)?.pem();
    Ok((Issuer::new(params, key), pem))
}

fn issue(params: CertificateParams, issuer: &Authority) -> Result<(String, String), rcgen::Error> {
    let key = KeyPair::generate()?;
    Ok((params.signed_by(&key, issuer)?.pem(), key.serialize_pem()))
}

fn leaf(name: &str, alternative_names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let mut params = named(name, alternative_names)?;
    params.use_authority_key_identifier_extension = true;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    Ok(params)
}

fn named(name: &str, alternative_names: &[&str]) -> Result<CertificateParams, rcgen::Error> {
    let names: Vec<String> = alternative_names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2024, 1, 1);
    params.not_after = date_time_ymd(2049, 1, 1);
    Ok(params)
}
