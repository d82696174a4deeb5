//! Sessions that wait for work, so that a transfer does not have to log in first.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use host_sdk::Error;

use crate::cancel::CancelToken;
use crate::config::ConnectionSettings;
use crate::session::{Session, Shared, TlsFactory};

/// How often a thread that waits for a session looks whether it was cancelled.
const POLL: Duration = Duration::from_millis(20);

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

    /// Takes a session, an idle one or a new one; waits while the maximum is open.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with, after the retries that are configured.
    pub(crate) fn take(self: &Arc<Self>, cancel: &CancelToken) -> Result<Lease, Error> {
        loop {
            let idle = self.idle_or_slot(cancel)?;
            let slot = Slot { pool: Arc::clone(self) };
            let Some(mut session) = idle else {
                let session = Session::open_patiently(&self.shared, cancel)?;
                return Ok(Lease { session: Some(session), slot });
            };
            // A server may have hung up on an idle session; then the next one is asked for.
            if session.is_usable() && session.lease_to(cancel).is_ok() {
                return Ok(Lease { session: Some(session), slot });
            }
        }
    }

    /// An idle session, or `None` and the right to open one.
    fn idle_or_slot(&self, cancel: &CancelToken) -> Result<Option<Session>, Error> {
        let mut state = self.lock();
        loop {
            cancel.check()?;
            if let Some(session) = state.idle.pop_back() {
                return Ok(Some(session));
            }
            if state.open < self.shared.settings.maximum_connections {
                state.open += 1;
                return Ok(None);
            }
            let waited = self.released.wait_timeout(state, POLL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends every idle session.
    pub(crate) fn close(&self) {
        let idle = {
            let mut state = self.lock();
            state.open -= state.idle.len();
            std::mem::take(&mut state.idle)
        };
        for session in idle {
            session.quit();
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
            // The slot's drop takes back what is added here: the session keeps its place.
            state.open += 1;
            state.idle.push_back(session);
        }
    }
}
