//! The one policy of attempts: pauses that double, vary and end, counts that begin anew with
//! progress, and a time for all of it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::mpsc;
use std::time::Duration;

use crate::cancel::CancelToken;
use crate::config::RetryPolicy;
use crate::deadline::Deadline;
use crate::failure::{Cause, Failure};

/// How often a pause looks whether it was cancelled.
const POLL: Duration = Duration::from_millis(20);

/// How many bytes further a transfer has to come for its attempts to be counted anew. Less would
/// let a server that gives little each time be asked for ever.
const PROGRESS: u64 = 1024 * 1024;

/// Counts the attempts at one thing.
pub(crate) struct Backoff {
    policy: RetryPolicy,
    attempts: u32,
    /// How far a transfer had come when its attempts were last counted anew, in bytes.
    mark: u64,
    /// Whether TLS has broken already: what may be an attack is tried again once.
    had_tls_error: bool,
    /// No attempt begins after this.
    until: Deadline,
}

impl Backoff {
    /// No attempt yet; the policy's total time begins now.
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        let until = Deadline::after(policy.total_time, "retry.totalTime");
        Self { policy, attempts: 0, mark: 0, had_tls_error: false, until }
    }

    /// Has no attempt begin after `deadline` either.
    pub(crate) fn by(mut self, deadline: Deadline) -> Self {
        self.until = self.until.earlier(deadline);
        self
    }

    /// A transfer has `bytes` in all now: interruptions are counted anew where that is news.
    pub(crate) fn reached(&mut self, bytes: u64) {
        if bytes >= self.mark.saturating_add(PROGRESS) {
            self.mark = bytes;
            self.attempts = 0;
        }
    }

    /// Pauses after an attempt that failed with `error`.
    ///
    /// # Errors
    ///
    /// `error` with the number of attempts when no more are left, or no time for one; `cancelled`.
    pub(crate) fn wait(&mut self, error: Failure, cancel: &CancelToken) -> Result<(), Failure> {
        self.attempts += 1;
        let pause = self.pause();
        let is_late = match self.until.remaining("") {
            Ok(left) => left.is_some_and(|left| left <= pause),
            Err(_) => true,
        };
        let is_broken_again =
            error.is(Cause::Tls) && std::mem::replace(&mut self.had_tls_error, true);
        if self.attempts >= self.policy.attempts || is_late || is_broken_again {
            return Err(error.given_up_after(self.attempts));
        }
        log::info!(
            "attempt {} of {} failed ({error}); the next one follows in {} ms",
            self.attempts,
            self.policy.attempts,
            pause.as_millis()
        );
        Ok(self::pause(pause, cancel)?)
    }

    /// Half of the doubled delay is certain, the other half is chance: clients that were cut off
    /// together do not come back together.
    fn pause(&self) -> Duration {
        let doubled = self.policy.delay.saturating_mul(1 << (self.attempts - 1).min(20));
        let pause = doubled.min(self.policy.maximum_delay);
        let share = u32::try_from(chance() % 1000).unwrap_or_default();
        pause / 2 + pause / 2 * share / 1000
    }
}

/// A number that differs each time, for pauses and for names that must not meet; no secret.
pub(crate) fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Waits out `pause`.
///
/// # Errors
///
/// `cancelled`.
pub(crate) fn pause(pause: Duration, cancel: &CancelToken) -> Result<(), host_sdk::Error> {
    let (_sender, nothing) = mpsc::channel::<()>();
    let mut left = pause;
    while !left.is_zero() {
        cancel.check()?;
        let step = left.min(POLL);
        // Nobody sends: this waits out the step.
        let _ = nothing.recv_timeout(step);
        left -= step;
    }
    cancel.check()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(attempts: u32) -> RetryPolicy {
        RetryPolicy {
            attempts,
            delay: Duration::from_millis(2),
            maximum_delay: Duration::from_millis(5),
            total_time: None,
        }
    }

    #[test]
    fn the_last_error_tells_the_attempts() {
        let mut backoff = Backoff::new(policy(3));
        let cancel = CancelToken::default();
        let failure = || Failure::new(Cause::Busy, "too many");
        backoff.wait(failure(), &cancel).unwrap();
        backoff.wait(failure(), &cancel).unwrap();
        let error = backoff.wait(failure(), &cancel).unwrap_err();
        assert_eq!(error.attempts(), 3);
    }

    #[test]
    fn progress_counts_attempts_anew_and_standing_still_does_not() {
        let mut backoff = Backoff::new(policy(2));
        let cancel = CancelToken::default();
        let failure = || Failure::new(Cause::Lost, "cut");
        for bytes in [PROGRESS, 2 * PROGRESS] {
            backoff.wait(failure(), &cancel).unwrap();
            backoff.reached(bytes);
        }
        backoff.wait(failure(), &cancel).unwrap();
        // Begun anew, it comes as far as it was, and no further.
        for bytes in [0, PROGRESS, 3 * PROGRESS - 1] {
            backoff.reached(bytes);
        }
        assert!(backoff.wait(failure(), &cancel).is_err());
    }

    #[test]
    fn broken_tls_is_tried_again_once() {
        let mut backoff = Backoff::new(policy(9));
        let cancel = CancelToken::default();
        let failure = || Failure::new(Cause::Tls, "garbage");
        backoff.wait(failure(), &cancel).unwrap();
        backoff.wait(Failure::new(Cause::Lost, "cut"), &cancel).unwrap();
        assert_eq!(backoff.wait(failure(), &cancel).unwrap_err().attempts(), 3);
    }

    #[test]
    fn no_attempt_begins_after_the_total_time() {
        let cancel = CancelToken::default();
        let failure = || Failure::new(Cause::Lost, "cut");
        let late = Deadline::after(Some(Duration::ZERO), "transferTimeout");
        for mut backoff in [
            Backoff::new(RetryPolicy { total_time: Some(Duration::ZERO), ..policy(9) }),
            Backoff::new(policy(9)).by(late),
        ] {
            assert_eq!(backoff.wait(failure(), &cancel).unwrap_err().attempts(), 1);
        }
        let minute = Some(Duration::from_secs(60));
        let hour = Duration::from_secs(3600);
        // The pause alone would end too late.
        let patient = RetryPolicy { delay: hour, maximum_delay: hour, ..policy(9) };
        let mut backoff = Backoff::new(RetryPolicy { total_time: minute, ..patient });
        assert!(backoff.wait(failure(), &cancel).is_err());
        let mut backoff = Backoff::new(RetryPolicy { total_time: minute, ..policy(9) });
        backoff.wait(failure(), &cancel).unwrap();
    }

    #[test]
    fn pauses_double_up_to_the_longest() {
        let mut backoff = Backoff::new(policy(100));
        for (attempts, least, most) in [(1, 1, 2), (2, 2, 4), (3, 2, 5), (90, 2, 5)] {
            backoff.attempts = attempts;
            let pause = backoff.pause();
            assert!(pause >= Duration::from_millis(least), "{attempts}: {pause:?}");
            assert!(pause <= Duration::from_millis(most), "{attempts}: {pause:?}");
        }
    }
}
