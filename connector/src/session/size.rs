//! The size of a file (SIZE, RFC 3659 §4).

use super::file::file_status;
use super::session::Session;
use crate::config::TransferFormat;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::verb::Verb;

/// The answer to SIZE (RFC 3659 §4).
pub(crate) enum SizeAnswer {
    /// The size in bytes.
    Bytes(u64),
    /// Nothing of that name is there: the server says so.
    Missing(Failure),
    /// Refused with 550: missing, out of reach, or no file.
    Denied,
    /// Refused for another reason, or without a number.
    Unanswered,
}

impl Session {
    /// Asks for the size of a file in bytes.
    ///
    /// # Errors
    ///
    /// `unavailable` for a refusal that may pass (4yz); what a command can fail with.
    pub(crate) fn ask_size(&mut self, path: &RemotePath) -> Result<SizeAnswer, Failure> {
        match self.set_format(TransferFormat::Binary) {
            // The size in another representation type is another one (RFC 3659 §4).
            Err(e) if e.is_answer() && self.is_usable() => return Ok(SizeAnswer::Unanswered),
            set => set?,
        }
        let reply = self.path_command(Verb::Size, path)?;
        if reply.is_done() {
            let size = file_status(&reply).parse();
            return Ok(size.map_or(SizeAnswer::Unanswered, SizeAnswer::Bytes));
        }
        let error = self.path_refusal(&reply, Verb::Size, path);
        if reply.closes_session()
            || (reply.is_transient_refusal() && !self.says_missing(&reply, path))
        {
            return Err(error);
        }
        self.ignore_refusal(&reply, Verb::Size, path)?;
        Ok(if self.says_missing(&reply, path) {
            SizeAnswer::Missing(error.into_missing())
        } else if reply.denies_file() {
            SizeAnswer::Denied
        } else {
            SizeAnswer::Unanswered
        })
    }
}
