//! Stopping early: Ctrl-C, and a deadline.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use host_sdk::{Error, ErrorKind};

use crate::locks::lock;

type Hook = Arc<dyn Fn() + Send + Sync>;

/// Cancels a run and wakes everything in it that waits.
#[derive(Default)]
pub struct Cancellation {
    raised: AtomicBool,
    state: Mutex<State>,
    changed: Condvar,
    deadline: Option<Instant>,
}

#[derive(Default)]
struct State {
    reason: Option<Error>,
    hooks: BTreeMap<u64, Hook>,
    next_hook: u64,
    run_over: bool,
}

impl Cancellation {
    /// A new one without a deadline.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// A new one that cancels itself `after` this time, if a run is active then.
    #[must_use]
    pub fn with_deadline(after: Duration) -> Arc<Self> {
        Arc::new(Self { deadline: Instant::now().checked_add(after), ..Self::default() })
    }

    /// Cancels, as Ctrl-C does. Later calls have no effect.
    pub fn cancel(&self) {
        self.cancel_with(Error::cancelled());
    }

    fn cancel_with(&self, reason: Error) {
        let hooks: Vec<Hook> = {
            let mut state = lock(&self.state);
            if state.reason.is_some() {
                return;
            }
            state.reason = Some(reason);
            self.raised.store(true, Ordering::Release);
            self.changed.notify_all();
            state.hooks.values().cloned().collect()
        };
        // Outside the lock: a hook can wake a thread that registers or drops another hook.
        for hook in hooks {
            hook();
        }
    }

    /// True once it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.raised.load(Ordering::Acquire)
    }

    /// Why it was cancelled: kind `cancelled`, or `timeout` for the deadline.
    #[must_use]
    pub fn reason(&self) -> Option<Error> {
        if self.is_cancelled() { lock(&self.state).reason.clone() } else { None }
    }

    /// Fails once it was cancelled.
    ///
    /// # Errors
    ///
    /// `cancelled`, or `timeout` for the deadline.
    pub fn check(&self) -> Result<(), Error> {
        self.reason().map_or(Ok(()), Err)
    }

    /// The time left until the deadline.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()))
    }

    /// Calls `hook` when it is cancelled, or at once if it already is, as long as the subscription
    /// exists. The hook must not block.
    pub fn subscribe(self: &Arc<Self>, hook: impl Fn() + Send + Sync + 'static) -> Subscription {
        let hook: Hook = Arc::new(hook);
        let number = {
            let mut state = lock(&self.state);
            if state.reason.is_none() {
                state.next_hook += 1;
                let number = state.next_hook;
                state.hooks.insert(number, hook);
                return Subscription { cancellation: Arc::clone(self), number };
            }
            0
        };
        hook();
        Subscription { cancellation: Arc::clone(self), number }
    }

    /// Waits until [`Self::run_ended`], and cancels at the deadline.
    pub(crate) fn watch(&self) {
        let Some(deadline) = self.deadline else { return };
        let mut state = lock(&self.state);
        while !state.run_over && state.reason.is_none() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                drop(state);
                self.cancel_with(
                    Error::new(ErrorKind::Timeout, "the process did not end before its deadline")
                        .with_hint("raise --deadline, or leave it out"),
                );
                return;
            }
            state =
                self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Ends [`Self::watch`].
    pub(crate) fn run_ended(&self) {
        lock(&self.state).run_over = true;
        self.changed.notify_all();
    }
}

/// Keeps a hook registered; see [`Cancellation::subscribe`].
#[must_use = "the hook is forgotten when this is dropped"]
pub struct Subscription {
    cancellation: Arc<Cancellation>,
    number: u64,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // The hook is dropped after the lock is released: it can own the subscriber.
        let _hook = lock(&self.cancellation.state).hooks.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use super::*;

    #[test]
    fn hooks_fire_once_and_late_ones_at_once() {
        let cancellation = Cancellation::new();
        let fired = Arc::new(AtomicU32::new(0));
        let count = |fired: &Arc<AtomicU32>| {
            let fired = Arc::clone(fired);
            move || {
                fired.fetch_add(1, Ordering::SeqCst);
            }
        };
        let _kept = cancellation.subscribe(count(&fired));
        drop(cancellation.subscribe(count(&fired)));
        cancellation.cancel();
        cancellation.cancel();
        assert_eq!(fired.load(Ordering::SeqCst), 1);
        let _late = cancellation.subscribe(count(&fired));
        assert_eq!(fired.load(Ordering::SeqCst), 2);
        assert_eq!(cancellation.reason().unwrap().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_deadline_cancels_with_a_timeout() {
        let cancellation = Cancellation::with_deadline(Duration::ZERO);
        cancellation.watch();
        assert_eq!(cancellation.reason().unwrap().kind(), ErrorKind::Timeout);
    }
}
