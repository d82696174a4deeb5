//! What a [`MemoryHost`](crate::testing::MemoryHost) remembers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::callback::{self, Callback, Fault, PlannedFault};
use crate::error::{Error, ErrorKind};
use crate::host::context::{CancelHook, Progress};
use crate::host::document::{InputHeader, Properties, RawFile};
use crate::outcome::Outcome;

/// A result that the host has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryResult {
    /// The input that it answers.
    pub input: u64,
    /// The properties it began with and those that its end added.
    pub properties: Properties,
    /// The body.
    pub body: Vec<u8>,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a host remembers.
#[derive(Default)]
pub(super) struct State {
    pub(super) waiting: VecDeque<Input>,
    pub(super) has_no_end: bool,
    pub(super) answers: BTreeMap<u64, Option<Outcome>>,
    /// The inputs whose bodies were not read to their ends.
    pub(super) unread: BTreeSet<u64>,
    /// Whether a success needs a body that was read.
    pub(super) demands_bodies: bool,
    pub(super) results: Vec<MemoryResult>,
    pub(super) discarded: usize,
    pub(super) kept: BTreeMap<String, Vec<u8>>,
    pub(super) progress: Vec<Progress>,
    pub(super) violations: Vec<String>,
    pub(super) hooks: Vec<Arc<CancelHook>>,
    pub(super) cancelled: bool,
    pub(super) over: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) changes: u64,
    pub(super) calls: BTreeMap<Callback, usize>,
    pub(super) faults: Vec<PlannedFault>,
}

/// An input that the connector has not taken yet.
pub(super) struct Input {
    pub(super) id: u64,
    pub(super) size: Option<u64>,
    pub(super) header: InputHeader,
    pub(super) body: Box<dyn Read + Send>,
    pub(super) raw_file: Option<RawFile>,
}

impl State {
    /// Counts a call of `callback`, and answers what is planned for it.
    pub(super) fn next_fault(&mut self, callback: Callback) -> Option<Fault> {
        *self.calls.entry(callback).or_default() += 1;
        callback::due(&mut self.faults, callback)
    }

    /// Makes sure that `input` was handed out and waits for its answer.
    pub(super) fn check_open(&mut self, input: u64, what: &str) -> Result<(), Error> {
        let problem = match self.answers.get(&input) {
            None => format!("{what} input {input}, which does not exist"),
            Some(Some(_)) => format!("{what} input {input}, which is answered already"),
            // Inputs are taken in the order of their ids.
            Some(None) if self.waiting.front().is_some_and(|next| next.id <= input) => {
                format!("{what} input {input}, which was not taken yet")
            }
            Some(None) => return Ok(()),
        };
        self.violations.push(problem.clone());
        Err(Error::new(ErrorKind::Host, problem))
    }

    /// Makes sure that what is called a success was read.
    pub(super) fn check_read(&mut self, input: u64, outcome: &Outcome) -> Result<(), Error> {
        // A refusal that became a result has reported that the document was not taken.
        let mut results = self.results.iter().filter(|result| result.input == input);
        let is_refused = results.any(|result| result.outcome != Outcome::Success);
        let claims_it = *outcome == Outcome::Success && self.unread.contains(&input);
        if !(self.demands_bodies && claims_it) || is_refused {
            return Ok(());
        }
        let problem = format!("input {input} is called a success and was not read to its end");
        self.violations.push(problem.clone());
        Err(Error::new(ErrorKind::Host, problem))
    }
}

/// The state of a host and the news of its changes; the host and its context own it together.
pub(super) struct Shared {
    pub(super) execution: u64,
    state: Mutex<State>,
    pub(super) changed: Condvar,
}

impl Shared {
    pub(super) fn new(execution: u64) -> Self {
        Self { execution, state: Mutex::default(), changed: Condvar::new() }
    }

    /// Cancels the execution and fires its hooks.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        state.cancelled = true;
        let hooks = std::mem::take(&mut state.hooks);
        drop(state);
        self.changed();
        // Outside the lock: a hook may call the host.
        for hook in hooks {
            hook();
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn changed(&self) {
        self.lock().changes += 1;
        self.changed.notify_all();
    }

    /// Waits for a change of the state.
    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what the test planned for `callback`, then makes sure that the execution is alive.
    pub(super) fn enter(&self, callback: Callback) -> Result<(), Error> {
        let fault = self.lock().next_fault(callback);
        self.changed();
        match fault {
            Some(Fault::Fail(error)) => return Err(error),
            Some(Fault::Panic) => panic!("asked to panic in {callback:?}"),
            Some(Fault::Cancel) => self.cancel(),
            None => {}
        }
        let state = self.lock();
        if state.over {
            Err(Error::new(ErrorKind::Host, "the execution is over"))
        } else if state.cancelled && callback != Callback::InputDone {
            // An answer is accepted after that too: it reports how the input ended.
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }
}
