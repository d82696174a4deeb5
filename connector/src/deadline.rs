//! Points in time by which something must have happened.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use host_sdk::Error;

use crate::cancel::CancelToken;
use crate::shortage;

/// How often a wait that cannot be interrupted looks whether it was cancelled.
const POLL: Duration = Duration::from_millis(20);

/// The shortest time-out a socket takes: zero means "for ever" to the system.
const LEAST: Duration = Duration::from_millis(1);

/// A point in time, and what to call it in the error when it has passed. No instant means that
/// there is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    at: Option<Instant>,
    limit: Duration,
    setting: &'static str,
}

impl Deadline {
    /// `limit` from now, or never; `setting` is the one to change.
    pub(crate) fn after(limit: Option<Duration>, setting: &'static str) -> Self {
        let at = limit.and_then(|limit| Instant::now().checked_add(limit));
        Self { at, limit: limit.unwrap_or_default(), setting }
    }

    /// No limit.
    pub(crate) fn never() -> Self {
        Self { at: None, limit: Duration::ZERO, setting: "" }
    }

    /// The nearer of the two.
    pub(crate) fn earlier(self, other: Self) -> Self {
        match (self.at, other.at) {
            (Some(mine), Some(others)) if others < mine => other,
            (None, Some(_)) => other,
            _ => self,
        }
    }

    /// The time left, for a socket's time-out; `None` is no limit.
    ///
    /// # Errors
    ///
    /// `timeout` once it has passed.
    pub(crate) fn remaining(&self, what: &str) -> Result<Option<Duration>, Error> {
        let Some(at) = self.at else { return Ok(None) };
        match at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left.max(LEAST))),
            _ => Err(self.error(what)),
        }
    }

    /// The `timeout` error of `what`.
    pub(crate) fn error(&self, what: &str) -> Error {
        let error = Error::timeout(what, self.limit);
        if self.setting.is_empty() {
            return error;
        }
        error.with_hint(format!("raise {} if the server is just slow", self.setting))
    }

    /// Runs `work`, which cannot be interrupted (a name look-up, a connect), on a thread of its
    /// own and waits for it until the deadline or until cancelled. Abandoned work ends by itself
    /// and its result is dropped.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        what: &str,
        cancel: &CancelToken,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        std::thread::Builder::new()
            .name("ftp-connect".to_owned())
            .spawn(move || {
                // The receiver is gone when nobody waits any more.
                let _ = sender.send(work());
            })
            .map_err(|e| shortage::of_threads(what, &e))?;
        loop {
            cancel.check()?;
            let wait = self.remaining(what)?.map_or(POLL, |left| left.min(POLL));
            match receiver.recv_timeout(wait) {
                Ok(result) => return Ok(result),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::internal(format!("{what} ended in a panic")));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use host_sdk::ErrorKind;

    use super::*;

    #[test]
    fn a_passed_deadline_names_its_setting() {
        let deadline = Deadline::after(Some(Duration::ZERO), "readTimeout");
        let error = deadline.remaining("the reply to PWD").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.report().hint.as_deref().unwrap().contains("readTimeout"));
    }

    #[test]
    fn the_sooner_one_wins() {
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
}
