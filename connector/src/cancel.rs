//! Cancellation: one token for an execution, and every socket that must not keep it waiting.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use host_sdk::{Context, Error};

use crate::shortage;

/// Shared by an execution's threads; cancelling shuts every registered socket down, so that a
/// blocked read or write returns at once.
#[derive(Clone, Default)]
pub(crate) struct CancelToken {
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    cancelled: AtomicBool,
    next: AtomicU64,
    sockets: Mutex<HashMap<u64, TcpStream>>,
}

impl CancelToken {
    /// The token that `context` fires.
    pub(crate) fn of(context: &Context) -> Self {
        let token = Self::default();
        let fired = token.clone();
        context.on_cancel(Box::new(move || fired.cancel()));
        token
    }

    /// A token that cancels by itself after `limit`, unless the guard is dropped before: for what
    /// has to be put right although the execution is cancelled.
    ///
    /// # Errors
    ///
    /// `busy` when no thread can be started: without one, nothing would end the work.
    pub(crate) fn lasting(limit: Duration) -> Result<(Self, Sender<()>), Error> {
        let token = Self::default();
        let expiring = token.clone();
        let (guard, over) = mpsc::channel();
        let expires = move || {
            if over.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                expiring.cancel();
            }
        };
        std::thread::Builder::new()
            .name("ftp-rescue".to_owned())
            .spawn(expires)
            .map_err(|e| shortage::of_threads("tidying up", &e))?;
        Ok((token, guard))
    }

    /// Cancels: never blocks, and may be called more than once.
    pub(crate) fn cancel(&self) {
        self.state.cancelled.store(true, Ordering::Release);
        let sockets = self.state.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        for socket in sockets.values() {
            // A socket that is closed already has nobody waiting on it.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Whether it was cancelled.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.state.cancelled.load(Ordering::Acquire)
    }

    /// The `cancelled` error, if it was.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.is_cancelled() { Err(Error::cancelled()) } else { Ok(()) }
    }

    /// Registers `socket` until the guard is dropped.
    pub(crate) fn watch(&self, socket: &TcpStream) -> std::io::Result<SocketRegistration> {
        let id = self.state.next.fetch_add(1, Ordering::Relaxed);
        let clone = socket.try_clone()?;
        let mut sockets = self.state.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.insert(id, clone);
        drop(sockets);
        if self.is_cancelled() {
            // Cancelled between two steps: the hook has already passed over the sockets.
            let _ = socket.shutdown(Shutdown::Both);
        }
        Ok(SocketRegistration { token: self.clone(), id })
    }
}

/// Keeps a socket registered.
pub(crate) struct SocketRegistration {
    token: CancelToken,
    id: u64,
}

impl Drop for SocketRegistration {
    fn drop(&mut self) {
        let mut sockets = self.token.state.sockets.lock().unwrap_or_else(PoisonError::into_inner);
        sockets.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_blocked_read_returns_when_cancelled() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let token = CancelToken::default();
        let watch = token.watch(&client).unwrap();
        let (started, ready) = mpsc::channel();
        let reader = std::thread::spawn(move || {
            started.send(()).unwrap();
            client.read(&mut [0]).unwrap()
        });
        ready.recv().unwrap();
        token.cancel();
        assert_eq!(reader.join().unwrap(), 0);
        drop(watch);
        assert!(token.state.sockets.lock().unwrap().is_empty());
    }

    #[test]
    fn a_socket_registered_too_late_is_shut_down_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let token = CancelToken::default();
        token.cancel();
        let _watch = token.watch(&client).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }
}
