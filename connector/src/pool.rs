//! Sessions that wait for work, so that a transfer does not have to log in first.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use host_sdk::{Error, ErrorKind};

use crate::config::ConnectionSettings;
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
    pub(crate) fn new(settings: ConnectionSettings) -> Result<Arc<Self>, Error> {
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
    pub(crate) fn join(&self) {
        self.lock().operations += 1;
    }

    /// An operation will take no more sessions.
    pub(crate) fn leave(&self) {
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
    ) -> Result<Lease, Error> {
        let next = || self.idle_or_slot(cancel).map(Some);
        self.lease(cancel, transcript, Session::open_patiently, next)
            .and_then(|lease| lease.ok_or_else(|| Error::internal("no session and no reason")))
    }

    /// Takes a session where that leaves one for every other operation; never waits.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(crate) fn take_spare(
        self: &Arc<Self>,
        cancel: &CancelToken,
        transcript: &Transcript,
    ) -> Result<Option<Lease>, Error> {
        self.lease(cancel, transcript, Session::open, || Ok(self.spare()))
    }

    fn lease(
        self: &Arc<Self>,
        cancel: &CancelToken,
        transcript: &Transcript,
        open: fn(&Arc<Shared>, &CancelToken, &Transcript, Deadline) -> Result<Session, Error>,
        next: impl Fn() -> Result<Option<Option<Session>>, Error>,
    ) -> Result<Option<Lease>, Error> {
        loop {
            let Some(idle) = next()? else { return Ok(None) };
            let slot = Slot { pool: Arc::clone(self) };
            let Some(mut session) = idle else {
                let session = open(&self.shared, cancel, transcript, Deadline::never())?;
                return Ok(Some(Lease { session: Some(session), slot }));
            };
            // A server may have hung up on an idle session; then the next one is asked for.
            let is_leased = session.is_usable() && session.lease_to(cancel, transcript).is_ok();
            if is_leased && session.is_awake() {
                return Ok(Some(Lease { session: Some(session), slot }));
            }
        }
    }

    /// An idle session, or `None` and the right to open one.
    fn idle_or_slot(self: &Arc<Self>, cancel: &CancelToken) -> Result<Option<Session>, Error> {
        let pool = Arc::clone(self);
        let _hook = cancel.on_cancel(move || {
            // With the lock, a waiting thread has either seen the cancel or sleeps already.
            let _state = pool.lock();
            pool.released.notify_all();
        });
        let limit = self.shared.settings.connection_timeout;
        let deadline = Deadline::after(limit, "maximumConnections");
        let mut state = self.lock();
        // Whoever asks after a close begins anew.
        state.closed = false;
        loop {
            cancel.check()?;
            let left = deadline.remaining("waiting for a session").map_err(|_| {
                let maximum = self.shared.settings.maximum_connections;
                Error::new(ErrorKind::Busy, format!("all {maximum} sessions are in use"))
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
struct Slot {
    pool: Arc<Pool>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.pool.lock().open -= 1;
        self.pool.released.notify_one();
    }
}

/// A session in use; dropped, it goes back to its pool, unless it is of no use any more.
pub(crate) struct Lease {
    session: Option<Session>,
    slot: Slot,
}

impl Lease {
    /// The session.
    ///
    /// # Errors
    ///
    /// `internal`, never in practice: the session is there until the lease is dropped.
    pub(crate) fn session(&mut self) -> Result<&mut Session, Error> {
        self.session.as_mut().ok_or_else(|| Error::internal("a lease without its session"))
    }
}

impl Drop for Lease {
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
