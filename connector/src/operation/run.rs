//! An execution: its sessions, its counts, and what is done again when the network fails.

use std::sync::Arc;
use std::time::Duration;

use host_sdk::{Context, Error, ErrorKind, Outcome, Properties};

use super::meter::Meter;
use super::names::Numbers;
use crate::descriptor::property;
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::pool::{Lease, Pool};
use crate::session::{ServerMemory, Session, Transcript};
use host_sdk::kit::Backoff;
use host_sdk::kit::CancelToken;

/// How long putting right what a cancelled execution had begun may take.
const RESCUE: Duration = Duration::from_secs(10);

/// One thread of an execution: its session, and what all threads count together.
pub(super) struct Run {
    pub(super) context: Context,
    pub(super) cancel: CancelToken,
    pool: Arc<Pool>,
    lease: Option<Lease>,
    /// What was said on the control connection since the document in hand began.
    transcript: Transcript,
    pub(super) meter: Meter,
    /// The numbered names of the last target that are taken.
    pub(super) numbers: Option<Numbers>,
}

impl Run {
    /// An execution that has done nothing yet.
    pub(super) fn new(pool: Arc<Pool>, context: Context) -> Self {
        Self {
            cancel: CancelToken::for_context(&context),
            meter: Meter::new(context.clone()),
            context,
            pool,
            lease: None,
            transcript: Transcript::default(),
            numbers: None,
        }
    }

    /// The same execution for another thread, with a session of its own; `None` where no session
    /// is to be had beside those that are in use.
    pub(super) fn sibling(&self) -> Option<Self> {
        let transcript = Transcript::default();
        let lease = match self.pool.take_spare(&self.cancel, &transcript) {
            Ok(lease) => lease?,
            Err(e) => {
                // The server allows fewer sessions than are configured.
                log::info!("one transfer less at a time: {e}");
                return None;
            }
        };
        Some(Self {
            context: self.context.clone(),
            cancel: self.cancel.clone(),
            pool: Arc::clone(&self.pool),
            lease: Some(lease),
            transcript,
            meter: self.meter.clone(),
            numbers: None,
        })
    }

