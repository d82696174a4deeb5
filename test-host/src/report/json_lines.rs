//! Each event as a line of JSON.

use std::io::{self, Write};

use super::events::Event;
use super::line_queue::LineQueue;
use super::reporter::{Reporter, StepNames, Verbosity};

/// Writes each event as a line of JSON.
pub struct JsonLines<W> {
    lines: LineQueue<W>,
    verbosity: Verbosity,
    step_names: StepNames,
}

impl<W: Write + Send + 'static> JsonLines<W> {
    /// Writes to `output`, from a thread of its own.
    pub fn new(output: W, verbosity: Verbosity) -> Self {
        Self { lines: LineQueue::new(output), verbosity, step_names: StepNames::default() }
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Log(log) if !self.verbosity.shows(log.level)) {
            return;
        }
        // A failed write does not stop the run. `finish` returns the error.
        match serde_json::to_vec(event) {
            Ok(line) => self.lines.add(&line),
            Err(error) => self.lines.fail(error.into()),
        }
    }

    fn finish(&self) -> io::Result<()> {
        self.lines.finish()
    }

    fn new_execution(&self, step: &str) -> u64 {
        self.step_names.add(step)
    }

    fn step_of(&self, execution: u64) -> Option<String> {
        self.step_names.step_of(execution)
    }
}
