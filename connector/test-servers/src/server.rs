//! A running server of one flavour.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::flavour::{self, Running};
use crate::instance::{Instance, PASSWORD, USER};
use crate::{Certificates, Flavour, Mode, Options, StartError, files};

/// A server that runs on 127.0.0.1 or ::1 with its own ports, user, certificates and empty data root.
///
/// It ends, with every process it made, when this value is dropped, and also when the test process
/// is killed. Its directory is removed.
#[derive(Debug)]
pub struct Server {
    // Dropped in this order: the server ends before its ports and its files go away.
    running: Running,
    instance: Instance,
}

impl Server {
    /// Starts a server and waits until it listens.
    ///
    /// Blocks: usually for less than a second; the very first start of a program fetches it.
    ///
    /// # Errors
    ///
    /// Every kind of [`StartError`]. Tests use [`require`](crate::require) instead, which tells a
    /// machine that cannot run the server from a server that is broken.
    pub fn start(options: &Options) -> Result<Self, StartError> {
        let instance = Instance::new(options)?;
        let mut running = flavour::start(&instance)?;
        if let Running::Process(process) = &mut running {
            let log = || tail(&instance.log_text());
            process.wait_ready(options.flavour, instance.address(), log)?;
        }
        Ok(Self { running, instance })
    }

    /// The address to connect to, as text: 127.0.0.1 or ::1, which its certificate names.
    #[must_use]
    pub fn host(&self) -> &'static str {
        self.instance.options.loopback()
    }

    /// The port of the control connection.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.instance.ports.control()
    }

    /// Host and port as one value.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.instance.address()
    }

    /// The user's name.
    #[must_use]
    pub fn user(&self) -> &'static str {
        USER
    }

    /// The user's password.
    #[must_use]
    pub fn password(&self) -> &'static str {
        PASSWORD
    }

    /// How the connection is protected.
    #[must_use]
    pub fn mode(&self) -> Mode {
        self.instance.options.mode
    }

    /// The server program.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        self.instance.options.flavour
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.instance.options
    }

    /// The directory that the user sees as `/`. See [`Server::place`] for files a test puts there.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.instance.root()
    }

    /// The certificates of this instance.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.instance.certificates
    }

    /// The certificate of the CA a client must trust.
    #[must_use]
    pub fn ca_pem(&self) -> PathBuf {
        self.instance.certificates.ca_pem()
    }

    /// Everything the server has logged so far: the commands it received (all but libunftp), what
    /// it printed, its TLS messages (ProFTPD, vsftpd).
    #[must_use]
    pub fn log(&self) -> String {
        self.instance.log_text()
    }

    /// Writes a file below [`Server::root`], directories included, that belongs to the user.
    ///
    /// # Errors
    ///
    /// Whatever the file system says.
    pub fn place(&self, path: impl AsRef<Path>, content: &[u8]) -> std::io::Result<()> {
        let mut at = self.root();
        let path = path.as_ref();
        for part in path.parent().into_iter().flat_map(Path::components) {
            at.push(part);
            if !at.exists() {
                std::fs::create_dir(&at)?;
                files::give_to_server(&at)?;
            }
        }
        let file = self.root().join(path);
        std::fs::write(&file, content)?;
        files::give_to_server(&file)
    }

    /// Process id of the server's supervisor, the ancestor of all its processes; none for libunftp and after
    /// [`Server::kill`].
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        match &self.running {
            Running::Process(process) => Some(process.id()),
            Running::Thread { .. } | Running::Ended => None,
        }
    }

    /// Ends the server at once, connections included, and keeps its files: what a client sees when
    /// the server's machine dies in the middle of a transfer.
    pub fn kill(&mut self) {
        self.running = Running::Ended;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if !files::is_root() {
            // What `fixture` forbade would keep the directory from being removed.
            for name in ["noaccess", "readonly"] {
                let _ = files::set_mode(&self.root().join(name), 0o755);
            }
        }
    }
}

fn tail(log: &str) -> String {
    const LINES: usize = 15;
    let lines: Vec<_> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
