//! The directory, ports and certificates of one server, before it runs.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

use tempfile::TempDir;

use crate::ports::PortBlock;
use crate::{Certificates, Options, StartError, files};

/// The name every server instance knows.
pub const USER: &str = "tester";

/// The password of [`USER`]. It has a space, which clients that split lines at spaces lose.
pub const PASSWORD: &str = "s3cret pass";

/// [`PASSWORD`] as `crypt(3)` wants it; a server's own slow hash would cost seconds for a login.
pub(crate) const PASSWORD_HASH: &str = "$6$testservers$AVceW2dJ66F.WPYupNOc0UJFtMmyYuxEO8mB1HwJoYGTok9E2gTEhqe0Lx5U6/5pGDlozZGcQLEMwehmc5bRp.";

/// Where an instance lives and what was asked of it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) options: Options,
    pub(crate) ports: PortBlock,
    pub(crate) certificates: Certificates,
    pub(crate) directory: TempDir,
}

impl Instance {
    pub(crate) fn new(options: &Options) -> Result<Self, StartError> {
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
        let instance = Self {
            options: options.clone(),
            ports: PortBlock::reserve(options.passive_ports)?,
            certificates,
            directory,
        };
        let root = instance.root();
        if options.full_disk.is_some() {
            std::fs::create_dir(root.join("full")).map_err(StartError::io("create", &root))?;
        }
        files::give_to_server(&root).map_err(StartError::io("give away", &root))?;
        Ok(instance)
    }

    pub(crate) fn address(&self) -> SocketAddr {
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

    pub(crate) fn log_text(&self) -> String {
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
