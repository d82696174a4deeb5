//! The context of calls outside any execution.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use host_sdk::{
    CancelHook, Error, ErrorKind, ExecutionContext, InputDocument, Outcome, Progress, Properties,
    ResultSink, SmallResult,
};

use crate::cancellation::{Cancellation, Subscription};
use crate::locks::lock;

/// The context of calls outside any execution: no inputs, no results.
pub(crate) struct NoExecution {
    cancellation: Arc<Cancellation>,
    hooks: Mutex<Vec<Subscription>>,
}

impl NoExecution {
    pub(crate) fn new(cancellation: &Arc<Cancellation>) -> Self {
        Self { cancellation: Arc::clone(cancellation), hooks: Mutex::default() }
    }
}

fn no_execution() -> Error {
    Error::new(ErrorKind::Host, "there is no execution")
}

impl ExecutionContext for NoExecution {
    fn execution_id(&self) -> u64 {
        0
    }

    fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    fn remaining(&self) -> Option<Duration> {
        self.cancellation.remaining()
    }

    fn on_cancel(&self, hook: CancelHook) {
        let subscription = self.cancellation.subscribe(hook);
        lock(&self.hooks).push(subscription);
    }

    fn next_input(&self) -> Result<Option<Box<dyn InputDocument>>, Error> {
        Ok(None)
    }

    fn begin_result(&self, _: u64, _: &Properties) -> Result<Box<dyn ResultSink>, Error> {
        Err(no_execution())
    }

    fn add_results(&self, _: &[SmallResult<'_>]) -> Result<(), Error> {
        Err(no_execution())
    }

    fn input_done(&self, _: u64, _: &Outcome) -> Result<(), Error> {
        Err(no_execution())
    }

    fn progress(&self, _: Progress) {}
}
