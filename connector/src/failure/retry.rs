//! The pause between a failure and the next attempt.

use host_sdk::kit::{Backoff, CancelToken};

use super::failure::Failure;

/// Pauses after an attempt that failed with `failure`.
///
/// # Errors
///
/// `failure` with the number of attempts where no further one is made; `cancelled`.
pub(crate) fn retry_after(
    backoff: &mut Backoff,
    failure: Failure,
    cancel: &CancelToken,
) -> Result<(), Failure> {
    let Some(pause) = backoff.next_pause(failure.cause().kind()) else {
        return Err(failure.given_up_after(backoff.attempts()));
    };
    log::info!(
        "attempt {} failed ({failure}); the next one follows in {} ms",
        backoff.attempts(),
        pause.as_millis()
    );
    Ok(cancel.sleep(pause)?)
}
