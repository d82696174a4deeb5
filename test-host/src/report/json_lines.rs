//! Each event as a line of JSON.

use std::io::{self, Write};
use std::sync::Mutex;

use super::events::Event;
use super::output::Output;
use super::reporter::{Reporter, StepNames, Verbosity};
use crate::locks::lock;

/// Writes each event as a line of JSON.
pub struct JsonLines<W> {
    output: Mutex<Output<W>>,
    verbosity: Verbosity,
    step_names: StepNames,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `output`, which flushes at the end of a line.
    pub fn new(output: W, verbosity: Verbosity) -> Self {
        Self { output: Output::new(output), verbosity, step_names: StepNames::default() }
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Log(log) if !self.verbosity.shows(log.level)) {
            return;
        }
        // A failed write does not stop the run. `finish` returns the error.
        match serde_json::to_vec(event) {
            Ok(line) => lock(&self.output).line(&line),
            Err(error) => lock(&self.output).fail(error.into()),
        }
    }

    fn finish(&self) -> io::Result<()> {
        lock(&self.output).finish()
    }

    fn new_execution(&self, step: &str) -> u64 {
        self.step_names.add(step)
    }

    fn step_of(&self, execution: u64) -> Option<String> {
        self.step_names.step_of(execution)
    }
}
