//! Cancellation: one token for an execution, and everything that must not keep it waiting.

use std::collections::HashMap;
use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::shortage;
use crate::error::Error;
use crate::host::context::Context;

/// Shared by the threads of an execution. Cancelling shuts every registered socket down, so that
/// a blocked read or write returns at once, calls every hook and ends every [`CancelToken::sleep`].
#[derive(Clone, Default)]
pub struct CancelToken {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    /// Set once, under the lock of `waiting`; read without it.
    is_cancelled: AtomicBool,
    waiting: Mutex<Waiting>,
    cancelled: Condvar,
}

#[derive(Default)]
struct Waiting {
    next: u64,
    targets: HashMap<u64, Target>,
}

enum Target {
    Socket(TcpStream),
    Hook(Arc<dyn Fn() + Send + Sync>),
}

impl CancelToken {
    /// The token that `context` cancels.
    #[must_use]
    pub fn for_context(context: &Context) -> Self {
        let token = Self::default();
        let cancelled = token.clone();
        context.on_cancel(Box::new(move || cancelled.cancel()));
        token
    }

    /// A token that cancels itself after `limit`, unless the guard is dropped before: for cleanup
    /// that must happen although the execution is cancelled.
    ///
    /// # Errors
    ///
    /// `busy` if no thread can be started: without one, nothing would end the work.
    pub fn with_timeout(limit: Duration) -> Result<(Self, TimeoutGuard), Error> {
        let token = Self::default();
        let expiring = token.clone();
        let (guard, ended) = mpsc::channel();
        let expire = move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                expiring.cancel();
            }
        };
        std::thread::Builder::new()
            .name("cancel-timeout".to_owned())
            .spawn(expire)
            .map_err(|e| shortage::of_threads("tidying up", &e))?;
        Ok((token, TimeoutGuard { _ended: guard }))
    }

    /// Cancels. Does not block, and may be called more than once.
    pub fn cancel(&self) {
        let mut hooks = Vec::new();
        {
            let waiting = self.waiting();
            if self.state.is_cancelled.swap(true, Ordering::AcqRel) {
                return;
            }
            for target in waiting.targets.values() {
                match target {
                    // A socket that is closed already blocks no thread.
                    Target::Socket(socket) => drop(socket.shutdown(Shutdown::Both)),
                    Target::Hook(hook) => hooks.push(Arc::clone(hook)),
                }
            }
            self.state.cancelled.notify_all();
        }
        // Without the lock: a hook may take locks under which others register.
        for hook in hooks {
            hook();
        }
    }

    /// True if it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.state.is_cancelled.load(Ordering::Acquire)
    }

    /// Fails if it was cancelled.
    ///
    /// # Errors
    ///
    /// `cancelled`.
    pub fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Waits for `pause`, or until it is cancelled.
    ///
    /// # Errors
    ///
    /// `cancelled`.
    pub fn sleep(&self, pause: Duration) -> Result<(), Error> {
        let waited = self
            .state
            .cancelled
            .wait_timeout_while(self.waiting(), pause, |_| !self.is_cancelled());
        drop(waited);
        self.check()
    }

    /// Has `socket` shut down when it is cancelled, until the registration is dropped. Shuts it
    /// down at once if it was cancelled already.
    ///
    /// # Errors
    ///
    /// What duplicating the socket fails with, such as too many open files.
    pub fn register(&self, socket: &TcpStream) -> io::Result<Registration> {
        let registration = self.add(Target::Socket(socket.try_clone()?));
        if self.is_cancelled() {
            // The sockets were shut down before this one was among them.
            let _ = socket.shutdown(Shutdown::Both);
        }
        Ok(registration)
    }

    /// Has `hook` called once when it is cancelled, until the registration is dropped; a call that
    /// has begun then still ends. Calls it at once if it was cancelled already.
    ///
    /// The hook must not block for long: all other hooks wait for it.
    pub fn on_cancel(&self, hook: impl Fn() + Send + Sync + 'static) -> Registration {
        let hook: Arc<dyn Fn() + Send + Sync> = Arc::new(hook);
        let is_late;
        let registration = {
            let mut waiting = self.waiting();
            // Under the lock, so that exactly one side calls it.
            is_late = self.is_cancelled();
            self.insert(&mut waiting, Target::Hook(Arc::clone(&hook)))
        };
        if is_late {
            hook();
        }
        registration
    }

    fn add(&self, target: Target) -> Registration {
        self.insert(&mut self.waiting(), target)
    }

    fn insert(&self, waiting: &mut Waiting, target: Target) -> Registration {
        let id = waiting.next;
        waiting.next += 1;
        waiting.targets.insert(id, target);
        Registration { token: self.clone(), id }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps a socket or a hook registered with its token.
#[must_use = "dropped, it ends the registration"]
pub struct Registration {
    token: CancelToken,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        let target = self.token.waiting().targets.remove(&self.id);
        // Without the lock: what a hook owns may register and end registrations itself.
        drop(target);
    }
}

/// Keeps the time-out of [`CancelToken::with_timeout`] running.
#[must_use = "dropped, it ends the time-out"]
pub struct TimeoutGuard {
    _ended: Sender<()>,
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::atomic::AtomicUsize;
    use std::time::Instant;

    use super::*;

    #[test]
    fn a_blocked_read_returns_when_cancelled() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let token = CancelToken::default();
        let registration = token.register(&client).unwrap();
        let (started, ready) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            started.send(()).unwrap();
            client.read(&mut [0]).unwrap()
        });
        ready.recv().unwrap();
        token.cancel();
        assert_eq!(reader.join().unwrap(), 0);
        drop(registration);
        assert!(token.waiting().targets.is_empty());
    }

    #[test]
    fn a_socket_registered_too_late_is_shut_down_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let token = CancelToken::default();
        token.cancel();
        let _registration = token.register(&client).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_hook_is_called_once_whether_it_comes_before_or_after() {
        let token = CancelToken::default();
        let calls = Arc::new(AtomicUsize::new(0));
        let count = || {
            let calls = Arc::clone(&calls);
            move || {
                calls.fetch_add(1, Ordering::Relaxed);
            }
        };
        let _before = token.on_cancel(count());
        drop(token.on_cancel(count()));
        token.cancel();
        token.cancel();
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        let _after = token.on_cancel(count());
        assert_eq!(calls.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_sleep_ends_by_its_time_and_when_cancelled() {
        let token = CancelToken::default();
        let begun = Instant::now();
        token.sleep(Duration::from_millis(20)).unwrap();
        assert!(begun.elapsed() >= Duration::from_millis(20));
        let sleeper = token.clone();
        let thread = std::thread::spawn(move || sleeper.sleep(Duration::from_secs(600)));
        token.cancel();
        assert_eq!(thread.join().unwrap(), Err(Error::cancelled()));
        assert!(begun.elapsed() < Duration::from_secs(60));
        assert_eq!(token.sleep(Duration::ZERO), Err(Error::cancelled()));
    }

    #[test]
    fn a_token_with_a_time_out_cancels_itself_unless_its_guard_is_dropped() {
        let (token, _guard) = CancelToken::with_timeout(Duration::from_millis(1)).unwrap();
        assert_eq!(token.sleep(Duration::from_secs(60)), Err(Error::cancelled()));
        let (token, guard) = CancelToken::with_timeout(Duration::from_millis(50)).unwrap();
        drop(guard);
        token.sleep(Duration::from_millis(100)).unwrap();
    }
}
