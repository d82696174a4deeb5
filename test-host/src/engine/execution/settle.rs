//! The end of an execution: what its operation leaves open is answered.

use std::sync::atomic::Ordering;

use host_sdk::{Error, ErrorKind, Outcome, Summary};

use super::execution::{Execution, Inputs};
use crate::locks::lock;

impl Execution {
    /// Answers everything that `result` leaves open, and reports an error that ended the step.
    pub(crate) fn settle(&self, result: Result<Summary, Error>) {
        self.over.store(true, Ordering::Release);
        lock(&self.hooks).clear();
        let (open, results) = {
            let mut state = lock(&self.state);
            state.settled = true;
            (std::mem::take(&mut state.open), std::mem::take(&mut state.results))
        };
        // A thread of the connector can keep a sink without limit. Later steps must not wait for
        // it.
        for shared in results.into_values() {
            drop(lock(&shared).take());
        }
        let error = match (&result, self.run.cancellation().reason()) {
            (_, Some(reason)) => reason,
            (Err(error), None) => error.clone(),
            (Ok(_), None) => Error::internal("the connector left an input unanswered"),
        };
        // A connector can answer an input with the error that it then returns.
        let mut reported = lock(&self.state).reported.as_ref() == Some(&error);
        let mut inputs: Vec<_> = open.into_iter().collect();
        inputs.sort_unstable_by_key(|(id, _)| *id);
        for (_, input) in inputs {
            reported |= input.failed.is_some() && error.kind() == ErrorKind::Host;
            reported |= self.answer(input, &Outcome::Failure(error.clone()));
        }
        if result.is_err() && !self.run.cancellation().is_cancelled() {
            self.run.step_failed(&self.plan.step, &error, reported);
        }
        if let Inputs::Queue(queue) = &self.plan.inputs {
            let step = &self.plan.step.name;
            queue.close_with(&Error::new(
                ErrorKind::Host,
                match &result {
                    Err(error) => format!("step \"{step}\" could not continue: {error}"),
                    Ok(_) => format!("step \"{step}\" ended before it took the document"),
                },
            ));
        }
    }
}
