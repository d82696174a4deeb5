//! Sessions that give way to a new one in the middle of an execution.

use std::sync::Arc;

use crate::failure::Failure;
use crate::protocol::verb::Verb;
use crate::session::server::Shared;
use crate::session::session::Session;
use crate::session::transcript::Transcript;
use host_sdk::kit::{CancelToken, Deadline};

/// How a session is opened.
type Opening = fn(&Arc<Shared>, &CancelToken, &Transcript, Deadline) -> Result<Session, Failure>;

impl Session {
    /// Puts a new session in the place of this one, in the same format and in the directory after
    /// login.
    ///
    /// # Errors
    ///
    /// As [`Session::open_with_retry`].
    pub(in crate::session) fn renew_at_login(&mut self, deadline: Deadline) -> Result<(), Failure> {
        self.replace_by(Self::open_with_retry, deadline)
    }

    /// As [`Session::renew_at_login`], in a single attempt.
    ///
    /// # Errors
    ///
    /// As [`Session::open`].
    pub(in crate::session) fn renew_at_login_once(
        &mut self,
        deadline: Deadline,
    ) -> Result<(), Failure> {
        self.replace_by(Self::open, deadline)
    }

    fn replace_by(&mut self, open: Opening, deadline: Deadline) -> Result<(), Failure> {
        self.control.set_deadline(Self::goodbye().earlier(deadline));
        // A server may admit one session at a time: the old one ends before the new one begins.
        let _ = self.command(Verb::Quit);
        self.poison();
        let _ = self.control.stream().socket().shutdown(std::net::Shutdown::Both);
        let transcript = self.control.transcript().clone();
        let fresh = open(&self.shared, &self.cancel, &transcript, deadline)?;
        let old = std::mem::replace(self, fresh);
        self.transfer_deadline = old.transfer_deadline;
        self.control.set_deadline(deadline);
        if let Some(format) = old.format {
            self.set_format(format)?;
        }
        Ok(())
    }
}
