//! One execution of a connector's operation, as the host keeps it.
//!
//! The connector may use it from many threads and beyond the execution's end. Every input is
//! answered exactly once; a result's acknowledgement is that of everything that follows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use host_sdk::{Error, ErrorKind, Outcome, Summary};

use super::queue::Link;
use super::run::{Run, StepIdentity};
use super::stage::Stage;
use crate::cancellation::Subscription;
use crate::locks::lock;
use crate::template::Template;

mod context;
mod inputs;
mod results;
#[cfg(test)]
mod tests;

pub(crate) use context::ContextOf;
use inputs::OpenInput;
use results::Slot;

/// What an execution works on.
pub(crate) enum Inputs {
    /// The first step's one empty request.
    Request(AtomicBool),
    /// The documents of the step before.
    Link(Arc<Link>),
}

impl Inputs {
    /// One empty request.
    pub(crate) fn request() -> Self {
        Self::Request(AtomicBool::new(false))
    }
}

/// What a step asks of an execution.
pub(crate) struct Order {
    pub(crate) step: Arc<StepIdentity>,
    /// The connection's name.
    pub(crate) source: Arc<str>,
    pub(crate) parameters: BTreeMap<String, Template>,
    /// Ids of the properties that override a setting.
    pub(crate) overrides: BTreeSet<String>,
    /// Whether an input names an object of the service.
    pub(crate) names_objects: bool,
    pub(crate) continue_on_error: bool,
    pub(crate) inputs: Inputs,
    pub(crate) next: Arc<dyn Stage>,
}

/// One execution.
pub(crate) struct Execution {
    id: u64,
    run: Arc<Run>,
    order: Order,
    /// Whether the operation has returned: nothing is valid any more.
    over: AtomicBool,
    state: Mutex<State>,
    hooks: Mutex<Vec<Subscription>>,
}

#[derive(Default)]
struct State {
    /// Whether everything that was open has been settled: nothing may be opened any more.
    settled: bool,
    open: HashMap<u64, OpenInput>,
    results: HashMap<u64, Slot>,
    next_input: u64,
    next_result: u64,
    /// The first failure, where the step must not go on after it.
    stopped: Option<Error>,
    /// The last error that a document was told to have ended with.
    told: Option<Error>,
}

impl Execution {
    pub(crate) fn new(run: &Arc<Run>, order: Order) -> Arc<Self> {
        Arc::new(Self {
            id: run.reporter().new_execution(&order.step.name),
            run: Arc::clone(run),
            order,
            over: AtomicBool::new(false),
            state: Mutex::default(),
            hooks: Mutex::default(),
        })
    }

    /// Settles everything that `result` leaves open, and says whether the step could go on.
    pub(crate) fn settle(&self, result: Result<Summary, Error>) {
        self.over.store(true, Ordering::Release);
        lock(&self.hooks).clear();
        let (open, results) = {
            let mut state = lock(&self.state);
            state.settled = true;
            (std::mem::take(&mut state.open), std::mem::take(&mut state.results))
        };
        // A thread of the connector's may hold a sink for ever: what follows must not wait for it.
        for slot in results.into_values() {
            drop(lock(&slot).take());
        }
        let error = match (&result, self.run.cancellation().reason()) {
            (_, Some(reason)) => reason,
            (Err(error), None) => error.clone(),
            (Ok(_), None) => Error::internal("the connector left an input unanswered"),
        };
        // A connector may answer an input with the error that it then ends with.
        let mut told = lock(&self.state).told.as_ref() == Some(&error);
        let mut inputs: Vec<_> = open.into_iter().collect();
        inputs.sort_unstable_by_key(|(id, _)| *id);
        for (_, input) in inputs {
            told |= input.failed.is_some() && error.kind() == ErrorKind::Host;
            told |= self.answer(input, &Outcome::Failure(error.clone()));
        }
        if result.is_err() && !self.run.cancellation().is_cancelled() {
            self.run.broke(&self.order.step, &error, told);
        }
        if let Inputs::Link(link) = &self.order.inputs {
            let step = &self.order.step.name;
            link.refuse(&Error::new(
                ErrorKind::Host,
                match &result {
                    Err(error) => format!("step \"{step}\" could not go on: {error}"),
                    Ok(_) => format!("step \"{step}\" ended before it took the document"),
                },
            ));
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.over.load(Ordering::Acquire) {
            return Err(is_over());
        }
        self.run.cancellation().check()
    }

    /// Takes no more after the first failure, where the step was told so.
    fn stop_after(&self, error: &Error) {
        if self.order.continue_on_error {
            return;
        }
        {
            let mut state = lock(&self.state);
            if state.stopped.is_some() {
                return;
            }
            state.stopped = Some(error.clone());
        }
        self.run.broke(&self.order.step, error, true);
        if let Inputs::Link(link) = &self.order.inputs {
            let step = &self.order.step.name;
            link.refuse(&host(&format!("step \"{step}\" stopped after its first failure")));
        }
    }
}

fn host(message: &str) -> Error {
    Error::new(ErrorKind::Host, message)
}

fn is_over() -> Error {
    host("the execution is over")
}

fn not_open(input: u64) -> Error {
    host(&format!("input {input} is not open: it was answered, or never handed out"))
}
