//! The policy of attempts: pauses that double, vary and end, counts that restart with progress,
//! and a time limit for all of it.

use std::time::Duration;

use super::cancel::CancelToken;
use super::deadline::Deadline;
use super::random::random_suffix;
use crate::error::{Error, ErrorKind};

/// The attempt counter restarts after this many new bytes. With a smaller value, a server that
/// sends a few bytes per attempt would be retried without limit.
const PROGRESS: u64 = 1024 * 1024;

/// The target of the log records (level info) that say that another attempt follows a failed one. A
/// host shows them although it shows no others of their level: something waits.
pub const RETRY_TARGET: &str = "retry";

/// How often, after which pauses and for how long failures that may pass are retried.
#[derive(Clone, Copy, Debug)]
pub struct RetryPolicy {
    /// The most attempts, the first one included.
    pub attempts: u32,
    /// The pause after the first attempt; it doubles after each one.
    pub delay: Duration,
    /// The longest pause.
    pub maximum_delay: Duration,
    /// How long attempts at one thing may follow each other; `None` is no limit.
    pub total_time: Option<Duration>,
}

/// Counts the attempts at one thing.
pub struct Backoff {
    policy: RetryPolicy,
    attempts: u32,
    /// How many bytes a transfer had when its attempts were last reset.
    progress_mark: u64,
    /// True if TLS has failed already: what may be an attack is retried once.
    had_tls_error: bool,
    /// No attempt begins after this.
    until: Deadline,
}

impl Backoff {
    /// No attempt yet; the policy's total time begins now.
    #[must_use]
    pub fn new(policy: RetryPolicy) -> Self {
        let until = Deadline::after(policy.total_time, "");
        Self { policy, attempts: 0, progress_mark: 0, had_tls_error: false, until }
    }

    /// Lets no attempt begin after `deadline` either.
    #[must_use]
    pub fn until(mut self, deadline: Deadline) -> Self {
        self.until = self.until.earlier(deadline);
        self
    }

    /// Resets the attempts if a transfer, which has `bytes` in all now, has made enough progress.
    pub fn progressed_to(&mut self, bytes: u64) {
        if bytes >= self.progress_mark.saturating_add(PROGRESS) {
            self.progress_mark = bytes;
            self.attempts = 0;
        }
    }

    /// How many attempts have failed since the last progress.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Counts an attempt that failed with an error of `kind`. Returns the pause before the next
    /// one, `None` if there is none: the attempts or the time are used up.
    pub fn next_pause(&mut self, kind: ErrorKind) -> Option<Duration> {
        self.attempts += 1;
        let pause = self.pause();
        let is_late = match self.until.remaining("") {
            Ok(left) => left.is_some_and(|left| left <= pause),
            Err(_) => true,
        };
        let is_tls_again =
            kind == ErrorKind::Tls && std::mem::replace(&mut self.had_tls_error, true);
        let is_last = self.attempts >= self.policy.attempts || is_late || is_tls_again;
        (!is_last).then_some(pause)
    }

    /// Pauses after an attempt that failed with `error`.
    ///
    /// # Errors
    ///
    /// `error` with the number of attempts if there is no next one; `cancelled`.
    pub fn wait(&mut self, error: Error, cancel: &CancelToken) -> Result<(), Error> {
        let Some(pause) = self.next_pause(error.kind()) else {
            return Err(error.with_attempts(self.attempts));
        };
        log::info!(
            target: RETRY_TARGET,
            "attempt {} of {} failed ({error}); the next one follows in {} ms",
            self.attempts,
            self.policy.attempts,
            pause.as_millis()
        );
        cancel.sleep(pause)
    }

    /// Half of the doubled delay is certain, the other half is chance: clients that were cut off
    /// together do not come back together.
    fn pause(&self) -> Duration {
        let doublings = self.attempts.saturating_sub(1).min(20);
        let doubled = self.policy.delay.saturating_mul(1 << doublings);
        let pause = doubled.min(self.policy.maximum_delay);
        let share = u32::try_from(random_suffix() % 1000).unwrap_or_default();
        pause / 2 + pause / 2 * share / 1000
    }
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
    fn the_last_error_has_the_attempts() {
        let mut backoff = Backoff::new(policy(3));
        let cancel = CancelToken::default();
        let failure = || Error::new(ErrorKind::Busy, "too many");
        backoff.wait(failure(), &cancel).unwrap();
        backoff.wait(failure(), &cancel).unwrap();
        let error = backoff.wait(failure(), &cancel).unwrap_err();
        assert_eq!(error.report().attempts, 3);
    }

    #[test]
    fn progress_resets_the_attempts_and_standing_still_does_not() {
        let mut backoff = Backoff::new(policy(2));
        let cancel = CancelToken::default();
        let failure = || Error::new(ErrorKind::Connection, "cut");
        for bytes in [PROGRESS, 2 * PROGRESS] {
            backoff.wait(failure(), &cancel).unwrap();
            backoff.progressed_to(bytes);
        }
        backoff.wait(failure(), &cancel).unwrap();
        // From the beginning again, it comes as far as it was, and no further.
        for bytes in [0, PROGRESS, 3 * PROGRESS - 1] {
            backoff.progressed_to(bytes);
        }
        assert!(backoff.wait(failure(), &cancel).is_err());
    }

    #[test]
    fn a_tls_error_is_retried_once() {
        let mut backoff = Backoff::new(policy(9));
        let cancel = CancelToken::default();
        let failure = || Error::new(ErrorKind::Tls, "garbage");
        backoff.wait(failure(), &cancel).unwrap();
        backoff.wait(Error::new(ErrorKind::Connection, "cut"), &cancel).unwrap();
        assert_eq!(backoff.wait(failure(), &cancel).unwrap_err().report().attempts, 3);
    }

    #[test]
    fn no_attempt_begins_after_the_total_time() {
        let cancel = CancelToken::default();
        let failure = || Error::new(ErrorKind::Connection, "cut");
        let late = Deadline::after(Some(Duration::ZERO), "transferTimeout");
        for mut backoff in [
            Backoff::new(RetryPolicy { total_time: Some(Duration::ZERO), ..policy(9) }),
            Backoff::new(policy(9)).until(late),
        ] {
            assert_eq!(backoff.wait(failure(), &cancel).unwrap_err().report().attempts, 1);
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
