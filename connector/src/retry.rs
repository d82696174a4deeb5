//! Pauses between attempts: they double, vary, and end.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::mpsc;
use std::time::Duration;

use host_sdk::Error;

use crate::cancel::CancelToken;
use crate::config::RetryPolicy;

/// How often a pause looks whether it was cancelled.
const POLL: Duration = Duration::from_millis(20);

/// Counts the attempts at one thing.
pub(crate) struct Backoff {
    policy: RetryPolicy,
    attempts: u32,
}

impl Backoff {
    /// No attempt yet.
    pub(crate) fn new(policy: RetryPolicy) -> Self {
        Self { policy, attempts: 0 }
    }

    /// Pauses after an attempt that failed with `error`.
    ///
    /// # Errors
    ///
    /// `error` with the number of attempts when no more are left; `cancelled`.
    pub(crate) fn wait(&mut self, error: Error, cancel: &CancelToken) -> Result<(), Error> {
        self.attempts += 1;
        if self.attempts >= self.policy.attempts {
            return Err(error.with_attempts(self.attempts));
        }
        let pause = self.pause();
        log::info!(
            "attempt {} of {} failed ({error}); the next one follows in {} ms",
            self.attempts,
            self.policy.attempts,
            pause.as_millis()
        );
        self::pause(pause, cancel)
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
pub(crate) fn pause(pause: Duration, cancel: &CancelToken) -> Result<(), Error> {
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
    use host_sdk::ErrorKind;

    use super::*;

    fn policy(attempts: u32) -> RetryPolicy {
        RetryPolicy {
            attempts,
            delay: Duration::from_millis(2),
            maximum_delay: Duration::from_millis(5),
        }
    }

    #[test]
    fn the_last_error_tells_the_attempts() {
        let mut backoff = Backoff::new(policy(3));
        let cancel = CancelToken::default();
        let failure = || Error::new(ErrorKind::Busy, "too many");
        backoff.wait(failure(), &cancel).unwrap();
        backoff.wait(failure(), &cancel).unwrap();
        let error = backoff.wait(failure(), &cancel).unwrap_err();
        assert_eq!(error.report().attempts, 3);
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
