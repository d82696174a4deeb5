//! Logins that are tried again: never so often that an account could be locked.

use std::sync::Arc;

use host_sdk::kit::{Backoff, CancelToken, Deadline};

use crate::failure::{Cause, Failure, pause_before_retry};
use crate::session::server::Shared;
use crate::session::session::Session;
use crate::session::transcript::Transcript;

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
            pause_before_retry(&mut backoff, error, cancel)?;
        }
    }
}
