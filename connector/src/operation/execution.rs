//! An execution: its sessions, its counts, and what is done again when the network fails.

use std::io;
use std::sync::Arc;
use std::thread::{Builder, Scope};
use std::time::Duration;

use host_sdk::{Context, ExecutionScope, Outcome, Properties};

use super::namesakes::Namesakes;
use super::numbered_names::NumberedNames;
use super::progress::ExecutionProgress;
use super::receive_buffer::ReceiveBuffer;
use super::upload_window::UploadWindow;
use crate::failure::{Cause, Failure, pause_before_retry};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::pool::{Pool, PooledSession};
use crate::session::{ServerBehaviour, Session, Transcript};
use host_sdk::kit::Backoff;
use host_sdk::kit::CancelToken;

/// How long putting right what a cancelled execution had begun may take.
const CLEANUP_TIMEOUT: Duration = Duration::from_secs(10);

/// One thread of an execution: its session, and what all threads count together.
pub(super) struct Execution {
    pub(super) context: Context,
    pub(super) cancel: CancelToken,
    pool: Arc<Pool>,
    lease: Option<PooledSession>,
    /// What was said on the control connection since the document in hand began.
    transcript: Transcript,
    pub(super) progress: ExecutionProgress,
    /// The numbered names of the last target that are taken.
    pub(super) numbers: Option<NumberedNames>,
    /// How much of an upload is kept.
    pub(super) upload_window: UploadWindow,
    /// Where the bytes of its downloads arrive.
    pub(super) receive_buffer: ReceiveBuffer,
    /// The targets that were overwritten.
    pub(super) namesakes: Namesakes,
}

impl Execution {
    /// An execution that has done nothing yet.
    pub(super) fn new(pool: Arc<Pool>, context: Context) -> Self {
        Self {
            cancel: CancelToken::for_context(&context),
            progress: ExecutionProgress::new(context.clone()),
            context,
            pool,
            lease: None,
            transcript: Transcript::default(),
            numbers: None,
            receive_buffer: ReceiveBuffer::default(),
            upload_window: UploadWindow::default(),
            namesakes: Namesakes::default(),
        }
    }

