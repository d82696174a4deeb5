use std::fmt;
use std::ops::RangeInclusive;

/// A server program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flavour {
    /// vsftpd: no MLSD, demands TLS session reuse as packaged.
    VsFtpd,
    /// ProFTPD with mod_tls and mod_digest.
    ProFtpd,
    /// Pure-FTPd with a puredb user.
    PureFtpd,
    /// pyftpdlib with pyOpenSSL.
    PyFtpd,
    /// libunftp inside this process; always at hand, runs as this process's user.
    LibUnftp,
}

impl Flavour {
    /// Every server program.
    pub const ALL: [Self; 5] =
        [Self::LibUnftp, Self::VsFtpd, Self::ProFtpd, Self::PureFtpd, Self::PyFtpd];
}

impl fmt::Display for Flavour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::VsFtpd => "vsftpd",
            Self::ProFtpd => "proftpd",
            Self::PureFtpd => "pure-ftpd",
            Self::PyFtpd => "pyftpdlib",
            Self::LibUnftp => "libunftp",
        })
    }
}

/// How a connection is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// No TLS.
    Plain,
    /// `AUTH TLS` on the control connection; the server refuses a login without it.
    Explicit,
    /// TLS from the first byte.
    Implicit,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Explicit => "explicit",
            Self::Implicit => "implicit",
        })
    }
}

/// The certificate a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certificate {
    /// Signed by the instance's CA, for localhost, 127.0.0.1 and ::1.
    Trusted,
    /// As [`Certificate::Trusted`], but its validity ended in 2020.
    Expired,
    /// Signed by the instance's CA, for `ftp.invalid` only.
    WrongHost,
    /// For localhost, signed by its own key.
    SelfSigned,
}

/// A TLS protocol version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TlsVersion {
    /// TLS 1.2.
    V1_2,
    /// TLS 1.3.
    V1_3,
}

/// Whether a data connection must resume the TLS session of its control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SessionReuse {
    /// As the program is packaged: required by vsftpd and ProFTPD, optional elsewhere.
    Packaged,
    /// Required; only vsftpd and ProFTPD can.
    Required,
    /// A full handshake on a data connection is accepted.
    Optional,
}

/// What to start. Built by chaining; the defaults give a plain server that permits everything its
/// user may do.
///
/// ```
/// use test_servers::{Flavour, Options, TlsVersion};
///
/// let options = Options::new(Flavour::ProFtpd)
///     .explicit()
///     .tls_versions(TlsVersion::V1_2..=TlsVersion::V1_2)
///     .maximum_clients(2);
/// assert_eq!(options.name(), "proftpd-explicit");
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) flavour: Flavour,
    pub(crate) mode: Mode,
    pub(crate) certificate: Certificate,
    pub(crate) tls_versions: RangeInclusive<TlsVersion>,
    pub(crate) session_reuse: SessionReuse,
    pub(crate) client_certificate: bool,
    pub(crate) clear_data: bool,
    pub(crate) packaged: bool,
    pub(crate) configuration: Vec<String>,
    pub(crate) maximum_clients: Option<u16>,
    pub(crate) time_zone: Option<String>,
    pub(crate) passive_ports: Option<u16>,
    pub(crate) full_disk: Option<u64>,
    pub(crate) ipv6: bool,
}

impl Options {
    /// A plain server of this flavour.
    #[must_use]
    pub fn new(flavour: Flavour) -> Self {
        Self {
            flavour,
            mode: Mode::Plain,
            certificate: Certificate::Trusted,
            tls_versions: TlsVersion::V1_2..=TlsVersion::V1_3,
            session_reuse: SessionReuse::Packaged,
            client_certificate: false,
            clear_data: false,
            packaged: false,
            configuration: Vec::new(),
            maximum_clients: None,
            time_zone: None,
            passive_ports: None,
            full_disk: None,
            ipv6: false,
        }
    }

    /// Each flavour in each mode it knows, tuned: what a shared suite runs against.
    #[must_use]
    pub fn matrix() -> Vec<Self> {
        Flavour::ALL
            .into_iter()
            .flat_map(|flavour| {
                [Mode::Plain, Mode::Explicit, Mode::Implicit]
                    .into_iter()
                    .filter(move |mode| flavour_knows(flavour, *mode))
                    .map(move |mode| Self::new(flavour).mode(mode))
            })
            .collect()
    }

    /// Sets the mode.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Explicit TLS.
    #[must_use]
    pub fn explicit(self) -> Self {
        self.mode(Mode::Explicit)
    }

