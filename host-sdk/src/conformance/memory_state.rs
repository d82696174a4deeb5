//! What a [`MemoryHost`](crate::conformance::MemoryHost) remembers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::Read;
use std::sync::Arc;
use std::time::Instant;

use crate::conformance::memory_host::{Callback, MemoryResult, Reaction};
use crate::context::{CancelHook, Progress};
use crate::document::{InputHeader, RawFile};
use crate::error::{Error, ErrorKind};
use crate::outcome::Outcome;

/// What a host remembers.
#[derive(Default)]
pub(super) struct State {
    pub(super) waiting: VecDeque<Input>,
    pub(super) keeps_open: bool,
    pub(super) answers: BTreeMap<u64, Option<Outcome>>,
    /// The inputs whose bodies were not read to their ends.
    pub(super) unread: BTreeSet<u64>,
    /// Whether a success needs a body that was read.
    pub(super) demands_bodies: bool,
    pub(super) results: Vec<MemoryResult>,
    pub(super) discarded: usize,
    pub(super) held: BTreeMap<String, Vec<u8>>,
    pub(super) progress: Vec<Progress>,
    pub(super) violations: Vec<String>,
    pub(super) hooks: Vec<Arc<CancelHook>>,
    pub(super) cancelled: bool,
    pub(super) over: bool,
    pub(super) deadline: Option<Instant>,
    pub(super) changes: u64,
    pub(super) calls: BTreeMap<Callback, usize>,
    pub(super) reactions: Vec<Planned>,
}

/// What a test planned for a callback.
pub(super) struct Planned {
    pub(super) callback: Callback,
    pub(super) reaction: Reaction,
    // Which of the next calls it is for; `None` for every call.
    pub(super) countdown: Option<usize>,
}

/// An input that nobody has taken yet.
pub(super) struct Input {
    pub(super) id: u64,
    pub(super) size: Option<u64>,
    pub(super) header: InputHeader,
    pub(super) body: Box<dyn Read + Send>,
    pub(super) raw_file: Option<RawFile>,
}

impl State {
    /// Counts a call of `callback`, and answers what is planned for it.
    pub(super) fn react(&mut self, callback: Callback) -> Option<Reaction> {
        *self.calls.entry(callback).or_default() += 1;
        let mut reaction = None;
        for planned in self.reactions.iter_mut().filter(|planned| planned.callback == callback) {
            let is_due = match &mut planned.countdown {
                None => true,
                Some(countdown) => {
                    *countdown = countdown.saturating_sub(1);
                    *countdown == 0
                }
            };
            if is_due && reaction.is_none() {
                reaction = Some(planned.reaction.clone());
            }
        }
        // One call is the nth only once.
        self.reactions.retain(|planned| planned.countdown != Some(0));
        reaction
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
        // A refusal that goes on as a result has told that the document was not taken.
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
