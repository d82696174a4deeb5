//! Points in time by which something must have happened.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::cancel::CancelToken;
use super::shortage;
use crate::error::Error;

/// The shortest time-out of a socket: zero means no time-out to the system.
const SHORTEST: Duration = Duration::from_millis(1);

/// A point in time, and the setting that its error names. No instant means that there is no
/// limit.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    at: Option<Instant>,
    limit: Duration,
    setting: &'static str,
}

/// How work on another thread ended, or that it is no longer awaited.
enum Message<T> {
    Done(T),
    Panicked,
    Cancelled,
}

impl Deadline {
    /// `limit` from now, or no limit; `setting` is the one to change, blank if there is none.
    #[must_use]
    pub fn after(limit: Option<Duration>, setting: &'static str) -> Self {
        let at = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { at, limit: limit.unwrap_or_default(), setting }
    }

    /// No limit.
    #[must_use]
    pub fn never() -> Self {
        Self { at: None, limit: Duration::ZERO, setting: "" }
    }

    /// The earlier of the two.
    #[must_use]
    pub fn earlier(self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(mine), Some(others)) if others < mine => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }

    /// The time left, at least 1 ms, for a socket's time-out; `None` is no limit.
    ///
    /// # Errors
    ///
    /// `timeout` of `what` once it has passed.
    pub fn remaining(&self, what: &str) -> Result<Option<Duration>, Error> {
        let Some(at) = self.at else { return Ok(None) };
        match at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left.max(SHORTEST))),
            _ => Err(self.error(what)),
        }
    }

    /// The `timeout` error of `what`.
    #[must_use]
    pub fn error(&self, what: &str) -> Error {
        let error = Error::timeout(what, self.limit);
        if self.setting.is_empty() {
            return error;
        }
        error.with_hint(format!("raise {} if the server is just slow", self.setting))
    }

    /// Runs `work`, which cannot be interrupted (a name look-up, a connect), on its own thread and
    /// waits for its result until the deadline or until `cancel` is cancelled. Abandoned work ends
    /// by itself and its result is dropped.
    ///
    /// # Errors
    ///
    /// `timeout` of `what`; `cancelled`; `busy` if no thread can be started; `internal` if `work`
    /// panics.
    pub fn run<T: Send + 'static>(
        &self,
        what: &str,
        cancel: &CancelToken,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        cancel.check()?;
        // Room for both messages that can come: sending never blocks.
        let (sender, receiver) = mpsc::sync_channel(2);
        let cancelled = sender.clone();
        let _hook = cancel.on_cancel(move || drop(cancelled.try_send(Message::Cancelled)));
        std::thread::Builder::new()
            .name("interruptible".to_owned())
            .spawn(move || {
                let done = catch_unwind(AssertUnwindSafe(work));
                // The receiver is gone if the work was abandoned.
                let _ = sender.try_send(done.map_or(Message::Panicked, Message::Done));
            })
            .map_err(|e| shortage::of_threads(what, &e))?;
        loop {
            let message = match self.remaining(what)? {
                Some(left) => receiver.recv_timeout(left),
                None => receiver.recv().map_err(RecvTimeoutError::from),
            };
            match message {
                Ok(Message::Done(result)) => return Ok(result),
                Ok(Message::Cancelled) => return Err(Error::cancelled()),
                Ok(Message::Panicked) | Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::internal(format!("{what} ended in a panic")));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn a_passed_deadline_names_its_setting() {
        let deadline = Deadline::after(Some(Duration::ZERO), "readTimeout");
        let error = deadline.remaining("the reply to PWD").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.report().hint.as_deref().unwrap().contains("readTimeout"));
    }

    #[test]
    fn the_earlier_one_wins() {
        let soon = Deadline::after(Some(Duration::from_secs(1)), "soon");
        let late = Deadline::after(Some(Duration::from_secs(9)), "late");
        assert_eq!(late.earlier(soon).setting, "soon");
        assert_eq!(soon.earlier(late).setting, "soon");
        assert_eq!(Deadline::never().earlier(late).setting, "late");
        assert_eq!(late.earlier(Deadline::never()).setting, "late");
    }

    #[test]
    fn work_that_hangs_is_abandoned_at_the_deadline_and_when_cancelled() {
        let (_keep, never) = mpsc::channel::<()>();
        let deadline = Deadline::after(Some(Duration::from_millis(30)), "connectionTimeout");
        let error = deadline.run("connecting", &CancelToken::default(), move || never.recv());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Timeout);
        let cancelled = CancelToken::default();
        cancelled.cancel();
        let error = Deadline::never().run("connecting", &cancelled, || ());
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
    }

    #[test]
    fn a_cancel_ends_the_wait_and_a_panic_is_an_error() {
        let (_keep, never) = mpsc::channel::<()>();
        let cancel = CancelToken::default();
        let (started, ready) = mpsc::channel();
        let canceller = std::thread::spawn({
            let cancel = cancel.clone();
            move || {
                ready.recv().unwrap();
                cancel.cancel();
            }
        });
        let error = Deadline::never().run("connecting", &cancel, move || {
            started.send(()).unwrap();
            never.recv()
        });
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Cancelled);
        canceller.join().unwrap();
        let panics = || panic!("a test's panic");
        let error = Deadline::never().run("connecting", &CancelToken::default(), panics);
        assert_eq!(error.unwrap_err().kind(), ErrorKind::Internal);
    }
}
