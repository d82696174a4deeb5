//! Where events go: lines of JSON, or brief text.

pub mod events;
mod progress;

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use host_sdk::{Error, ErrorReport, HostServices, LogRecord, Progress, Status};

use crate::locks::lock;
use crate::report::events::{DocumentEvent, Event, LogEvent, LogLevel, SummaryEvent};
use progress::Bars;
pub(crate) use progress::amount;

/// Takes what happens in a run; called from many threads at once.
pub trait Reporter: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event);

    /// Takes how far `step` has come.
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
    /// What the first result or event could not be written for; nothing was written after it.
    fn finish(&self) -> io::Result<()> {
        Ok(())
    }
}

/// An output that ends with its first error: what a reader has is the beginning, without a gap.
struct Output<W> {
    writer: W,
    failed: Option<io::Error>,
}

impl<W: Write> Output<W> {
    fn new(writer: W) -> Mutex<Self> {
        Mutex::new(Self { writer, failed: None })
    }

    /// Writes a line, and has it leave the program.
    fn line(&mut self, line: &[u8]) {
        if self.failed.is_none() {
            let written = self.writer.write_all(line).and_then(|()| self.writer.write_all(b"\n"));
            self.failed = written.and_then(|()| self.writer.flush()).err();
        }
    }

    fn fail(&mut self, error: io::Error) {
        self.failed.get_or_insert(error);
    }

    /// The first error; from then on there is none.
    fn finish(&mut self) -> io::Result<()> {
        self.failed.take().map_or_else(|| self.writer.flush(), Err)
    }
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verbosity {
    /// Only errors.
    pub quiet: bool,
    /// How often `-v` was given.
    pub verbose: u8,
}

impl Verbosity {
    /// The most verbose log level that is told.
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

