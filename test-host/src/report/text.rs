//! Brief text for people.

use std::io::{self, Write};
use std::sync::Mutex;

use host_sdk::{Error, ErrorReport, Progress, Status};

use super::events::{DocumentEvent, Event, LogEvent, SummaryEvent};
use super::output::Output;
use super::progress::{ProgressBars, human_size};
use super::reporter::{Reporter, StepNames, Verbosity};
use crate::locks::lock;
use host_sdk::kit::text::printable;

/// Writes brief lines for people, and draws bars on a terminal.
pub struct Text<W> {
    output: Mutex<Output<W>>,
    verbosity: Verbosity,
    bars: ProgressBars,
    step_names: StepNames,
    last_step: String,
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
            (_, Some(error)) => {
                let which = format!("{number} {what}");
                self.note(&printable(&format!("{}: {}: {error}", event.step, which.trim_end())));
                self.details(error);
            }
            (_, None) => self.note(&format!("{}: {number} failed", event.step)),
        }
    }

    /// Prints the hint of an error and, if verbose, its transcript.
    fn details(&self, error: &Error) {
        let ErrorReport { hint, transcript, .. } = error.report();
        let transcript = if self.verbosity.verbose > 0 { transcript.as_slice() } else { &[] };
        for line in hint.iter().chain(transcript) {
            self.note(&printable(&format!("  {line}")));
        }
    }

    fn log(&self, event: &LogEvent) {
        if self.verbosity.shows(event.level) {
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
        self.note(&format!("{line}; {} in {:.1} s", human_size(event.bytes), event.seconds));
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
        self.bars.progress(step, progress);
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
