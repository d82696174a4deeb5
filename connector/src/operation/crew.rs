//! Several threads that work through the inputs of one execution, each over a session of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::Scope;

use host_sdk::{Error, InputDocument, Outcome};

use super::execution::Execution;

/// Answers one input. An error ends the execution.
pub(super) type Answer<'a> =
    dyn Fn(&mut Execution, &mut dyn InputDocument) -> Result<(), Error> + Sync + 'a;

/// Answers all inputs, `threads` of them at a time at most. Another thread begins when an input is
/// taken and there is a session for it, so that one input needs few sessions.
///
/// # Errors
///
/// Those of the source of the inputs, and of `answer`; the inputs that are taken meanwhile are
/// answered with the same error.
pub(super) fn answer_all(
    execution: &mut Execution,
    threads: usize,
    answer: &Answer<'_>,
) -> Result<(), Error> {
    let crew = Crew { threads, started: AtomicUsize::new(1), answer, failure: Mutex::default() };
    std::thread::scope(|scope| {
        crew.work(scope, execution);
        // Others may be waiting for a session while the other threads go on.
        if threads > 1 {
            execution.release();
        }
    });
    crew.failure().take().map_or(Ok(()), Err)
}

struct Crew<'a> {
    threads: usize,
    started: AtomicUsize,
    answer: &'a Answer<'a>,
    /// What ended the execution before its last input.
    failure: Mutex<Option<Error>>,
}

impl Crew<'_> {
    fn work<'scope>(&'scope self, scope: &'scope Scope<'scope, '_>, execution: &mut Execution) {
        while self.failure().is_none() {
            let mut input = match execution.context.next_input() {
                Ok(Some(input)) => input,
                Ok(None) => return,
                Err(e) => return self.fail(e),
            };
            let ended = self.failure().clone();
            let answered = match ended {
                None => {
                    self.start_another(scope, execution);
                    (self.answer)(execution, input.as_mut())
                }
                Some(e) => execution.context.input_done(input.id(), &Outcome::Failure(e)),
            };
            if let Err(e) = answered {
                return self.fail(e);
            }
        }
    }

    /// Starts one more thread, as long as there are fewer than are asked for.
    fn start_another<'scope>(
        &'scope self,
        scope: &'scope Scope<'scope, '_>,
        execution: &Execution,
    ) {
        let start_one = |started| (started < self.threads).then_some(started + 1);
        if self.started.fetch_update(Ordering::Relaxed, Ordering::Relaxed, start_one).is_err() {
            return;
        }
        let work = move |worker: &mut Execution| self.work(scope, worker);
        if let Err(e) = execution.start_thread(scope, || true, work) {
            log::warn!("one document less at a time: no thread can be started: {e}");
        }
    }

    fn fail(&self, error: Error) {
        self.failure().get_or_insert(error);
    }

    fn failure(&self) -> MutexGuard<'_, Option<Error>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
