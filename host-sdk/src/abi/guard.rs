//! Keeps panics on the side where they happen.
//!
//! A panic that left a method of an ABI object would end the process, and one side cannot catch
//! what the other side threw: each has its own runtime. So every entry runs under [`guard`] on
//! its own side, and answers an error instead.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::mem::ManuallyDrop;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Once, OnceLock};

use crate::error::Error;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static LOCATION: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Remembers where a guarded thread panicked, for the error that its guard makes of it.
///
/// Each side has its own hook, installed once. If `quiet` is true, a guarded panic is
/// reported by its error alone; every other one is passed on to the earlier hook.
pub(crate) fn record_panic_locations(quiet: bool) {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let guarded = DEPTH.try_with(|depth| depth.get() > 0).unwrap_or(false);
            if guarded {
                let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
                // Without a place the error still has the message.
                _ = LOCATION.try_with(|last| last.replace(place));
            }
            if !(guarded && quiet) {
                before(info);
            }
        }));
    });
}

/// Runs `work`; a panic becomes an error of kind `internal` that names `side`, `entry` and the
/// place.
pub(super) fn guard<T>(
    side: &str,
    entry: &str,
    work: impl FnOnce() -> Result<T, Error>,
) -> Result<T, Error> {
    caught(work).unwrap_or_else(|panic| Err(panic.into_error(side, entry)))
}

/// What is left of a panic.
struct CaughtPanic {
    message: String,
    place: Option<String>,
}

impl CaughtPanic {
    fn into_error(self, side: &str, entry: &str) -> Error {
        let place = self.place.map(|place| format!(" at {place}")).unwrap_or_default();
        Error::internal(format!("the {side} panicked in {entry}{place}: {}", self.message))
            .with_hint(format!("this is a defect of the {side}: report it with this line"))
    }
}

fn caught<T>(work: impl FnOnce() -> T) -> Result<T, CaughtPanic> {
    DEPTH.set(DEPTH.get() + 1);
    // The caller discards the value that the work may have left half-changed.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    DEPTH.set(DEPTH.get() - 1);
    result.map_err(|payload| {
        // A thread that ends may have lost the place already.
        let place = LOCATION.try_with(RefCell::take).ok().flatten();
        let message = payload
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| payload.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "without a message".to_owned());
        discard(payload);
        CaughtPanic { message, place }
    })
}

/// Drops what a panic carried; its own `Drop` may panic too.
fn discard(payload: Box<dyn Any + Send>) {
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
    }
}

/// A value whose entries are guarded, and which is poisoned by the first panic: what it holds may
/// be half-changed, so it answers nothing but errors from then on.
pub(super) struct Guarded<T> {
    side: &'static str,
    value: ManuallyDrop<T>,
    poison: OnceLock<String>,
}

impl<T> Guarded<T> {
    /// Guards `value`, which belongs to `side`: `connector` or `host`.
    pub(super) fn new(side: &'static str, value: T) -> Self {
        Self { side, value: ManuallyDrop::new(value), poison: OnceLock::new() }
    }

    /// Calls an entry.
    pub(super) fn call<R>(
        &self,
        entry: &str,
        work: impl FnOnce(&T) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.check()?;
        caught(|| work(&self.value)).unwrap_or_else(|panic| Err(self.poisoned_by(panic, entry)))
    }

    /// Calls an entry that changes the value.
    pub(super) fn call_mut<R>(
        &mut self,
        entry: &str,
        work: impl FnOnce(&mut T) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.check()?;
        let value = &mut self.value;
        caught(|| work(value)).unwrap_or_else(|panic| Err(self.poisoned_by(panic, entry)))
    }

    /// Calls an entry that is allowed after a panic.
    pub(super) fn call_always<R>(
        &self,
        entry: &str,
        work: impl FnOnce(&T) -> Result<R, Error>,
    ) -> Result<R, Error> {
        caught(|| work(&self.value)).unwrap_or_else(|panic| Err(self.poisoned_by(panic, entry)))
    }

    fn check(&self) -> Result<(), Error> {
        match self.poison.get() {
            None => Ok(()),
            Some(cause) => Err(Error::internal(format!("unusable since {cause}"))),
        }
    }

    fn poisoned_by(&self, panic: CaughtPanic, entry: &str) -> Error {
        let error = panic.into_error(self.side, entry);
        // The first cause stays.
        _ = self.poison.set(error.message().to_owned());
        error
    }
}

impl<T> Drop for Guarded<T> {
    fn drop(&mut self) {
        // SAFETY: the value is not used again: this is the only drop, and it happens once.
        let value = unsafe { ManuallyDrop::take(&mut self.value) };
        if let Err(panic) = caught(|| drop(value)) {
            // A drop has no caller to answer; if the logger panics too, the panic is not reported.
            let error = panic.into_error(self.side, "drop");
            _ = caught(|| log::error!("{error}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Grumpy;

    impl Drop for Grumpy {
        fn drop(&mut self) {
            panic!("not going quietly");
        }
    }

    #[test]
    fn a_panic_becomes_an_error_with_its_place_and_poisons() {
        record_panic_locations(true);
        let guarded = Guarded::new("connector", ());
        let error = guarded.call("execute", |()| -> Result<(), _> { panic!("boom") }).unwrap_err();
        assert!(error.message().starts_with("the connector panicked in execute at "), "{error}");
        assert!(error.message().contains("guard.rs:"), "{error}");
        assert!(error.message().ends_with(": boom"), "{error}");
        let second = guarded.call("execute", |()| Ok(())).unwrap_err();
        assert!(second.message().starts_with("unusable since the connector panicked"), "{second}");
        assert!(guarded.call_always("close", |()| Ok(())).is_ok());
    }

    #[test]
    fn a_panic_in_drop_or_in_its_payload_stays_inside() {
        record_panic_locations(true);
        drop(Guarded::new("connector", Grumpy));
        let thrown = guard::<()>("host", "log", || panic::panic_any(Grumpy)).unwrap_err();
        assert!(thrown.message().ends_with("without a message"), "{thrown}");
    }
}
