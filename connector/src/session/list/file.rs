//! What LIST shows of a single file.

use super::list::{Source, listing_error};
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::listing::{Entry, Listing};
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;

impl Session {
    /// What LIST shows for the file `name` of `directory`; none where it shows none. Servers need not
    /// list single files.
    ///
    /// # Errors
    ///
    /// As [`Session::list`].
    pub(in crate::session) fn list_file(
        &mut self,
        directory: &RemotePath,
        name: &str,
    ) -> Result<Option<Entry>, Failure> {
        if !self.is_in(directory) {
            self.change_directory(directory)?;
        }
        let settings = self.listing_settings();
        let download = self.begin_listing(Command::new(Verb::List, name))?;
        let mut listing =
            Listing::list(Source { download }, settings).of_directory(directory.as_str());
        let mut found = None;
        while let Some(entry) = listing.next_entry().map_err(listing_error)? {
            // Some servers show the path as it was asked for.
            if entry.name.rsplit('/').next() == Some(name) {
                found = Some(entry);
            }
        }
        listing.into_inner().download.finish()?;
        Ok(found)
    }
}

/// Whether no server can take `name` for an option, a pattern or a path.
pub(in crate::session) fn is_plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}
