//! Takes the events of a run, the progress of its steps and the log records of its connectors.

use std::io;
use std::sync::{Arc, Mutex};

use host_sdk::{HostServices, LogRecord, Progress};

use super::events::{Event, LogEvent, LogLevel};
use crate::locks::lock;

/// Takes the events of a run. It is called from many threads at once.
pub trait Reporter: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event);

    /// Takes the progress of `step`.
    fn progress(&self, step: &str, progress: Progress) {
        let _ = (step, progress);
    }

    /// A number for an execution of `step`, which the connector's log records carry.
    fn new_execution(&self, step: &str) -> u64;

    /// The step whose execution has this number.
    fn step_of(&self, execution: u64) -> Option<String>;

    /// Ends the output.
    ///
    /// # Errors
    ///
    /// The error of the first line that could not be written. Nothing was written after it.
    fn finish(&self) -> io::Result<()> {
        Ok(())
    }
}

/// How much is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbosity {
    /// Only errors.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
}

impl Verbosity {
    /// The most verbose log level that is printed.
    #[must_use]
    pub fn log_level(self) -> log::LevelFilter {
        match (self.quiet, self.verbose) {
            (true, _) => log::LevelFilter::Error,
            (false, 0) => log::LevelFilter::Warn,
            (false, 1) => log::LevelFilter::Info,
            (false, 2) => log::LevelFilter::Debug,
            (false, _) => log::LevelFilter::Trace,
        }
    }

    pub(super) fn shows(self, level: LogLevel) -> bool {
        let most = match self.log_level() {
            log::LevelFilter::Info => LogLevel::Info,
            log::LevelFilter::Debug => LogLevel::Debug,
            log::LevelFilter::Trace => LogLevel::Trace,
            log::LevelFilter::Warn => LogLevel::Warn,
            log::LevelFilter::Off | log::LevelFilter::Error => LogLevel::Error,
        };
        level <= most
    }
}

/// The names of steps by the number of their execution.
#[derive(Default)]
pub(super) struct StepNames(Mutex<Vec<String>>);

impl StepNames {
    pub(super) fn add(&self, step: &str) -> u64 {
        let mut steps = lock(&self.0);
        steps.push(step.to_owned());
        steps.len() as u64
    }

    pub(super) fn step_of(&self, execution: u64) -> Option<String> {
        let position = usize::try_from(execution).ok()?.checked_sub(1)?;
        lock(&self.0).get(position).cloned()
    }
}

/// Forwards the log records of connectors to a reporter.
pub(crate) struct LogForwarder {
    reporter: Arc<dyn Reporter>,
    level: log::LevelFilter,
}

impl LogForwarder {
    pub(crate) fn new(reporter: Arc<dyn Reporter>, verbosity: Verbosity) -> Arc<Self> {
        Arc::new(Self { reporter, level: verbosity.log_level() })
    }
}

impl HostServices for LogForwarder {
    fn max_level(&self) -> log::LevelFilter {
        self.level
    }

    fn log(&self, record: &LogRecord<'_>) {
        self.reporter.event(&Event::Log(LogEvent {
            level: record.level.into(),
            step: record.execution.and_then(|execution| self.reporter.step_of(execution)),
            target: record.target.to_owned(),
            message: record.message.to_owned(),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_below_the_level_stay_unsaid() {
        let verbosity = Verbosity { quiet: false, verbose: 0 };
        assert!(verbosity.shows(LogLevel::Warn));
        assert!(!verbosity.shows(LogLevel::Info));
    }
}