    /// Starts a thread that does `work` with a session of its own, if it `is_needed` still when the
    /// thread begins, and a session is to spare.
    ///
    /// # Errors
    ///
    /// The system's, where no thread can be started.
    pub(super) fn start_thread<'scope>(
        &self,
        scope: &'scope Scope<'scope, '_>,
        is_needed: impl FnOnce() -> bool + Send + 'scope,
        work: impl FnOnce(&mut Self) + Send + 'scope,
    ) -> io::Result<()> {
        let mut worker = self.for_another_thread();
        let thread = Builder::new().name("ftp transfer".to_owned());
        let run = move || {
            let _records = ExecutionScope::enter(worker.context.execution_id());
            // Each thread logs in by itself, and only while there is something to do.
            if is_needed() && worker.take_spare_session() {
                work(&mut worker);
            }
        };
        thread.spawn_scoped(scope, run).map(drop)
    }

    /// The same execution for another thread, which takes a session of its own.
    fn for_another_thread(&self) -> Self {
        Self {
            context: self.context.clone(),
            cancel: self.cancel.clone(),
            pool: Arc::clone(&self.pool),
            lease: None,
            transcript: Transcript::default(),
            progress: self.progress.clone(),
            numbers: None,
            receive_buffer: ReceiveBuffer::default(),
            upload_window: self.upload_window,
            namesakes: Namesakes::default(),
        }
    }

    /// Takes a session where one is to be had beside those that are in use; whether there was one.
    fn take_spare_session(&mut self) -> bool {
        match self.pool.try_take(&self.cancel, &self.transcript) {
            Ok(lease) => self.lease = lease,
            // The server allows fewer sessions than are configured.
            Err(e) => log::info!("one transfer less at a time: {e}"),
        }
        self.lease.is_some()
    }

    /// Does the work of one document; an error tells what was said meanwhile.
    pub(super) fn document<T>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.transcript.clear();
        if let Some(Ok(session)) = self.lease.as_mut().map(PooledSession::session) {
            session.begin_document();
        }
        work(self).map_err(|e| e.with_transcript(|| self.transcript.lines()))
    }

    /// Whose files these are: the server and the user, who may see a tree of their own.
    pub(super) fn server(&self) -> String {
        let settings = &self.pool.shared().settings;
        format!("{}@{}:{}", settings.credentials.user, settings.host, settings.port)
    }

    /// What the sessions of the connection have learnt about the server.
    pub(super) fn server_behaviour(&self) -> &ServerBehaviour {
        &self.pool.shared().server
    }

    /// When a file was last modified (MDTM), for a question that nothing may fail of: a server that
    /// hangs up over it twice is not asked any more.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with; a refusal that may pass.
    pub(super) fn stated_time(&mut self, path: &RemotePath) -> Result<Option<Modified>, Failure> {
        for _ in 0..2 {
            let session = self.session()?;
            match session.modified(path) {
                Err(e) if !session.is_usable() && !e.is(Cause::Cancelled) => {
                    log::warn!("{path}: {e}");
                }
                other => return other,
            }
        }
        self.server_behaviour().forbid_times();
        Ok(None)
    }

    /// Whether `error` is the server's answer to one request, and others may follow.
    pub(super) fn is_lasting_refusal(&mut self, error: &Failure) -> bool {
        let is_usable = match self.lease.as_mut().map(PooledSession::session) {
            Some(Ok(session)) => session.is_usable(),
            _ => false,
        };
        error.is_answer() && !error.is_transient() && is_usable
    }

    /// The session, where there is one in hand that is of use.
    pub(super) fn session_in_hand(&mut self) -> Option<&mut Session> {
        let session = self.lease.as_mut()?.session().ok()?;
        session.is_usable().then_some(session)
    }

    /// Gives the session back, for whoever waits for one.
    pub(super) fn release(&mut self) {
        self.lease = None;
    }

    /// Gives the session up, which may have been left within a command.
    pub(super) fn release_poisoned(&mut self) {
        if let Some(Ok(session)) = self.lease.as_mut().map(PooledSession::session) {
            session.poison();
        }
        self.release();
    }

    /// The session of this execution: the one in hand while it is of use, else another.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(super) fn session(&mut self) -> Result<&mut Session, Failure> {
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

    /// Counts attempts at one thing, none of which begins when a transfer that begins now must be
    /// over.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(super) fn backoff(&mut self) -> Result<Backoff, Failure> {
        let session = self.session()?;
        Ok(Backoff::new(session.settings().retry).until(session.transfer_limit()))
    }

    /// Pauses before another attempt, where `error` leaves hope for one.
    ///
    /// # Errors
    ///
    /// `error`; `cancelled`.
    pub(super) fn wait(&self, backoff: &mut Backoff, error: Failure) -> Result<(), Failure> {
        if error.is_interruption() {
            pause_before_retry(backoff, error, &self.cancel)
        } else {
            Err(error)
        }
    }

    /// Does `work`, which changes nothing on the server, until it is not interrupted.
    ///
    /// # Errors
    ///
    /// Those of `work`, after the retries that are configured.
    pub(super) fn repeat<T>(
        &mut self,
        mut work: impl FnMut(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
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
    pub(super) fn run_after_cancel<T>(
        &mut self,
        work: impl FnOnce(&mut Session) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.release();
        let (token, _guard) = CancelToken::with_timeout(CLEANUP_TIMEOUT)?;
        let taken = self.pool.take(&token, &self.transcript);
        taken.and_then(|mut lease| lease.session().and_then(work))
    }

    /// Sends a refusal on as a document of its own.
    pub(super) fn deliver_refusal(&mut self, input: u64, error: Failure) -> Outcome {
        let properties = Properties::new();
        let delivered = self.context.begin_result(input, &properties).and_then(|mut sink| {
            sink.finish(&Outcome::ApplicationError(error.into()), &properties)
        });
        match delivered {
            Ok(()) => Outcome::Success,
            Err(e) => Outcome::Failure(e),
        }
    }
}
