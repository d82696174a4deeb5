//! What the steps of one run share: document numbers, the states of documents, and events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use host_sdk::{Error, Properties, Status};

use super::counts::{Counts, severity};
use super::document::{Document, DocumentState, End, StepIdentity};
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::locks::lock;
use crate::report::events::{
    DocumentEvent, Event, LeftOut, LogEvent, LogLevel, SummaryEvent, Work,
};
use crate::report::{QuotedJson, Reporter};

/// One run of a process.
pub(crate) struct Run {
    process: String,
    reporter: Arc<dyn Reporter>,
    cancellation: Arc<Cancellation>,
    documents: AtomicU64,
    counts: Mutex<Counts>,
    started: Instant,
}

impl Run {
    pub(crate) fn new(
        process: String,
        reporter: Arc<dyn Reporter>,
        cancellation: Arc<Cancellation>,
    ) -> Arc<Self> {
        Arc::new(Self {
            process,
            reporter,
            cancellation,
            documents: AtomicU64::new(0),
            counts: Mutex::default(),
            started: Instant::now(),
        })
    }

    pub(crate) fn process(&self) -> &str {
        &self.process
    }

    pub(crate) fn cancellation(&self) -> &Arc<Cancellation> {
        &self.cancellation
    }

    pub(crate) fn reporter(&self) -> &Arc<dyn Reporter> {
        &self.reporter
    }

    /// The state of a new document, with the next number.
    pub(crate) fn new_document(&self) -> Arc<DocumentState> {
        let number = self.documents.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(DocumentState::new(number))
    }

    /// Reports that `document` left `step`, acknowledged by every later step.
    pub(crate) fn document_passed(
        &self,
        step: &StepIdentity,
        document: &Document,
        end: &End,
        last: bool,
        json: Option<QuotedJson>,
    ) {
        self.count_bytes(&document.state, end.bytes);
        let status = match &end.application_error {
            None if end.refused.is_some() => Status::ApplicationError,
            None => Status::Success,
            Some(error) => {
                if self.count_end(&document.state, Status::ApplicationError) {
                    self.record_error(step, Some(document.number()), error);
                }
                Status::ApplicationError
            }
        };
        // For a refused document, only the step where it was refused reports the end.
        if last && status == Status::Success {
            self.count_end(&document.state, Status::Success);
        }
        let properties = if step.tracks_input {
            document.answers.clone().unwrap_or_default()
        } else {
            let mut properties = document.properties.clone();
            properties.extend(&end.properties);
            properties
        };
        self.reporter.event(&Event::Document(DocumentEvent {
            step: step.name.to_string(),
            document: document.number(),
            status,
            bytes: end.bytes,
            sha256: Some(end.sha256.to_string()),
            properties,
            error: end.application_error.as_ref().or(end.refused.as_ref()).cloned(),
            refused_earlier: end.application_error.is_none() && end.refused.is_some(),
            json,
        }));
    }

    /// Reports that a document ended in `step` without an error and without a result.
    pub(crate) fn document_empty(
        &self,
        step: &StepIdentity,
        document: &DocumentState,
        properties: &Properties,
    ) {
        if self.count_end(document, Status::Empty) {
            self.report_end(step, document, Status::Empty, properties, None);
        }
    }

    /// Reports that a document ended in `step` because of `error`. Returns `false` if it had failed
    /// before: nothing is reported twice.
    pub(crate) fn document_failed(
        &self,
        step: &StepIdentity,
        document: &DocumentState,
        status: Status,
        properties: &Properties,
        error: &Error,
    ) -> bool {
        if !self.count_end(document, status) {
            return false;
        }
        self.record_error(step, Some(document.number()), error);
        self.report_end(step, document, status, properties, Some(error.clone()));
        true
    }

    /// Reports that `step` ended early. `already_reported` is true if a document's event carries
    /// the error.
    pub(crate) fn step_failed(&self, step: &StepIdentity, error: &Error, already_reported: bool) {
        if !already_reported {
            self.record_error(step, None, error);
        }
        lock(&self.counts).fatal.get_or_insert(error.kind());
    }

    /// Counts a file or a directory that was found and not read.
    pub(crate) fn leave_out(&self, count: impl FnOnce(&mut LeftOut)) {
        count(&mut lock(&self.counts).left_out);
    }

    /// Counts what was done besides moving documents.
    pub(crate) fn add_work(&self, count: impl FnOnce(&mut Work)) {
        count(&mut lock(&self.counts).work);
    }

    /// Logs a message of the host about `step`.
    pub(crate) fn log(&self, level: LogLevel, step: &StepIdentity, message: String) {
        self.reporter.event(&Event::Log(LogEvent {
            level,
            step: Some(step.name.to_string()),
            target: "test_host".to_owned(),
            message,
        }));
    }

    /// Logs a warning of the host that belongs to no step.
    pub(crate) fn warn(&self, message: String) {
        self.reporter.event(&Event::Log(LogEvent {
            level: LogLevel::Warn,
            step: None,
            target: "test_host".to_owned(),
            message,
        }));
    }

    /// The summary, and the exit code of the program.
    pub(crate) fn finish(&self) -> (SummaryEvent, ExitCode) {
        let reason = self.cancellation.reason().map(|error| error.kind());
        let logged = self.reporter.log_counts();
        let counts = lock(&self.counts);
        let (status, code) = counts.verdict(reason);
        let summary = SummaryEvent {
            status,
            documents: counts.documents,
            bytes: counts.bytes,
            seconds: self.started.elapsed().as_secs_f64(),
            work: Work { warnings: logged.warnings, retries: logged.retries, ..counts.work },
            left_out: Some(counts.left_out).filter(|left_out| *left_out != LeftOut::default()),
            errors: counts.errors.clone(),
        };
        (summary, code)
    }

    fn report_end(
        &self,
        step: &StepIdentity,
        document: &DocumentState,
        status: Status,
        properties: &Properties,
        error: Option<Error>,
    ) {
        self.reporter.event(&Event::Document(DocumentEvent {
            step: step.name.to_string(),
            document: document.number(),
            status,
            bytes: 0,
            sha256: None,
            properties: properties.clone(),
            error,
            refused_earlier: false,
            json: None,
        }));
    }

    fn record_error(&self, step: &StepIdentity, document: Option<u64>, error: &Error) {
        lock(&self.counts).record_error(step, document, error);
    }

    /// Counts a document's end if it is worse than its earlier one. Returns `false` otherwise.
    fn count_end(&self, document: &DocumentState, status: Status) -> bool {
        let mut progress = lock(&document.progress);
        if progress.ended.is_some_and(|ended| severity(ended) >= severity(status)) {
            return false;
        }
        lock(&self.counts).end(progress.ended.replace(status), status);
        true
    }

    fn count_bytes(&self, document: &DocumentState, bytes: u64) {
        let mut progress = lock(&document.progress);
        let more = bytes.saturating_sub(progress.bytes);
        progress.bytes += more;
        lock(&self.counts).bytes += more;
    }
}
