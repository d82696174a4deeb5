//! Brief text for people.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;

use host_sdk::{Error, ErrorReport, Progress, Status};

use super::events::{DocumentEvent, Event, LogEvent, SummaryEvent};
use super::identity::{RunIdentity, time};
use super::output::Output;
use super::progress::{ProgressBars, human_size};
use super::reporter::{LogCounts, LogTally, Reporter, StepNames, Verbosity};
use crate::locks::lock;
use host_sdk::kit::text::printable;

/// Writes brief lines for people, and draws bars on a terminal.
pub struct Text<W> {
    output: Mutex<Output<W>>,
    verbosity: Verbosity,
    bars: ProgressBars,
    step_names: StepNames,
    last_step: String,
    identity: RunIdentity,
    logged: LogTally,
    /// True if lines say when they were written: where a person does not watch them.
    stamped: bool,
}

impl<W: Write + Send> Text<W> {
    /// Writes results to `output`, everything else to standard error. Documents that leave
    /// `last_step` are results.
    pub fn new(output: W, verbosity: Verbosity, last_step: &str) -> Self {
        Self {
            output: Output::new(output),
            verbosity,
            bars: ProgressBars::new(!verbosity.quiet),
            step_names: StepNames::default(),
            last_step: last_step.to_owned(),
            identity: RunIdentity::default(),
            logged: LogTally::default(),
            stamped: !io::stderr().is_terminal(),
        }
    }

    /// The same for the run `identity`, which its lines then name.
    #[must_use]
    pub fn of_run(mut self, identity: RunIdentity) -> Self {
        self.identity = identity;
        self
    }

    /// Writes a line that says what happened: when, in which run, how serious it is, and where.
    fn record(&self, level: &str, place: &str, text: &str) {
        let RunIdentity { run, process, .. } = &self.identity;
        let mut line = String::new();
        if self.stamped && !run.is_empty() {
            line.push_str(&format!("{} {run} ", time()));
        }
        line.push_str(level);
        for part in [process.as_str(), place].into_iter().filter(|part| !part.is_empty()) {
            line.push_str(&format!(": {part}"));
        }
        self.note(&printable(&format!("{line}: {text}")));
    }

    fn progress_line(&self, step: &str, line: Option<String>) {
        if let Some(line) = line {
            self.record("progress", step, &line);
        }
    }

    /// One line with all that is known of a failure.
    fn failure(&self, step: &str, document: &str, error: &Error) {
        let ErrorReport { reply, hint, transcript, attempts, message, .. } = error.report();
        let mut text = String::new();
        if !document.is_empty() {
            text.push_str(&format!("{document}: "));
        }
        text.push_str(message);
        if let Some(reply) = reply.as_ref().filter(|reply| !message.contains(&reply.text)) {
            text.push_str(&format!("; the server said {} {}", reply.code, reply.text));
        }
        if *attempts > 1 {
            text.push_str(&format!("; {attempts} attempts"));
        }
        if let Some(service) = self.identity.services.get(step) {
            text.push_str(&format!("; over {service}"));
        }
        text.push_str(&format!(" [{}]", error.kind()));
        if let Some(hint) = hint {
            text.push_str(&format!("; try: {hint}"));
        }
        self.record("error", step, &text);
        if self.verbosity.verbose > 0 {
            for line in transcript {
                self.note(&printable(&format!("  {line}")));
            }
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
        self.progress_line(&event.step, self.bars.document(event));
        let what = event.properties.get("fileName").unwrap_or_default();
        let number = event.document;
        match (event.status, &event.error) {
            (Status::Success, _) if event.step != self.last_step => {
                if self.verbosity.verbose > 0 {
                    let size = human_size(event.bytes);
                    self.note(&printable(&format!("{}: {number} {size} {what}", event.step)));
                }
            }
            (Status::Success, _) if self.verbosity.quiet => {}
            (Status::Success, _) => match &event.json {
                // With the keys in their order, which is easier to read in many lines.
                Some(json) => self.result(&json.value().unwrap_or_default().to_string()),
                None => {
                    let size = human_size(event.bytes);
                    self.result(&format!("{number}\t{size}\t{}", printable(what)));
                }
            },
            (Status::Empty, _) => {
                if !self.verbosity.quiet {
                    self.note(&format!("{}: {number} ended without a document", event.step));
                }
            }
            // It has its line where it was refused.
            (_, Some(_)) if event.refused_earlier => {}
            (_, Some(error)) => {
                let which = match what {
                    "" => format!("document {number}"),
                    name => format!("{name} (document {number})"),
                };
                self.failure(&event.step, &which, error);
            }
            (_, None) => self.record("error", &event.step, &format!("document {number} failed")),
        }
    }

    fn log(&self, event: &LogEvent) {
        self.logged.count(event);
        if self.verbosity.shows(event) {
            let step = event.step.as_deref().unwrap_or(&event.target);
            self.record(event.level.as_str(), step, &event.message);
        }
    }

    fn summary(&self, event: &SummaryEvent) {
        self.bars.finish();
        for entry in event.errors.iter().filter(|entry| entry.document.is_none()) {
            self.failure(&entry.step, "", &entry.error);
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
        self.note(&format!("{line}; {} in {:.1} s", human_size(event.bytes), event.seconds));
        let work = event.work.in_words();
        if !work.is_empty() {
            self.note(&work.join(", "));
        }
        if let Some(left_out) = event.left_out {
            self.note(&format!("left out: {}", left_out.in_words().join(", ")));
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
        self.progress_line(step, self.bars.progress(step, progress));
    }

    fn expect(&self, step: &str, bytes: u64) {
        self.progress_line(step, self.bars.expect(step, bytes));
    }

    fn log_counts(&self) -> LogCounts {
        self.logged.counts()
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
