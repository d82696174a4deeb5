//! Each event as a line of JSON.

use std::io::{self, Write};

use host_sdk::{Error, Properties, Status};
use serde::Serialize;

use super::events::{DocumentEvent, Event};
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
struct Line<'a, E> {
    time: String,
    run: &'a str,
    process: &'a str,
    #[serde(flatten)]
    event: E,
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
        // A failed write does not stop the run. `finish` returns the error.
        match line_of(&self.identity, event) {
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

/// A document event whose JSON is added as text.
#[derive(Serialize)]
struct WithoutJson<'a> {
    event: &'a str,
    step: &'a str,
    document: u64,
    status: Status,
    bytes: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    properties: &'a Properties,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a Error>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refused_earlier: bool,
}

/// The line of `event`, without its end.
fn line_of(identity: &RunIdentity, event: &Event) -> Result<Vec<u8>, serde_json::Error> {
    let RunIdentity { run, process, .. } = identity;
    let time = time();
    let Event::Document(event) = event else {
        return serde_json::to_vec(&Line { time, run, process, event });
    };
    let DocumentEvent {
        step,
        document,
        status,
        bytes,
        sha256,
        properties,
        error,
        refused_earlier,
        json,
    } = event;
    let event = WithoutJson {
        event: "document",
        step,
        document: *document,
        status: *status,
        bytes: *bytes,
        sha256: sha256.as_deref(),
        properties,
        error: error.as_ref(),
        refused_earlier: *refused_earlier,
    };
    let mut line = serde_json::to_vec(&Line { time, run, process, event })?;
    if let Some(json) = json
        && line.pop() == Some(b'}')
    {
        line.extend_from_slice(b",\"json\":");
        line.extend_from_slice(json.as_str().as_bytes());
        line.push(b'}');
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use host_sdk::ErrorKind;
    use serde_json::Value;

    use super::*;
    use crate::report::QuotedJson;

    #[test]
    fn a_line_is_its_event() {
        for (sha256, error, json) in [
            (None, None, None),
            (Some("00"), None, QuotedJson::from_body(b"{\"a\": [1, null]}".to_vec())),
            (Some("00"), Some(Error::new(ErrorKind::Busy, "no")), None),
        ] {
            let event = Event::Document(DocumentEvent {
                step: "list \"a\"".to_owned(),
                document: 7,
                status: Status::Success,
                bytes: 3,
                sha256: sha256.map(str::to_owned),
                properties: Properties::new().with("fileName", "a"),
                error,
                refused_earlier: false,
                json,
            });
            let line = line_of(&RunIdentity::default(), &event).unwrap();
            let mut line: Value = serde_json::from_slice(&line).unwrap();
            let object = line.as_object_mut().unwrap();
            for added in ["time", "run", "process"] {
                assert!(object.remove(added).is_some(), "{added}");
            }
            assert_eq!(line, serde_json::to_value(&event).unwrap());
        }
    }
}
