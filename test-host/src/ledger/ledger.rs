//! Where documents are stored: rows, and a ledger that makes storing effectively once.
//!
//! Connectors deliver at least once: a document whose acknowledgement was lost is delivered again.
//! Row and ledger entry are written in one transaction, so the second delivery finds its entry.

use std::io::Read;
use std::path::Path;

use host_sdk::{Error, Properties};

/// A database in which documents are stored.
pub(crate) trait Ledger: Send + Sync {
    /// The directory of the database. Bodies are spooled on its disk, which needs room for them
    /// anyway.
    fn directory(&self) -> &Path;

    /// Checks that a row can hold a body of `size` bytes.
    ///
    /// # Errors
    ///
    /// `quota` for a larger one.
    fn check_size(&self, size: u64) -> Result<(), Error>;

    /// Stores documents with one commit: a result for each, in their order. One that cannot be stored
    /// leaves the others as they are; a commit that fails is the error of all.
    ///
    /// Each document has `row.size` bytes, read from its body, and is stored unless it has been. Its
    /// error is `quota` when the disk is full or the body too large, `busy` when another process has
    /// locked the database, otherwise `host`.
    fn store_all(&self, documents: &mut [(Row<'_>, &mut dyn Read)]) -> Vec<Result<Stored, Error>>;
}

/// What is stored with the body of a document.
pub(crate) struct Row<'a> {
    pub(crate) process: &'a str,
    pub(crate) step: &'a str,
    pub(crate) source: &'a str,
    pub(crate) properties: &'a Properties,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
}

/// Whether a document was stored now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    New,
    /// The ledger has an entry for it. No second row is written.
    Already,
}
