//! Listings of bare names (NLST, RFC 959 §4.1.3).

use std::io::Read;

use super::end::stop;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use crate::transport::error::io_error;

/// How many bytes of a listing of names are read.
const MAXIMUM: u64 = 1024 * 1024;

impl Session {
    /// Whether a listing that nobody waits for takes nothing away from the transfers after it.
    pub(crate) fn has_ticket_to_spare(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.has_spare_ticket())
    }

    /// The names in `directory` that match `pattern`, on servers that take one; the others answer
    /// as they like. A long answer is cut, and unusable names are left out.
    ///
    /// # Errors
    ///
    /// As [`Session::list`](Session::list_strict).
    pub(crate) fn names_like(
        &mut self,
        directory: &RemotePath,
        pattern: &str,
    ) -> Result<Vec<String>, Failure> {
        if !self.is_in(directory) {
            self.change_directory(directory)?;
        }
        let encoding = self.shared.settings.encoding;
        let download = self.begin_listing(Command::new(Verb::Nlst, pattern))?;
        let mut text = Vec::new();
        let mut source = super::list::Source { download }.take(MAXIMUM);
        let read = source.read_to_end(&mut text);
        let download = source.into_inner().download;
        read.map_err(|e| io_error("the listing", &e))?;
        stop(download)?;
        let lines = text.split(|byte| *byte == b'\n');
        let names = lines.map(|line| encoding.decode(line.trim_ascii_end()));
        Ok(names.filter(|name| directory.entry(name).is_ok()).collect())
    }
}
