//! Comparing what was transferred with the server's own checksum of it.

use crate::config::Checksum;
use crate::failure::{Cause, Failure};
use crate::file::checksum::{Algorithm, Hasher};
use crate::file::path::RemotePath;
use crate::session::Session;
use crate::session::checksum::ChecksumMatch;

/// The checksum of one transfer, if one is to be compared.
pub(super) struct TransferChecksum {
    wish: Checksum,
    computing: Option<(Algorithm, Hasher)>,
}

impl TransferChecksum {
    /// As far as `wish` goes, with what the server can.
    ///
    /// # Errors
    ///
    /// `unsupported` where an algorithm is demanded that the server does not have.
    pub(super) fn new(session: &Session, wish: Checksum) -> Result<Self, Failure> {
        let algorithm = session.checksum_algorithm(wish)?;
        Ok(Self { wish, computing: algorithm.map(|one| (one, Hasher::new(one))) })
    }

    /// Nothing is to be compared.
    pub(super) fn none() -> Self {
        Self { wish: Checksum::None, computing: None }
    }

    /// Whether it takes every byte of the file.
    pub(super) fn is_active(&self) -> bool {
        self.computing.is_some()
    }

    /// Adds bytes, each of them once.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some((_, hasher)) = &mut self.computing {
            hasher.update(bytes);
        }
    }

    /// Forgets the bytes so far.
    pub(super) fn restart(&mut self) {
        if let Some((algorithm, hasher)) = &mut self.computing {
            *hasher = Hasher::new(*algorithm);
        }
    }

    /// Asks the server whether its file has the same checksum.
    ///
    /// # Errors
    ///
    /// `integrity` when it has another one; `unsupported` when the algorithm is demanded and
    /// the server does not tell; what a command can fail with.
    pub(super) fn prove(&self, session: &mut Session, path: &RemotePath) -> Result<(), Failure> {
        let Some((algorithm, hasher)) = &self.computing else { return Ok(()) };
        let (name, ours) = (algorithm.hash_name(), hasher.text());
        let verdict = match session.compare_checksum(path, *algorithm, &ours) {
            // A large file may take the server longer than a reply may.
            Err(e) if e.is(Cause::Late) && self.wish == Checksum::Auto => ChecksumMatch::Unknown,
            Err(e) if e.is(Cause::Late) => {
                return Err(e.with_hint("raise readTimeout: the server reads the whole file"));
            }
            other => other?,
        };
        match verdict {
            ChecksumMatch::Same => Ok(()),
            ChecksumMatch::Other(theirs) => Err(Failure::new(
                Cause::Unproven,
                format!("{path} has the {name} {theirs} on the server, and {ours} here"),
            )
            .with_path(path)
            .with_hint("the file may still be being written: transfer it again later")),
            ChecksumMatch::Unknown if self.wish == Checksum::Auto => {
                log::info!("the server does not tell the {name} of {path}");
                Ok(())
            }
            ChecksumMatch::Unknown => Err(Failure::new(
                Cause::Unsupported,
                format!("the server does not tell the {name} of {path}"),
            )
            .with_path(path)),
        }
    }
}
