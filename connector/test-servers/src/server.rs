use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::flavour::{self, Running};
use crate::ports::PortBlock;
use crate::{Certificates, Flavour, Mode, Options, StartError, files};

/// The name every server instance knows.
pub const USER: &str = "tester";

/// The password of [`USER`]. It has a space, which clients that split lines at spaces lose.
pub const PASSWORD: &str = "s3cret pass";

/// [`PASSWORD`] as `crypt(3)` wants it; a server's own slow hash would cost seconds for a login.
pub(crate) const PASSWORD_HASH: &str = "$6$testservers$AVceW2dJ66F.WPYupNOc0UJFtMmyYuxEO8mB1HwJoYGTok9E2gTEhqe0Lx5U6/5pGDlozZGcQLEMwehmc5bRp.";

/// A server that runs on 127.0.0.1 or ::1 with its own ports, user, certificates and empty data root.
///
/// It ends, with every process it made, when this value is dropped, and also when the test process
/// is killed. Its directory is removed.
#[derive(Debug)]
pub struct Server {
    // Dropped in this order: the server ends before its ports and its files go away.
    running: Running,
    place: Place,
}

/// Where an instance lives and what was asked of it.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) options: Options,
    pub(crate) ports: PortBlock,
    pub(crate) certificates: Certificates,
    pub(crate) directory: TempDir,
}

impl Place {
    fn new(options: &Options) -> Result<Self, StartError> {
        let directory = tempfile::Builder::new()
            .prefix("ftp-test-server-")
            .tempdir()
            .map_err(StartError::io("create", std::env::temp_dir()))?;
        let path = directory.path().to_owned();
        let certificates = Certificates::write(&path.join("certificates"), options.certificate)?;
        for name in ["data", "log", "run", "etc"] {
            let path = path.join(name);
            std::fs::create_dir(&path).map_err(StartError::io("create", &path))?;
        }
        // The server's user has to pass through.
        files::set_mode(&path, 0o755).map_err(StartError::io("open", &path))?;
        let place = Self {
            options: options.clone(),
            ports: PortBlock::reserve(options.passive_ports)?,
            certificates,
            directory,
        };
        let root = place.root();
        if options.full_disk.is_some() {
            std::fs::create_dir(root.join("full")).map_err(StartError::io("create", &root))?;
        }
        files::give_to_server(&root).map_err(StartError::io("give away", &root))?;
        Ok(place)
    }

    fn address(&self) -> SocketAddr {
        let port = self.ports.control();
        if self.options.ipv6 {
            (Ipv6Addr::LOCALHOST, port).into()
        } else {
            (Ipv4Addr::LOCALHOST, port).into()
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    pub(crate) fn log(&self, name: &str) -> PathBuf {
        self.directory.path().join("log").join(name)
    }

    pub(crate) fn run(&self, name: &str) -> PathBuf {
        self.directory.path().join("run").join(name)
    }

    /// Writes a configuration file that only its owner may read.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf, StartError> {
        let path = self.directory.path().join("etc").join(name);
        std::fs::write(&path, content).map_err(StartError::io("write", &path))?;
        files::set_mode(&path, 0o600).map_err(StartError::io("protect", &path))?;
        Ok(path)
    }

    fn log_text(&self) -> String {
        let mut paths: Vec<_> = std::fs::read_dir(self.directory.path().join("log"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path())
            .collect();
        paths.sort();
        let read = |path: &PathBuf| {
            let bytes = std::fs::read(path).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        paths.iter().map(read).collect()
    }
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
        let place = Place::new(options)?;
        let mut running = flavour::start(&place)?;
        if let Running::Process(process) = &mut running {
            let log = || tail(&place.log_text());
            process.wait_ready(options.flavour, place.address(), log)?;
        }
        Ok(Self { running, place })
    }

    /// The address to connect to, as text: 127.0.0.1 or ::1, which its certificate names.
    #[must_use]
    pub fn host(&self) -> &'static str {
        self.place.options.loopback()
    }

    /// The port of the control connection.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.place.ports.control()
    }

    /// Host and port as one value.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.place.address()
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
        self.place.options.mode
    }

    /// The server program.
    #[must_use]
    pub fn flavour(&self) -> Flavour {
        self.place.options.flavour
    }

    /// What was asked for.
    #[must_use]
    pub fn options(&self) -> &Options {
        &self.place.options
    }

    /// The directory that the user sees as `/`. See [`Server::place`] for files a test puts there.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.place.root()
    }

    /// The certificates of this instance.
    #[must_use]
    pub fn certificates(&self) -> &Certificates {
        &self.place.certificates
    }

    /// The certificate of the CA a client must trust.
    #[must_use]
    pub fn ca_pem(&self) -> PathBuf {
        self.place.certificates.ca_pem()
    }

    /// Everything the server has logged so far: the commands it received (all but libunftp), what
    /// it printed, its TLS messages (ProFTPD, vsftpd).
    #[must_use]
    pub fn log(&self) -> String {
        self.place.log_text()
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
