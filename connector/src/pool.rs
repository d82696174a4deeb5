//! Sessions that wait for work, so that a transfer does not have to log in first.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::config::ConnectionSettings;
use crate::failure::{Cause, Failure};
use crate::session::{Session, Shared, Transcript};
use crate::transport::tls::factory::TlsFactory;
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;

/// The sessions of one connection.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    state: Mutex<State>,
    released: Condvar,
}

#[derive(Default)]
struct State {
    idle: VecDeque<Session>,
    /// Sessions that exist: idle, in use, or being opened.
    open: usize,
    /// Operations that use this pool; each may need a session while the others hold theirs.
    operations: usize,
    /// Whether sessions that come back are ended.
    closed: bool,
}

impl Pool {
    /// A pool without sessions.
    ///
    /// # Errors
    ///
    /// `configuration` when certificates or keys cannot be used.
    pub(crate) fn new(settings: ConnectionSettings) -> Result<Arc<Self>, Failure> {
        let tls = match settings.security {
            crate::config::Security::None => None,
            _ => Some(TlsFactory::new(&settings.tls, &settings.host)?),
        };
        Ok(Arc::new(Self {
            shared: Arc::new(Shared { settings, tls, server: Default::default() }),
            state: Mutex::default(),
            released: Condvar::new(),
        }))
    }

    /// What the sessions share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Another operation will take sessions.
    pub(crate) fn add_operation(&self) {
        self.lock().operations += 1;
    }

    /// An operation will take no more sessions.
    pub(crate) fn remove_operation(&self) {
        self.lock().operations -= 1;
    }

    /// Takes a session, an idle one or a new one; waits while the maximum is open, as long as
    /// connecting may take.
    ///
    /// # Errors
    ///
    /// `busy` when none comes free; what opening a session can fail with, after the retries that
    /// are configured.
    pub(crate) fn take(
        self: &Arc<Self>,
        cancel: &CancelToken,
        transcript: &Transcript,
    ) -> Result<PooledSession, Failure> {
        let next = || self.idle_or_slot(cancel).map(Some);
        self.lease(cancel, transcript, Session::open_with_retry, next)
            .and_then(|lease| lease.ok_or_else(|| Failure::internal("no session and no reason")))
    }

    /// Takes a session where that leaves one for every other operation; never waits.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(crate) fn try_take(
        self: &Arc<Self>,
        cancel: &CancelToken,
        transcript: &Transcript,
    ) -> Result<Option<PooledSession>, Failure> {
        self.lease(cancel, transcript, Session::open, || Ok(self.spare()))
    }

    fn lease(
        self: &Arc<Self>,
        cancel: &CancelToken,
        transcript: &Transcript,
        open: fn(&Arc<Shared>, &CancelToken, &Transcript, Deadline) -> Result<Session, Failure>,
        next: impl Fn() -> Result<Option<Option<Session>>, Failure>,
    ) -> Result<Option<PooledSession>, Failure> {
        loop {
            let Some(idle) = next()? else { return Ok(None) };
            let slot = Permit { pool: Arc::clone(self) };
            let Some(mut session) = idle else {
                let session = open(&self.shared, cancel, transcript, Deadline::never())?;
                return Ok(Some(PooledSession { session: Some(session), slot }));
            };
            // A server may have hung up on an idle session; then the next one is asked for.
            let is_leased = session.is_usable() && session.attach(cancel, transcript).is_ok();
            if is_leased && session.is_alive() {
                return Ok(Some(PooledSession { session: Some(session), slot }));
            }
        }
    }

    /// An idle session, or `None` and the right to open one.
    fn idle_or_slot(self: &Arc<Self>, cancel: &CancelToken) -> Result<Option<Session>, Failure> {
        let limit = self.shared.settings.connection_timeout;
        let deadline = Deadline::after(limit, "maximumConnections");
        let pool = Arc::clone(self);
        let _hook = cancel.on_cancel(move || {
            // With the lock, a waiting thread has either seen the cancel or sleeps already.
            let _state = pool.lock();
            pool.released.notify_all();
        });
        let mut state = self.lock();
        // Whoever asks after a close begins anew.
        state.closed = false;
        loop {
            cancel.check()?;
            let left = deadline.remaining("waiting for a session").map_err(|_| {
                let maximum = self.shared.settings.maximum_connections;
                Failure::new(Cause::Busy, format!("all {maximum} sessions are in use"))
                    .with_hint("raise maximumConnections, or lower parallelTransfers")
            })?;
            if let Some(session) = state.idle.pop_back() {
                return Ok(Some(session));
            }
            if state.open < self.shared.settings.maximum_connections {
                state.open += 1;
                return Ok(None);
            }
            state = match left {
                Some(left) => {
                    let waited = self.released.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.released.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// An idle session, or the right to open one, if that leaves one for every other operation.
    fn spare(&self) -> Option<Option<Session>> {
        let mut state = self.lock();
        let others = state.operations.saturating_sub(1);
        let in_use = state.open - state.idle.len();
        if in_use + 1 + others > self.shared.settings.maximum_connections {
            return None;
        }
        let idle = state.idle.pop_back();
        if idle.is_none() {
            state.open += 1;
        }
        Some(idle)
    }

    /// Ends every idle session, and those in use when they come back.
    pub(crate) fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.closed = true;
            state.open -= state.idle.len();
            std::mem::take(&mut state.idle)
        };
        let deadline = Session::goodbye();
        for session in idle {
            session.quit(deadline);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to have one session open.
struct Permit {
    pool: Arc<Pool>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.pool.lock().open -= 1;
        self.pool.released.notify_one();
    }
}

/// A session in use; dropped, it goes back to its pool, unless it is of no use any more.
pub(crate) struct PooledSession {
    session: Option<Session>,
    slot: Permit,
}

impl PooledSession {
    /// The session.
    ///
    /// # Errors
    ///
    /// `internal`, never in practice: the session is there until the lease is dropped.
    pub(crate) fn session(&mut self) -> Result<&mut Session, Failure> {
        self.session.as_mut().ok_or_else(|| Failure::internal("a lease without its session"))
    }
}

impl Drop for PooledSession {
    fn drop(&mut self) {
        let Some(mut session) = self.session.take() else { return };
        session.release();
        if session.is_usable() {
            let mut state = self.slot.pool.lock();
            if state.closed {
                drop(state);
                session.quit(Session::goodbye());
                return;
            }
            // The slot's drop takes back what is added here: the session keeps its place.
            state.open += 1;
            state.idle.push_back(session);
        }
    }
}
