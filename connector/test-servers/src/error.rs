use std::io;
use std::path::PathBuf;

use crate::Flavour;

/// Why a server is not there.
///
/// The kinds let a test say "did not run, because …" instead of failing on a machine that cannot
/// have the server at all; see [`require`](crate::require).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The server programs are built for Linux only.
    #[error("{flavour} runs on Linux only")]
    Platform {
        /// The server asked for.
        flavour: Flavour,
    },
    /// The server changes its user and root directory, which only root may do.
    #[error("{flavour} must be started by root: it changes its user and its root directory")]
    NeedsRoot {
        /// The server asked for.
        flavour: Flavour,
    },
    /// A private mount namespace is needed and not allowed here.
    #[error("{flavour} needs a private mount namespace: {reason}")]
    NoNamespace {
        /// The server asked for.
        flavour: Flavour,
        /// What `unshare` said.
        reason: String,
    },
    /// The server has no such feature.
    #[error("{flavour} cannot do this: {feature}")]
    Unsupported {
        /// The server asked for.
        flavour: Flavour,
        /// The option that it does not know.
        feature: &'static str,
    },
    /// The program is neither installed nor to be had.
    #[error("{program} is not installed and could not be fetched: {reason}")]
    Missing {
        /// The program or package that is missing.
        program: String,
        /// What the package tool said.
        reason: String,
    },
    /// The server ended before it was ready.
    #[error("{flavour} ended at once ({status}); its log:\n{log}")]
    Exited {
        /// The server asked for.
        flavour: Flavour,
        /// The exit status.
        status: String,
        /// The end of its log.
        log: String,
    },
    /// The server runs but does not listen.
    #[error("{flavour} did not listen within {seconds} s; its log:\n{log}")]
    NotReady {
        /// The server asked for.
        flavour: Flavour,
        /// How long it was given.
        seconds: u64,
        /// The end of its log.
        log: String,
    },
    /// No block of ports is free.
    #[error("no free block of ports below the ephemeral range")]
    NoPorts,
    /// A certificate could not be made.
    #[error("could not make a certificate")]
    Certificate(#[from] rcgen::Error),
    /// A file, directory or process could not be made.
    #[error("{what}: {path}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// The file, directory or program.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// True when nothing that is installed or allowed on this machine would help.
    #[must_use]
    pub fn is_platform(&self) -> bool {
        matches!(self, Self::Platform { .. })
    }

    /// For `map_err`: an [`io::Error`] with what was tried on which path.
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
