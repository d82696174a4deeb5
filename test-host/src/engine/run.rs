//! What the steps of one run share: document numbers, how documents ended, and the events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use host_sdk::{Error, ErrorKind, Properties, Status};
use serde_json::Value;

use super::stage::{Document, End};
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::locks::lock;
use crate::report::Reporter;
use crate::report::events::{
    DocumentCounts, DocumentEvent, ErrorEntry, Event, LeftOut, LogEvent, LogLevel, RunStatus,
    SummaryEvent,
};

/// How many errors the summary lists.
const LISTED_ERRORS: usize = 100;

/// A step as events name it.
#[derive(Debug)]
pub(crate) struct StepIdentity {
    pub(crate) name: Arc<str>,
    /// Whether its events tell of the documents that came in, not of those that went out.
    pub(crate) tracks_input: bool,
}

/// How one document ends, told by the steps that it passes.
pub(crate) struct Fate {
    number: u64,
    state: Mutex<FateState>,
}

#[derive(Default)]
struct FateState {
    ended: Option<Status>,
    bytes: u64,
}

impl Fate {
    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// One run of a process.
pub(crate) struct Run {
    process: String,
    reporter: Arc<dyn Reporter>,
    cancellation: Arc<Cancellation>,
    documents: AtomicU64,
    tally: Mutex<Tally>,
    started: Instant,
}

#[derive(Default)]
struct Tally {
    counts: DocumentCounts,
    bytes: u64,
    left_out: LeftOut,
    errors: Vec<ErrorEntry>,
    first: Option<ErrorKind>,
    /// Why a step could not go on.
    fatal: Option<ErrorKind>,
    integrity: bool,
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
            tally: Mutex::default(),
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

    /// A new document's fate, with the next number.
    pub(crate) fn new_fate(&self) -> Arc<Fate> {
        let number = self.documents.fetch_add(1, Ordering::Relaxed) + 1;
        Arc::new(Fate { number, state: Mutex::default() })
    }

