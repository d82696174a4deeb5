//! Sessions that give way to a new one in the middle of an execution.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use host_sdk::{Error, ErrorKind};
use rustls::ProtocolVersion;

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
    pub(crate) fn open_patiently(
        shared: &Arc<Shared>,
        cancel: &CancelToken,
        transcript: &Transcript,
        deadline: Deadline,
    ) -> Result<Self, Error> {
        let mut backoff = Backoff::new(shared.settings.retry).until(deadline);
        let mut was_doubtful = false;
        loop {
            let error = match Self::open(shared, cancel, transcript, deadline) {
                Ok(session) => return Ok(session),
                Err(e) => e,
            };
            // A rejected password must not be sent again, or the account gets locked. A stall may
            // have been a mishap once, and what the server does instead of answering to a password
            // may be its way to reject it.
            let is_doubtful = error.kind() == ErrorKind::Timeout || is_answer_to_secret(&error);
            let worth_it = matches!(
                error.kind(),
                ErrorKind::Busy | ErrorKind::Connection | ErrorKind::Timeout
            );
            if !(worth_it && error.is_retryable()) {
                return Err(error);
            }
            if is_doubtful && std::mem::replace(&mut was_doubtful, true) {
                // Whoever sees two attempts makes no more of them.
                let is_final = is_answer_to_secret(&error);
                return Err(if is_final { error.with_attempts(2) } else { error });
            }
            backoff.wait(error, cancel)?;
        }
    }

    /// Logs in anew where the next data connection could not resume the TLS session: a server
    /// that wants it resumed would refuse, in the middle of an upload that cannot be repeated.
    /// The transfer that is about to begin must be over by `deadline`.
    ///
    /// # Errors
    ///
    /// As [`Session::open_patiently`]; those of going back to the directory.
    pub(in crate::session) fn renew_without_tickets(
        &mut self,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let (Some(tls), Some(factory)) = (&self.tls, &self.shared.tls) else { return Ok(()) };
        let is_tls_13 = self.control.with_stream(|stream| {
            stream.tls().and_then(|tls| tls.protocol_version()) == Some(ProtocolVersion::TLSv1_3)
        });
        let protects = self.shared.settings.tls.protect_data && factory.reuses_sessions();
        if !(is_tls_13 && protects && tls.is_out_of_tickets()) {
            return Ok(());
        }
        let server = &self.shared.server;
        if factory.can_fall_back() {
            server.prefer_tls_12();
        } else if !server.wants_reuse.load(Ordering::Relaxed) {
            // Without TLS 1.2 the way out costs a login every few files: not before it is needed.
            return Ok(());
        }
        self.renew(deadline)
    }

    /// Logs in anew where the session is of no use any more, for work that must not fail because
    /// of what came before it.
    ///
    /// # Errors
    ///
    /// As [`Session::open_patiently`]; those of going back to the directory.
    pub(in crate::session) fn renew_if_lost(&mut self) -> Result<(), Error> {
        if self.is_usable() { Ok(()) } else { self.renew(self.transfer_limit()) }
    }

    /// Puts a new session in the place of this one, in the same directory and format.
    ///
    /// # Errors
    ///
    /// As [`Session::open_patiently`]; those of going back to the directory.
    pub(in crate::session) fn renew(&mut self, deadline: Deadline) -> Result<(), Error> {
        let directory = self.current_directory.clone();
        self.renew_at_login(deadline)?;
        match directory {
            Some(directory) => self.change_directory(&directory),
            None => Ok(()),
        }
    }

    /// Puts a new session in the place of this one, in the same format and in the directory after
    /// login.
    ///
    /// # Errors
    ///
    /// As [`Session::open_patiently`].
    pub(in crate::session) fn renew_at_login(&mut self, deadline: Deadline) -> Result<(), Error> {
        self.control.set_overall(Self::goodbye().earlier(deadline));
        // A server may admit one session at a time: the old one ends before the new one begins.
        let _ = self.command("QUIT");
        self.poison();
        self.control.with_stream(|stream| stream.socket().shutdown(std::net::Shutdown::Both)).ok();
        let transcript = self.control.transcript();
        let fresh = Self::open_patiently(&self.shared, &self.cancel, &transcript, deadline)?;
        let old = std::mem::replace(self, fresh);
        self.control.set_overall(deadline);
        if let Some(format) = old.format {
            self.set_format(format)?;
        }
        Ok(())
    }
}

/// Whether the server hung up or fell silent where it was to say what it thinks of a password.
fn is_answer_to_secret(error: &Error) -> bool {
    let report = error.report();
    report.reply.is_none() && matches!(report.command.as_deref(), Some("PASS" | "ACCT"))
}
