//! What `run --output json` prints: one JSON object a line.

use host_sdk::{Error, Properties, Status};
use schemars::JsonSchema;
use serde::Serialize;

use super::quoted_json::QuotedJson;

/// One line of `run --output json`.
///
/// Document and log lines come in the order of what happened, the summary is the last line.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(tag = "event", rename_all = "camelCase")]
pub enum Event {
    /// A document left a step, or ended in it.
    Document(DocumentEvent),
    /// A log record of a connector or of the host.
    Log(LogEvent),
    /// The process is over.
    Summary(SummaryEvent),
}

/// A document left a step acknowledged by everything that follows, or ended in it.
///
/// Acknowledgement flows backwards, so the last step's event of a document comes first.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentEvent {
    /// The step's name.
    pub step: String,
    /// The number that follows the document through the steps.
    pub document: u64,
    /// How it left: with a body (`success`), carrying a refusal as properties
    /// (`applicationError`); or how it ended here: without a document (`empty`), refused by the
    /// service (`applicationError`), not executed (`failure`).
    pub status: Status,
    /// The body's length in bytes as it left the step; 0 where there is none.
    pub bytes: u64,
    /// The body's SHA-256 in lowercase hexadecimal, where the whole body was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The properties it left or ended with.
    pub properties: Properties,
    /// Why it was refused or not executed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Error>,
    /// True if it was refused in an earlier step, whose event is the one of the refusal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused_earlier: bool,
    /// The body of a document that left the last step, where it is JSON of at most 64 KiB.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub json: Option<QuotedJson>,
}

/// A log record of a connector or of the host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LogEvent {
    /// How serious it is.
    pub level: LogLevel,
    /// The step that it belongs to, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The part of the program that it comes from.
    pub target: String,
    /// The text.
    pub message: String,
}

/// How serious a log record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something is wrong, and the work continues.
    Warn,
    /// What is worth knowing in normal operation.
    Info,
    /// What helps to find a defect.
    Debug,
    /// Everything, such as each command and reply.
    Trace,
}

impl From<log::Level> for LogLevel {
    fn from(level: log::Level) -> Self {
        match level {
            log::Level::Error => Self::Error,
            log::Level::Warn => Self::Warn,
            log::Level::Info => Self::Info,
            log::Level::Debug => Self::Debug,
            log::Level::Trace => Self::Trace,
        }
    }
}

impl LogLevel {
    /// The level's word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How the whole process ended; always the last line.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SummaryEvent {
    /// The verdict.
    pub status: RunStatus,
    /// How many documents ended how.
    pub documents: DocumentCounts,
    /// Bytes of the acknowledged documents, each counted once with the largest body it had on
    /// its way.
    pub bytes: u64,
    /// How long it took.
    pub seconds: f64,
    /// What else was done, and what it took.
    pub work: Work,
    /// How many files and directories a `readFiles` step found and did not read, and why; absent
    /// where it read everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<LeftOut>,
    /// The first 100 errors, in the order they happened.
    pub errors: Vec<ErrorEntry>,
}

/// What a run did besides moving documents, and what it took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Work {
    /// Documents that a step had stored already, in the same version.
    pub unchanged: u64,
    /// Files that `writeFiles` left as they are, because `ifExists` says so.
    pub skipped: u64,
    /// Bytes that an earlier run had kept, and that were not moved again.
    pub resumed_bytes: u64,
    /// Warnings in the log.
    pub warnings: u64,
    /// Attempts that failed and were followed by another one.
    pub retries: u64,
}

impl Work {
    /// The counts that are not 0, in words.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        let count = |count: u64, one: &str, more: &str| match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            _ => Some(format!("{count} {more}")),
        };
        [
            count(self.unchanged, "unchanged", "unchanged"),
            count(self.skipped, "skipped", "skipped"),
            count(self.resumed_bytes, "byte resumed", "bytes resumed"),
            count(self.warnings, "warning", "warnings"),
            count(self.retries, "retry", "retries"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// How many files and directories were not read, by the reason; what is in a directory that was
/// left out is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Files whose names `include` does not match.
    pub not_included: u64,
    /// Files and directories whose names begin with a dot, without `includeHidden`.
    pub hidden: u64,
    /// Directories, without `recursive`.
    pub directories: u64,
    /// Empty directories, with `recursive`: only a file makes a document.
    pub empty_directories: u64,
    /// Links to a directory that contains them.
    pub loops: u64,
    /// What is neither a file nor a directory: named pipes, sockets, devices.
    pub special: u64,
}

impl LeftOut {
    /// The counts that are not 0, in words.
    #[must_use]
    pub fn in_words(&self) -> Vec<String> {
        [
            (self.not_included, "not included", "not included"),
            (self.hidden, "hidden", "hidden"),
            (self.directories, "directory", "directories"),
            (self.empty_directories, "empty directory", "empty directories"),
            (self.loops, "link that leads back", "links that lead back"),
            (self.special, "neither file nor directory", "neither files nor directories"),
        ]
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, more)| format!("{count} {}", if count == 1 { one } else { more }))
        .collect()
    }
}

/// The verdict on a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RunStatus {
    /// No document failed.
    Success,
    /// Some documents were done, others failed or were refused.
    Partial,
    /// No document was done, or a step could not continue.
    Failure,
}

/// How many documents ended how; each is counted once, by where it ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DocumentCounts {
    /// Left the last step acknowledged.
    pub success: u64,
    /// Ended in a step that answered without a document, which is no error.
    pub empty: u64,
    /// Refused by a service.
    pub application_error: u64,
    /// Not executed, or not taken by a later step.
    pub failure: u64,
}

/// One error of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ErrorEntry {
    /// The step's name.
    pub step: String,
    /// The document's number; absent where the step itself could not continue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub document: Option<u64>,
    /// What went wrong.
    pub error: Error,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_line_has_only_what_there_is() {
        let event = Event::Document(DocumentEvent {
            step: "fetch".into(),
            document: 3,
            status: Status::Empty,
            bytes: 0,
            sha256: None,
            properties: Properties::new(),
            error: None,
            refused_earlier: false,
            json: None,
        });
        assert_eq!(
            serde_json::to_value(event).unwrap(),
            json!({"event": "document", "step": "fetch", "document": 3, "status": "empty",
                   "bytes": 0, "properties": {}})
        );
    }
}
