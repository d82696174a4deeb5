//! An execution: its sessions, its counts, and what is done again when the network fails.

use std::sync::Arc;
use std::time::Duration;

use host_sdk::{Context, Error, ErrorKind, Outcome, Properties};

use super::meter::Meter;
use crate::cancel::CancelToken;
use crate::descriptor::property;
use crate::pool::{Lease, Pool};
use crate::remote_path::RemotePath;
use crate::retry::Backoff;
use crate::session::{Session, Transcript, missing};

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
}

impl Run {
    /// An execution that has done nothing yet.
    pub(super) fn new(pool: Arc<Pool>, context: Context) -> Self {
        Self {
            cancel: CancelToken::of(&context),
            meter: Meter::new(context.clone()),
            context,
            pool,
            lease: None,
            transcript: Transcript::default(),
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

    /// Gives the session back, for whoever waits for one.
    pub(super) fn release(&mut self) {
        self.lease = None;
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
        Ok(Backoff::new(session.settings().retry).by(session.transfer_limit()))
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

    /// Deletes a file. Where the answer got lost, a look tells whether it was done: it was where
    /// nothing is there any more, and where a file of another `size` is, which somebody has
    /// written since.
    ///
    /// # Errors
    ///
    /// Those of [`Session::delete`], after the retries that are configured.
    pub(super) fn delete(&mut self, path: &RemotePath, size: Option<u64>) -> Result<(), Error> {
        let mut backoff = self.backoff()?;
        let mut was_sent = false;
        loop {
            match self.session()?.delete(path) {
                Ok(()) => return Ok(()),
                // The answer that got lost was that it was done.
                Err(e) if was_sent && e.kind() == ErrorKind::NotFound => return Ok(()),
                Err(e) => {
                    let is_busy = e.kind() == ErrorKind::Unavailable;
                    was_sent |= e.report().outcome_unknown;
                    self.wait(&mut backoff, e)?;
                    if is_busy {
                        continue;
                    }
                }
            }
            let left = self.repeat(|session| match session.known_size(path) {
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
                known => known.map(Some),
            });
            match left.map_err(|e| e.with_outcome_unknown())? {
                None => return Ok(()),
                Some(now) if size.is_some() && now.is_some() && now != size => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// Renames a file to a name that is free. Where the answer got lost, a look tells whether it
    /// was done.
    ///
    /// # Errors
    ///
    /// Those of [`Session::rename`], after the retries that are configured.
    pub(super) fn rename(&mut self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        // What is there under a name that was free is what was renamed; the old name may have
        // been written anew by then.
        self.rename_until(from, to, |session| session.exists(to))
    }

    /// Renames a file whose name nobody else uses to one that may be taken. Where the answer got
    /// lost, a look tells whether it was done.
    ///
    /// # Errors
    ///
    /// Those of [`Session::rename`], after the retries that are configured.
    pub(super) fn rename_over(&mut self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        self.rename_until(from, to, |session| Ok(!session.exists(from)? && session.exists(to)?))
    }

    fn rename_until(
        &mut self,
        from: &RemotePath,
        to: &RemotePath,
        mut is_done: impl FnMut(&mut Session) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut backoff = self.backoff()?;
        loop {
            match self.session()?.rename(from, to) {
                Ok(()) => return Ok(()),
                Err(e) => {
                    let is_busy = e.kind() == ErrorKind::Unavailable;
                    self.wait(&mut backoff, e)?;
                    if is_busy {
                        continue;
                    }
                }
            }
            if self.repeat(&mut is_done).map_err(|e| e.with_outcome_unknown())? {
                return Ok(());
            }
        }
    }

    /// Whether `path` can be deleted once it was read: tried by renaming it and back, which needs
    /// the same right to its directory.
    ///
    /// # Errors
    ///
    /// `permission`, `notFound`; what a command can fail with.
    pub(super) fn check_removable(&mut self, path: &RemotePath) -> Result<(), Error> {
        let name = format!("{}.{:016x}", path.file_name(), crate::retry::chance());
        let aside = path.parent().entry(&name)?;
        let tried = self.rename(path, &aside).and_then(|()| {
            // Somebody may have written it anew in that moment: then both are kept.
            self.repeat(|session| require_free(session, path))?;
            self.rename(&aside, path)
        });
        match tried {
            Err(e) => {
                // However far it came, also for an execution that is cancelled by now.
                self.put_back(&aside, path)?;
                let is_gone = e.kind() == ErrorKind::Permission
                    && !self.repeat(|session| session.exists(path))?;
                Err(if is_gone { missing(e) } else { e })
            }
            Ok(()) => Ok(()),
        }
    }

    /// Releases a lock, even if the execution is cancelled by now.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(super) fn unlock(&mut self, lock: &RemotePath) -> Result<(), Error> {
        match self.session().and_then(|session| session.remove_directory(lock)) {
            Err(e) if e.kind() == ErrorKind::Cancelled => {
                self.rescue(|session| session.remove_directory(lock))
            }
            other => other,
        }
    }

    /// Does `work` even if the execution is cancelled by now, but not for long.
    fn rescue<T>(
        &mut self,
        work: impl FnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.release();
        let (token, _guard) = CancelToken::lasting(RESCUE);
        let taken = self.pool.take(&token, &self.transcript);
        taken.and_then(|mut lease| lease.session().and_then(work))
    }

    /// Renames `aside` to `path`, where it came from, even if the execution is cancelled by now.
    ///
    /// # Errors
    ///
    /// What a command can fail with; its hint tells where the file is.
    pub(super) fn put_back(&mut self, aside: &RemotePath, path: &RemotePath) -> Result<(), Error> {
        let put_back = self.rescue(|session| {
            if !session.exists(aside)? {
                return Ok(());
            }
            require_free(session, path)?;
            session.rename(aside, path)
        });
        put_back.map_err(|e| e.with_hint(format!("the file lies under {aside} now")))
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

/// Refuses where somebody has written `path` anew: neither of the two may be lost.
///
/// A file that was read is one whose size the server tells, so that a refused SIZE is enough: a
/// listing for each file would cost as many lines as there are files.
fn require_free(session: &mut Session, path: &RemotePath) -> Result<(), Error> {
    let is_taken = match session.size(path) {
        Ok(Some(_)) => true,
        Ok(None) => session.exists(path)?,
        Err(e) if e.kind() == ErrorKind::NotFound => false,
        Err(e) => return Err(e),
    };
    if is_taken {
        return Err(Error::new(ErrorKind::AlreadyExists, format!("{path} exists again"))
            .with_path(path.to_string()));
    }
    Ok(())
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
