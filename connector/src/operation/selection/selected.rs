//! An entry that is meant.

use std::sync::Arc;

use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::listing::Entry;

/// An entry that is meant. There may be a great many of them, most in one directory.
pub(in crate::operation) struct Selected {
    pub(in crate::operation) directory: Arc<RemotePath>,
    /// Apart from the others, so that a list that grows moves none of them.
    pub(in crate::operation) entry: Box<Entry>,
}

impl Selected {
    /// Where it is.
    ///
    /// # Errors
    ///
    /// `protocol` when its name is none.
    pub(in crate::operation) fn path(&self) -> Result<RemotePath, Failure> {
        Ok(self.directory.entry(&self.entry.name)?)
    }
}
