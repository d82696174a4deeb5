//! Where documents are stored: rows, and a ledger that makes storing effectively once.
//!
//! Connectors deliver at least once: a document whose acknowledgement was lost comes again. Row
//! and ledger entry are written in one transaction, so that it finds itself there the second
//! time.

use std::io::Read;
use std::path::Path;

use host_sdk::{Error, Properties};

/// A database in which documents are stored.
pub(crate) trait Ledger: Send + Sync {
    /// The directory of the database, on whose disk there must be room for bodies anyway.
    fn directory(&self) -> &Path;

    /// Checks that a row can hold a body of `size` bytes.
    ///
    /// # Errors
    ///
    /// `quota` for a larger one.
    fn check_size(&self, size: u64) -> Result<(), Error>;

    /// Stores a document of `row.size` bytes, read from `body`, unless it has been.
    ///
    /// # Errors
    ///
    /// `quota` when the disk is full or the body too large, `busy` when another process holds
    /// the database, otherwise `host`.
    fn store(&self, row: &Row<'_>, body: &mut dyn Read) -> Result<Stored, Error>;
}

/// What is stored of a document beside its body.
pub(crate) struct Row<'a> {
    pub(crate) process: &'a str,
    pub(crate) step: &'a str,
    pub(crate) source: &'a str,
    pub(crate) properties: &'a Properties,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
}

/// Whether a document was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    New,
    /// The ledger has it; there is no second row.
    Already,
}
