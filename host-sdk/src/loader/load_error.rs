//! Why a library was refused.

use std::fmt;
use std::path::PathBuf;

use crate::abi::layout::LayoutMismatch;
use crate::error::Error;
use crate::suggest::expected_one_of;
use connector_interface::handshake::InterfaceVersion;

/// Why a connector was not loaded: one line that names the file and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// No directory of the search path has a connector with this id.
    #[error("no connector \"{id}\" in {}; {}", Listed(directories), advice(id, available))]
    UnknownConnector {
        /// The id that was asked for.
        id: String,
        /// The directories that were searched.
        directories: Vec<PathBuf>,
        /// The ids that are there.
        available: Vec<String>,
    },
    /// There is no file.
    #[error("no such file: {}; build the connector, or correct the path", path.display())]
    NoSuchFile {
        /// The file.
        path: PathBuf,
    },
    /// The system cannot open the file as a library.
    #[error("{} is not a library that this system can open: {reason}", path.display())]
    NotALibrary {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// It is a library, but not of a connector.
    #[error(
        "{} is a library but not a connector: {reason}; connectors use host_sdk::export_connector!",
        path.display()
    )]
    NotAConnector {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        reason: String,
    },
    /// It was built against an interface of another major version.
    #[error(
        "connector \"{id}\" in {} speaks interface {connector}, this host speaks {host}; \
         rebuild it against host-sdk {}",
        path.display(),
        host.major
    )]
    OtherInterface {
        /// The file.
        path: PathBuf,
        /// The connector's id.
        id: String,
        /// The connector's interface.
        connector: InterfaceVersion,
        /// The host's interface.
        host: InterfaceVersion,
    },
    /// Its interface has the right version but another layout.
    #[error(
        "interface {connector} of {} does not fit {host} of the host: {mismatch}; \
         rebuild both from the same host-sdk",
        path.display()
    )]
    LayoutDiffers {
        /// The file.
        path: PathBuf,
        /// The connector's interface.
        connector: InterfaceVersion,
        /// The host's interface.
        host: InterfaceVersion,
        /// What differs.
        mismatch: Box<LayoutMismatch>,
    },
    /// A panic in it would end the host.
    #[error("{} was built with panic=abort; rebuild it with panic=\"unwind\"", path.display())]
    PanicsAbort {
        /// The file.
        path: PathBuf,
    },
    /// The library contains another connector than the one in its file's name.
    #[error("{} holds connector \"{found}\", not \"{asked}\"; rename the file", path.display())]
    OtherId {
        /// The file.
        path: PathBuf,
        /// The id that was asked for.
        asked: String,
        /// The id of the library.
        found: String,
    },
    /// The library fits, but made no connector.
    #[error("{} made no connector: {error}", path.display())]
    CreateFailed {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Error,
    },
}

impl LoadError {
    /// The full comparison of [`LoadError::LayoutDiffers`], hundreds of lines long.
    #[must_use]
    pub fn report(&self) -> Option<&str> {
        match self {
            Self::LayoutDiffers { mismatch, .. } => Some(mismatch.report()),
            _ => None,
        }
    }
}

struct Listed<'a>(&'a [PathBuf]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("an empty search path");
        }
        for (at, directory) in self.0.iter().enumerate() {
            let separator = if at == 0 { "" } else { ", " };
            write!(f, "{separator}{}", directory.display())?;
        }
        Ok(())
    }
}

fn advice(id: &str, available: &[String]) -> String {
    if available.is_empty() {
        "no connector is there: build one, or name its directory".to_owned()
    } else {
        expected_one_of(id, available.iter().map(String::as_str))
    }
}