    /// Implicit TLS.
    #[must_use]
    pub fn implicit(self) -> Self {
        self.mode(Mode::Implicit)
    }

    /// The certificate the server shows. Default: [`Certificate::Trusted`].
    #[must_use]
    pub fn certificate(mut self, certificate: Certificate) -> Self {
        self.certificate = certificate;
        self
    }

    /// The TLS versions the server speaks. Default: 1.2 and 1.3.
    #[must_use]
    pub fn tls_versions(mut self, versions: RangeInclusive<TlsVersion>) -> Self {
        self.tls_versions = versions;
        self
    }

    /// Whether data connections must resume the control connection's session.
    #[must_use]
    pub fn session_reuse(mut self, session_reuse: SessionReuse) -> Self {
        self.session_reuse = session_reuse;
        self
    }

    /// Demands a client certificate signed by the instance's CA.
    #[must_use]
    pub fn client_certificate(mut self) -> Self {
        self.client_certificate = true;
        self
    }

    /// Permits data connections without TLS (`PROT C`); by default the server refuses them
    /// (libunftp after PASV only, not after EPSV).
    #[must_use]
    pub fn clear_data(mut self) -> Self {
        self.clear_data = true;
        self
    }

    /// Leaves out everything that permits more than the packaged defaults: vsftpd refuses all
    /// writes, ProFTPD refuses to overwrite, append and resume and has no HASH.
    #[must_use]
    pub fn packaged(mut self) -> Self {
        self.packaged = true;
        self
    }

    /// Adds a line to the configuration: of the file (vsftpd, ProFTPD), one command line option
    /// (pure-ftpd), one Python statement about the handler class `h` or the server `s` (pyftpdlib).
    /// libunftp takes none.
    #[must_use]
    pub fn configuration(mut self, line: impl Into<String>) -> Self {
        self.configuration.push(line.into());
        self
    }

    /// Refuses more clients than this at once: with 421 in place of the greeting, ProFTPD with 530
    /// after the password. libunftp cannot. Default: 200.
    #[must_use]
    pub fn maximum_clients(mut self, clients: u16) -> Self {
        self.maximum_clients = Some(clients);
        self
    }

    /// `TZ` of the server process, to see which clock its listings show. libunftp cannot.
    #[must_use]
    pub fn time_zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// How many passive ports the server may use: 1 to [`PASSIVE_PORTS`](crate::PASSIVE_PORTS),
    /// which is the default.
    #[must_use]
    pub fn passive_ports(mut self, count: u16) -> Self {
        self.passive_ports = Some(count);
        self
    }

    /// Mounts a file system of this many bytes on `full/`, seen by the server only, so that an
    /// upload meets a full disk: answered 451, or by pyftpdlib mostly not at all. Needs a mount
    /// namespace; libunftp cannot.
    #[must_use]
    pub fn full_disk(mut self, bytes: u64) -> Self {
        self.full_disk = Some(bytes);
        self
    }

    /// Listens on ::1 instead of 127.0.0.1.
    #[must_use]
    pub fn ipv6(mut self) -> Self {
        self.ipv6 = true;
        self
    }

    /// Whether it listens on ::1.
    #[must_use]
    pub fn is_ipv6(&self) -> bool {
        self.ipv6
    }

    /// The address to listen on.
    pub(crate) fn loopback(&self) -> &'static str {
        if self.ipv6 { "::1" } else { "127.0.0.1" }
    }

    /// The flavour asked for.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        self.flavour
    }

    /// Flavour, mode and variant in one word, for messages.
    #[must_use]
    pub fn name(&self) -> String {
        let variant = if self.packaged { "-packaged" } else { "" };
        format!("{}-{}{variant}", self.flavour, self.mode)
    }

    /// Whether data connections must resume the control connection's TLS session.
    #[must_use]
    pub fn requires_session_reuse(&self) -> bool {
        match self.session_reuse {
            SessionReuse::Required => true,
            SessionReuse::Optional => false,
            SessionReuse::Packaged => matches!(self.flavour, Flavour::VsFtpd | Flavour::ProFtpd),
        }
    }
}

fn flavour_knows(flavour: Flavour, mode: Mode) -> bool {
    mode != Mode::Implicit || !matches!(flavour, Flavour::PureFtpd | Flavour::LibUnftp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_matrix_has_every_flavour_and_only_known_modes() {
        let names: Vec<_> = Options::matrix().iter().map(Options::name).collect();
        assert_eq!(names.len(), 13);
        assert!(names.contains(&"vsftpd-implicit".to_owned()));
        assert!(!names.contains(&"libunftp-implicit".to_owned()));
    }
}
