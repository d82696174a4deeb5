//! Sessions that give way to a new one in the middle of an execution.

use std::sync::Arc;

use crate::failure::{Cause, Failure, retry_after};
use crate::protocol::verb::Verb;
use crate::session::server::Shared;
use crate::session::session::Session;
use crate::session::transcript::Transcript;
use host_sdk::kit::Backoff;
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;

impl Session {
    /// As [`Session::open`], and again after failures that may pass.
    ///
    /// # Errors
    ///
    /// As [`Session::open`], after the retries that are configured.
    pub(crate) fn open_with_retry(
        shared: &Arc<Shared>,
        cancel: &CancelToken,
        transcript: &Transcript,
        deadline: Deadline,
    ) -> Result<Self, Failure> {
        let mut backoff = Backoff::new(shared.settings.retry).until(deadline);
        let mut may_lock_account = false;
        loop {
            let error = match Self::open(shared, cancel, transcript, deadline) {
                Ok(session) => return Ok(session),
                Err(e) => e,
            };
            // A rejected password must not be sent again, or the account gets locked. A stall may
            // have been a mishap once, and what the server does instead of answering to a password
            // may be its way to reject it.
            let is_doubtful = error.is(Cause::Late) || error.awaited_secret();
            let may_pass = matches!(error.cause(), Cause::Busy | Cause::Lost | Cause::Late);
            if !(may_pass && error.is_transient()) {
                return Err(error);
            }
            if is_doubtful && std::mem::replace(&mut may_lock_account, true) {
                // A third password could lock the account.
                return Err(if error.awaited_secret() { error.given_up_after(2) } else { error });
            }
            retry_after(&mut backoff, error, cancel)?;
        }
    }

    /// Puts a new session in the place of this one, in the same format and in the directory after
    /// login.
    ///
    /// # Errors
    ///
    /// As [`Session::open_with_retry`].
    pub(in crate::session) fn renew_at_login(&mut self, deadline: Deadline) -> Result<(), Failure> {
        self.control.set_deadline(Self::goodbye().earlier(deadline));
        // A server may admit one session at a time: the old one ends before the new one begins.
        let _ = self.command(Verb::Quit);
        self.poison();
        let _ = self.control.stream().socket().shutdown(std::net::Shutdown::Both);
        let transcript = self.control.transcript().clone();
        let fresh = Self::open_with_retry(&self.shared, &self.cancel, &transcript, deadline)?;
        let old = std::mem::replace(self, fresh);
        self.control.set_deadline(deadline);
        if let Some(format) = old.format {
            self.set_format(format)?;
        }
        Ok(())
    }
}