    fn tells(self, level: LogLevel) -> bool {
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

/// The steps of executions by number.
#[derive(Default)]
struct Executions(Mutex<Vec<String>>);

impl Executions {
    fn add(&self, step: &str) -> u64 {
        let mut steps = lock(&self.0);
        steps.push(step.to_owned());
        steps.len() as u64
    }

    fn step_of(&self, execution: u64) -> Option<String> {
        let position = usize::try_from(execution).ok()?.checked_sub(1)?;
        lock(&self.0).get(position).cloned()
    }
}

/// Writes each event as a line of JSON.
pub struct JsonLines<W> {
    output: Mutex<Output<W>>,
    verbosity: Verbosity,
    executions: Executions,
}

impl<W: Write + Send> JsonLines<W> {
    /// Writes to `output`, which flushes at the end of a line.
    pub fn new(output: W, verbosity: Verbosity) -> Self {
        Self { output: Output::new(output), verbosity, executions: Executions::default() }
    }
}

impl<W: Write + Send> Reporter for JsonLines<W> {
    fn event(&self, event: &Event) {
        if matches!(event, Event::Log(log) if !self.verbosity.tells(log.level)) {
            return;
        }
        // The work itself goes on whatever becomes of its events; the end says that some are missing.
        match serde_json::to_vec(event) {
            Ok(line) => lock(&self.output).line(&line),
            Err(error) => lock(&self.output).fail(error.into()),
        }
    }

    fn finish(&self) -> io::Result<()> {
        lock(&self.output).finish()
    }

    fn new_execution(&self, step: &str) -> u64 {
        self.executions.add(step)
    }

    fn step_of(&self, execution: u64) -> Option<String> {
        self.executions.step_of(execution)
    }
}

/// Writes brief lines for people, and draws bars on a terminal.
pub struct Text<W> {
    output: Mutex<Output<W>>,
    verbosity: Verbosity,
    bars: Bars,
    executions: Executions,
    last_step: String,
}

impl<W: Write + Send> Text<W> {
    /// Writes results to `output`, everything else to standard error. Documents that leave
    /// `last_step` are results.
    pub fn new(output: W, verbosity: Verbosity, last_step: &str) -> Self {
        Self {
            output: Output::new(output),
            verbosity,
            bars: Bars::new(!verbosity.quiet),
            executions: Executions::default(),
            last_step: last_step.to_owned(),
        }
    }

    fn result(&self, line: &str) {
        self.bars.suspend(|| lock(&self.output).line(line.as_bytes()));
    }

    fn note(&self, line: &str) {
        self.bars.suspend(|| {
            let _ = writeln!(io::stderr().lock(), "{line}");
        });
    }

    fn document(&self, event: &DocumentEvent) {
        self.bars.document(event);
        let what = event.properties.get("fileName").unwrap_or_default();
        let number = event.document;
        match (event.status, &event.error) {
            (Status::Success, _) if event.step != self.last_step => {
                if self.verbosity.verbose > 0 {
                    let size = amount(event.bytes);
                    self.note(&printable(&format!("{}: {number} {size} {what}", event.step)));
                }
            }
            (Status::Success, _) if self.verbosity.quiet => {}
            (Status::Success, _) => match &event.json {
                Some(json) => self.result(&json.to_string()),
                None => {
                    let size = amount(event.bytes);
                    self.result(&printable(&format!("{number}\t{size}\t{what}")));
                }
            },
            (Status::Empty, _) => {
                if !self.verbosity.quiet {
                    self.note(&format!("{}: {number} ended without a document", event.step));
                }
            }
            (_, Some(error)) => {
                let which = format!("{number} {what}");
                self.note(&printable(&format!("{}: {}: {error}", event.step, which.trim_end())));
                self.details(error);
            }
            (_, None) => self.note(&format!("{}: {number} failed", event.step)),
        }
    }

    /// What helps to understand an error: the hint, and what was said for those who want more.
    fn details(&self, error: &Error) {
        let ErrorReport { hint, transcript, .. } = error.report();
        let transcript = if self.verbosity.verbose > 0 { transcript.as_slice() } else { &[] };
        for line in hint.iter().chain(transcript) {
            self.note(&printable(&format!("  {line}")));
        }
    }

    fn log(&self, event: &LogEvent) {
        if self.verbosity.tells(event.level) {
            let step = event.step.as_deref().unwrap_or(&event.target);
            let level = event.level.as_str();
            self.note(&printable(&format!("{level}: {step}: {}", event.message)));
        }
    }

    fn summary(&self, event: &SummaryEvent) {
        self.bars.finish();
        for entry in event.errors.iter().filter(|entry| entry.document.is_none()) {
            self.note(&printable(&format!("{}: {}", entry.step, entry.error)));
            self.details(&entry.error);
        }
        if self.verbosity.quiet {
            return;
        }
        let counts = event.documents;
        let plural = if counts.success == 1 { "" } else { "s" };
        let mut line = format!("{} document{plural}", counts.success);
        for (count, what) in [
            (counts.empty, "empty"),
            (counts.application_error, "refused"),
            (counts.failure, "failed"),
        ] {
            if count > 0 {
                line.push_str(&format!(", {count} {what}"));
            }
        }
        self.note(&format!("{line}; {} in {:.1} s", amount(event.bytes), event.seconds));
        if let Some(left_out) = event.left_out {
            self.note(&format!("left out: {}", left_out.told().join(", ")));
        }
    }
}

impl<W: Write + Send> Reporter for Text<W> {
    fn event(&self, event: &Event) {
        match event {
            Event::Document(event) => self.document(event),
            Event::Log(event) => self.log(event),
            Event::Summary(event) => self.summary(event),
        }
    }

    fn progress(&self, step: &str, progress: Progress) {
        self.bars.progress(step, progress);
    }

    fn finish(&self) -> io::Result<()> {
        lock(&self.output).finish()
    }

    fn new_execution(&self, step: &str) -> u64 {
        self.executions.add(step)
    }

    fn step_of(&self, execution: u64) -> Option<String> {
        self.executions.step_of(execution)
    }
}

/// `text` without control characters: names and replies come from strangers, terminals obey.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c })
        .collect()
}

/// Takes the connectors' log records to a reporter.
pub(crate) struct Records {
    reporter: Arc<dyn Reporter>,
    level: log::LevelFilter,
}

impl Records {
    pub(crate) fn new(reporter: Arc<dyn Reporter>, verbosity: Verbosity) -> Arc<Self> {
        Arc::new(Self { reporter, level: verbosity.log_level() })
    }
}

impl HostServices for Records {
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
    fn what_a_terminal_would_obey_is_not_printed() {
        assert_eq!(printable("a\u{1b}[2Jb\r\n"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}");
    }

    #[test]
    fn records_below_the_level_stay_unsaid() {
        let verbosity = Verbosity { quiet: false, verbose: 0 };
        assert!(verbosity.tells(LogLevel::Warn));
        assert!(!verbosity.tells(LogLevel::Info));
    }
}
