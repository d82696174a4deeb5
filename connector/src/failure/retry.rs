//! Whether another attempt follows a failure, and the pause before it.

use host_sdk::kit::{Backoff, CancelToken, RETRY_TARGET};

use super::cause::Cause;
use super::failure::Failure;

impl Failure {
    /// Whether going on where it stopped makes sense: a host that did not take a document has its
    /// own reasons, and what was repeated in vain is not repeated again.
    pub(crate) fn is_interruption(&self) -> bool {
        self.0.is_transient
            && !self.0.is_final
            && !matches!(self.0.cause, Cause::Busy | Cause::Cancelled | Cause::Host)
    }
}

/// Pauses after an attempt that failed with `failure`.
///
/// # Errors
///
/// `failure` with the number of attempts where no further one is made; `cancelled`.
pub(crate) fn pause_before_retry(
    backoff: &mut Backoff,
    failure: Failure,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let Some(pause) = backoff.next_pause(failure.cause().kind()) else {
        return Err(failure.given_up_after(backoff.attempts()));
    };
    log::info!(
        target: RETRY_TARGET,
        "attempt {} failed ({failure}); the next one follows in {} ms",
        backoff.attempts(),
        pause.as_millis()
    );
    Ok(cancel.sleep(pause)?)
}