    /// Says that `document` left `step` acknowledged by everything that follows.
    pub(crate) fn left(
        &self,
        step: &StepIdentity,
        document: &Document,
        end: &End,
        last: bool,
        json: Option<Value>,
    ) {
        self.count_bytes(&document.fate, end.bytes);
        let status = match &end.application_error {
            None if end.refused.is_some() => Status::ApplicationError,
            None => Status::Success,
            Some(error) => {
                if self.end(&document.fate, Status::ApplicationError) {
                    self.list(step, Some(document.number()), error);
                }
                Status::ApplicationError
            }
        };
        // The step where it was refused tells how a refused document ends.
        if last && status == Status::Success {
            self.end(&document.fate, Status::Success);
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
            json,
        }));
    }

    /// Says that a document ended in `step` without an error and without a document.
    pub(crate) fn ended_empty(&self, step: &StepIdentity, fate: &Fate, properties: &Properties) {
        if self.end(fate, Status::Empty) {
            self.ended(step, fate, Status::Empty, properties, None);
        }
    }

    /// Says that a document ended in `step` because of `error`; `false` where it had failed
    /// before, so that nothing is told twice.
    pub(crate) fn failed(
        &self,
        step: &StepIdentity,
        fate: &Fate,
        status: Status,
        properties: &Properties,
        error: &Error,
    ) -> bool {
        if !self.end(fate, status) {
            return false;
        }
        self.list(step, Some(fate.number), error);
        self.ended(step, fate, status, properties, Some(error.clone()));
        true
    }

    /// Says that `step` could not go on. `told` is whether a document carries the error already.
    pub(crate) fn broke(&self, step: &StepIdentity, error: &Error, told: bool) {
        if !told {
            self.list(step, None, error);
        }
        lock(&self.tally).fatal.get_or_insert(error.kind());
    }

    /// Counts something that was found and not read.
    pub(crate) fn leave_out(&self, count: impl FnOnce(&mut LeftOut)) {
        count(&mut lock(&self.tally).left_out);
    }

    /// Has the host say something.
    pub(crate) fn log(&self, level: LogLevel, step: &StepIdentity, message: String) {
        self.reporter.event(&Event::Log(LogEvent {
            level,
            step: Some(step.name.to_string()),
            target: "test_host".to_owned(),
            message,
        }));
    }

    /// Has the host warn of something that belongs to no step.
    pub(crate) fn log_of_host(&self, message: String) {
        self.reporter.event(&Event::Log(LogEvent {
            level: LogLevel::Warn,
            step: None,
            target: "test_host".to_owned(),
            message,
        }));
    }

    /// The last event, and what the caller is told.
    pub(crate) fn finish(&self) -> (SummaryEvent, ExitCode) {
        let tally = lock(&self.tally);
        let counts = tally.counts;
        let failed = counts.application_error + counts.failure;
        let done = counts.success + counts.empty;
        let status = if tally.fatal.is_some() || (failed > 0 && done == 0) {
            RunStatus::Failure
        } else if failed > 0 {
            RunStatus::Partial
        } else {
            RunStatus::Success
        };
        let reason = self.cancellation.reason().map(|error| error.kind());
        let code = match (reason, tally.fatal, status) {
            (Some(kind), _, _) => ExitCode::of(kind),
            (None, _, RunStatus::Partial | RunStatus::Failure) if tally.integrity => {
                ExitCode::Integrity
            }
            // A connector that only passes on what the host told it names no cause.
            (None, Some(kind), _) if kind != ErrorKind::Host => ExitCode::of(kind),
            (None, Some(_), _) => tally.first.map_or(ExitCode::Documents, ExitCode::of),
            (None, None, RunStatus::Success) => ExitCode::Success,
            (None, None, RunStatus::Partial) => ExitCode::Documents,
            (None, None, RunStatus::Failure) => {
                tally.first.map_or(ExitCode::Documents, ExitCode::of)
            }
        };
        let status = if reason.is_some() { RunStatus::Failure } else { status };
        let summary = SummaryEvent {
            status,
            documents: counts,
            bytes: tally.bytes,
            seconds: self.started.elapsed().as_secs_f64(),
            left_out: Some(tally.left_out).filter(|left_out| *left_out != LeftOut::default()),
            errors: tally.errors.clone(),
        };
        (summary, code)
    }

    fn ended(
        &self,
        step: &StepIdentity,
        fate: &Fate,
        status: Status,
        properties: &Properties,
        error: Option<Error>,
    ) {
        self.reporter.event(&Event::Document(DocumentEvent {
            step: step.name.to_string(),
            document: fate.number,
            status,
            bytes: 0,
            sha256: None,
            properties: properties.clone(),
            error,
            json: None,
        }));
    }

    fn list(&self, step: &StepIdentity, document: Option<u64>, error: &Error) {
        let mut tally = lock(&self.tally);
        tally.first.get_or_insert(error.kind());
        tally.integrity |= error.kind() == ErrorKind::Integrity;
        if tally.errors.len() < LISTED_ERRORS {
            tally.errors.push(ErrorEntry {
                step: step.name.to_string(),
                document,
                // The document's event has the transcript; a hundred of them are no summary.
                error: match document {
                    Some(_) => error.clone().with_transcript(Vec::new()),
                    None => error.clone(),
                },
            });
        }
    }

    /// Counts a document's end, or makes it worse; `false` where it had ended as badly before.
    fn end(&self, fate: &Fate, status: Status) -> bool {
        let mut state = lock(&fate.state);
        if state.ended.is_some_and(|ended| severity(ended) >= severity(status)) {
            return false;
        }
        let mut tally = lock(&self.tally);
        if let Some(ended) = state.ended.replace(status) {
            *count(&mut tally.counts, ended) -= 1;
        }
        *count(&mut tally.counts, status) += 1;
        true
    }

    fn count_bytes(&self, fate: &Fate, bytes: u64) {
        let mut state = lock(&fate.state);
        let more = bytes.saturating_sub(state.bytes);
        state.bytes += more;
        lock(&self.tally).bytes += more;
    }
}

/// A later step can still spoil a document that was done; a refusal and a failure stay what they
/// are, so that the errors they cause in the steps before are not told again.
fn severity(status: Status) -> u8 {
    match status {
        Status::Empty => 0,
        Status::Success => 1,
        Status::ApplicationError | Status::Failure => 2,
    }
}

fn count(counts: &mut DocumentCounts, status: Status) -> &mut u64 {
    match status {
        Status::Success => &mut counts.success,
        Status::Empty => &mut counts.empty,
        Status::ApplicationError => &mut counts.application_error,
        Status::Failure => &mut counts.failure,
    }
}
