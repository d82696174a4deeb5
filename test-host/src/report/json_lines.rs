//! Each event as a line of JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::events::Event;
use super::identity::{RunIdentity, time};
use super::line_queue::LineQueue;
use super::reporter::{LogCounts, LogTally, Reporter, StepNames, Verbosity};

/// Writes each event as a line of JSON.
pub struct JsonLines<W> {
    lines: LineQueue<W>,
    verbosity: Verbosity,
    identity: RunIdentity,
    logged: LogTally,
    step_names: StepNames,
}

/// An event with when it happened and what it belongs to.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    run: &'a str,
    process: &'a str,
    #[serde(flatten)]
    event: &'a Event,
}

impl<W: Write + Send + 'static> JsonLines<W> {
    /// Writes to `output`, from a thread of its own.
    pub fn new(output: W, verbosity: Verbosity) -> Self {
        Self {
            lines: LineQueue::new(output),
            verbosity,
            identity: RunIdentity::default(),
            logged: LogTally::default(),
            step_names: StepNames::default(),
        }
    }

    /// The same for the run `identity`, which every line then names.
    #[must_use]
    pub fn of_run(mut self, identity: RunIdentity) -> Self {
        self.identity = identity;
        self
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&self, event: &Event) {
        if let Event::Log(log) = event {
            self.logged.count(log);
            if !self.verbosity.shows(log) {
                return;
            }
        }
        let RunIdentity { run, process, .. } = &self.identity;
        let line = Line { time: time(), run, process, event };
        // A failed write does not stop the run. `finish` returns the error.
        match serde_json::to_vec(&line) {
            Ok(line) => self.lines.add(&line),
            Err(error) => self.lines.fail(error.into()),
        }
    }

    fn log_counts(&self) -> LogCounts {
        self.logged.counts()
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