    /// Does the work of one document; an error tells what was said meanwhile.
    pub(super) fn document<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.transcript.clear();
        work(self).map_err(|e| match e.report().transcript.is_empty() {
            true => e.with_transcript(self.transcript.lines()),
            false => e,
        })
    }

    /// Whose files these are: the server and the user, who may see a tree of their own.
    pub(super) fn server(&self) -> String {
        let settings = &self.pool.shared().settings;
        format!("{}@{}:{}", settings.credentials.user, settings.host, settings.port)
    }

    /// What the sessions of the connection have learnt about the server.
    pub(super) fn server_memory(&self) -> &ServerMemory {
        &self.pool.shared().server
    }

    /// When a file was last modified (MDTM), for a question that nothing may fail of: a server that
    /// hangs up over it twice is not asked any more.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with; a refusal that may pass.
    pub(super) fn stated_time(&mut self, path: &RemotePath) -> Result<Option<Modified>, Error> {
        for _ in 0..2 {
            let session = self.session()?;
            match session.modified(path) {
                Err(e) if !session.is_usable() && e.kind() != ErrorKind::Cancelled => {
                    log::warn!("{path}: {e}");
                }
                other => return other,
            }
        }
        self.server_memory().forbid_times();
        Ok(None)
    }

    /// Whether `error` is the server's answer to one request, and others may follow.
    pub(super) fn is_answered(&mut self, error: &Error) -> bool {
        let is_usable = match self.lease.as_mut().map(Lease::session) {
            Some(Ok(session)) => session.is_usable(),
            _ => false,
        };
        error.report().reply.is_some() && !error.is_retryable() && is_usable
    }

    /// Gives the session back, for whoever waits for one.
    pub(super) fn release(&mut self) {
        self.lease = None;
    }

    /// Gives the session up, which may have been left within a command.
    pub(super) fn release_poisoned(&mut self) {
        if let Some(Ok(session)) = self.lease.as_mut().map(Lease::session) {
            session.poison();
        }
        self.release();
    }

    /// The session of this execution: the one in hand while it is of use, else another.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(super) fn session(&mut self) -> Result<&mut Session, Error> {
        let usable = match &mut self.lease {
            Some(lease) => lease.session()?.is_usable(),
            None => false,
        };
        if !usable {
            self.lease = None;
        }
        let lease = match self.lease.take() {
            Some(lease) => lease,
            None => self.pool.take(&self.cancel, &self.transcript)?,
        };
        self.lease.insert(lease).session()
    }

    /// The directory that names of an input count from: its property if it has one, else the
    /// connection's, else the directory after login.
    ///
    /// # Errors
    ///
    /// `document` when the property is no path; what opening a session can fail with.
    pub(super) fn directory(&mut self, properties: &Properties) -> Result<RemotePath, Error> {
        let session = self.session()?;
        let configured = session.settings().remote_directory.as_deref();
        let text = properties.get(property::REMOTE_DIRECTORY).or(configured).unwrap_or_default();
        session.login_directory().join(text)
    }

    /// Counts attempts at one thing, none of which begins when a transfer that begins now must be
    /// over.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(super) fn backoff(&mut self) -> Result<Backoff, Error> {
        let session = self.session()?;
        Ok(Backoff::new(session.settings().retry).until(session.transfer_limit()))
    }

    /// Pauses before another attempt, where `error` leaves hope for one.
    ///
    /// # Errors
    ///
    /// `error`; `cancelled`.
    pub(super) fn wait(&self, backoff: &mut Backoff, error: Error) -> Result<(), Error> {
        if is_interruption(&error) { backoff.wait(error, &self.cancel) } else { Err(error) }
    }

    /// Does `work`, which changes nothing on the server, until it is not interrupted.
    ///
    /// # Errors
    ///
    /// Those of `work`, after the retries that are configured.
    pub(super) fn repeat<T>(
        &mut self,
        mut work: impl FnMut(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut backoff = self.backoff()?;
        loop {
            match self.session().and_then(&mut work) {
                Ok(value) => return Ok(value),
                Err(e) => self.wait(&mut backoff, e)?,
            }
        }
    }

    /// Does `work` even if the execution is cancelled by now, but not for long.
    ///
    /// # Errors
    ///
    /// Those of `work`; what opening a session can fail with.
    pub(super) fn rescue<T>(
        &mut self,
        work: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.release();
        let (token, _guard) = CancelToken::with_timeout(RESCUE)?;
        let taken = self.pool.take(&token, &self.transcript);
        taken.and_then(|mut lease| lease.session().and_then(work))
    }

    /// Sends a refusal on as a document of its own.
    pub(super) fn deliver_refusal(&mut self, input: u64, error: Error) -> Outcome {
        let properties = Properties::new();
        let delivered = self
            .context
            .begin_result(input, &properties)
            .and_then(|mut sink| sink.finish(&Outcome::ApplicationError(error), &properties));
        match delivered {
            Ok(()) => Outcome::Success,
            Err(e) => Outcome::Failure(e),
        }
    }
}

/// Whether a transfer was cut, so that going on where it stopped makes sense.
///
/// A host that did not take a document has its own reasons. What was repeated in vain already is
/// not repeated again.
fn is_interruption(error: &Error) -> bool {
    let was_repeated = error.report().attempts > 1;
    let is_answer =
        matches!(error.kind(), ErrorKind::Busy | ErrorKind::Host | ErrorKind::Cancelled);
    error.is_retryable() && !was_repeated && !is_answer
}

/// Whether the server refused to begin a transfer anywhere but at its beginning.
pub(super) fn refuses_restart(error: &Error) -> bool {
    error.report().reply.is_some() && error.report().command.as_deref() == Some("REST")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_not_asked_for_again() {
        let kinds = (0..=30).map(ErrorKind::from_number);
        let repeated: Vec<ErrorKind> =
            kinds.filter(|kind| is_interruption(&Error::new(*kind, "failed"))).collect();
        assert_eq!(repeated, [ErrorKind::Unavailable, ErrorKind::Connection, ErrorKind::Timeout]);
        let given_up = Error::new(ErrorKind::Connection, "cut").with_attempts(7);
        assert!(!is_interruption(&given_up));
    }
}
