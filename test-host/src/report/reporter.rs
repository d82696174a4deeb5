//! Takes the events of a run, the progress of its steps and the log records of its connectors.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use host_sdk::kit::RETRY_TARGET;
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

    /// Says that `bytes` more will pass `step`.
    fn expect(&self, step: &str, bytes: u64) {
        let _ = (step, bytes);
    }

    /// What was logged so far.
    fn log_counts(&self) -> LogCounts {
        LogCounts::default()
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

    /// Whether `event` is printed. A retry is, unless only errors are: without it, a run that waits
    /// would say nothing.
    pub(super) fn shows(self, event: &LogEvent) -> bool {
        self.shows_level(event.level) || (is_retry(event) && !self.quiet)
    }

    fn shows_level(self, level: LogLevel) -> bool {
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

/// How much was logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Warnings.
    pub warnings: u64,
    /// Attempts that failed and were followed by another one.
    pub retries: u64,
}

/// Counts log records.
#[derive(Default)]
pub(super) struct LogTally {
    warnings: AtomicU64,
    retries: AtomicU64,
}

impl LogTally {
    pub(super) fn count(&self, event: &LogEvent) {
        if is_retry(event) {
            self.retries.fetch_add(1, Ordering::Relaxed);
        } else if event.level == LogLevel::Warn {
            self.warnings.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn counts(&self) -> LogCounts {
        LogCounts {
            warnings: self.warnings.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        }
    }
}

fn is_retry(event: &LogEvent) -> bool {
    event.target == RETRY_TARGET
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
        // Retries are logged at level info.
        let least = if verbosity.quiet { log::LevelFilter::Error } else { log::LevelFilter::Info };
        Arc::new(Self { reporter, level: verbosity.log_level().max(least) })
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
        let event = |level, target: &str| LogEvent {
            level,
            step: None,
            target: target.to_owned(),
            message: String::new(),
        };
        assert!(verbosity.shows(&event(LogLevel::Warn, "x")));
        assert!(!verbosity.shows(&event(LogLevel::Info, "x")));
        assert!(verbosity.shows(&event(LogLevel::Info, RETRY_TARGET)));
        let quiet = Verbosity { quiet: true, verbose: 0 };
        assert!(!quiet.shows(&event(LogLevel::Info, RETRY_TARGET)));
    }
}
