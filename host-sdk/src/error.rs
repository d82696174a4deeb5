//! What went wrong, in a form that machines can act on and people can read.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The class of an [`Error`].
///
/// The set is open: a newer connector may send a kind that this build does not know, which then
/// reads as [`ErrorKind::Other`]. A kind's text and its number never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is missing, unknown, of the wrong type or out of range.
    Configuration,
    /// The input document is unusable: a blank or invalid name, a bad property.
    Document,
    /// The server rejected the user, the password or the account.
    Authentication,
    /// The server understood and denied.
    Permission,
    /// The remote object is proven not to exist.
    NotFound,
    /// The remote object exists and must not be replaced.
    AlreadyExists,
    /// The remote object is busy; later it may not be.
    Unavailable,
    /// The server has too many connections.
    Busy,
    /// A storage limit was reached.
    Quota,
    /// The server or this build lacks what was asked for.
    Unsupported,
    /// The network failed: no address, refused, reset, closed.
    Connection,
    /// The TLS handshake or a certificate failed.
    Tls,
    /// A deadline passed.
    Timeout,
    /// The host cancelled the work.
    Cancelled,
    /// The server violates the protocol, or attacks.
    Protocol,
    /// Bytes, size, listing or resume could not be proven.
    Integrity,
    /// The host's own side of the work failed: its source or its sink.
    Host,
    /// A defect: a panic, or a broken promise between the parts of this program.
    Internal,
    /// A kind that this build does not know.
    #[serde(other)]
    Other,
}

/// Every known kind with its number at the ABI; the position is the number.
const KINDS: [ErrorKind; 19] = [
    ErrorKind::Other,
    ErrorKind::Configuration,
    ErrorKind::Document,
    ErrorKind::Authentication,
    ErrorKind::Permission,
    ErrorKind::NotFound,
    ErrorKind::AlreadyExists,
    ErrorKind::Unavailable,
    ErrorKind::Busy,
    ErrorKind::Quota,
    ErrorKind::Unsupported,
    ErrorKind::Connection,
    ErrorKind::Tls,
    ErrorKind::Timeout,
    ErrorKind::Cancelled,
    ErrorKind::Protocol,
    ErrorKind::Integrity,
    ErrorKind::Host,
    ErrorKind::Internal,
];

impl ErrorKind {
    /// The kind's text in events, logs and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Other => "other",
            Self::Configuration => "configuration",
            Self::Document => "document",
            Self::Authentication => "authentication",
            Self::Permission => "permission",
            Self::NotFound => "notFound",
            Self::AlreadyExists => "alreadyExists",
            Self::Unavailable => "unavailable",
            Self::Busy => "busy",
            Self::Quota => "quota",
            Self::Unsupported => "unsupported",
            Self::Connection => "connection",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Protocol => "protocol",
            Self::Integrity => "integrity",
            Self::Host => "host",
            Self::Internal => "internal",
        }
    }

    /// The kind's number at the ABI.
    #[must_use]
    pub fn number(self) -> u16 {
        KINDS.iter().position(|kind| *kind == self).map_or(0, |at| at as u16)
    }

    /// The kind with this number; [`ErrorKind::Other`] for a number of a newer interface.
    #[must_use]
    pub fn from_number(number: u16) -> Self {
        KINDS.get(usize::from(number)).copied().unwrap_or(Self::Other)
    }

    /// Whether an error of this kind is worth repeating unless its maker says otherwise.
    #[must_use]
    pub fn is_usually_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy | Self::Connection | Self::Timeout)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The server's reply that caused an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReplyText {
    /// The three-digit reply code (RFC 959 §4.2).
    pub code: u16,
    /// The reply's text, escaped so that it is safe on a terminal.
    pub text: String,
}

/// Everything an error carries; [`Error`] wraps it so that results stay small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(description = "What went wrong, in a form that machines can act on.")]
pub struct ErrorReport {
    /// The class.
    pub kind: ErrorKind,
    /// Whether the same request may succeed later.
    pub retryable: bool,
    /// A lowercase fragment that names what failed and where, with the text of the party that refused it.
    pub message: String,
    /// What the server replied, where a reply caused the error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply: Option<ReplyText>,
    /// The command that was refused or that was under way, without secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The remote path, or the JSON path of the setting for `configuration`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How often it was tried.
    #[serde(default = "one")]
    pub attempts: u32,
    /// What the reader can do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// True if the request may have taken effect: look before repeating it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub outcome_unknown: bool,
    /// The last lines of the control conversation since the document began: `> ` before a
    /// command, `< ` before a line of a reply, `-- ` before what happened beside them. Escaped,
    /// cut and without secrets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub transcript: Vec<String>,
}

fn one() -> u32 {
    1
}

/// An error of a connector, of a host callback or of the boundary between them.
///
/// `Display` prints the message alone; the hint is a field of its own so that a line never says
/// the same thing twice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(description = "An error of a connector or of the host.")]
pub struct Error(Box<ErrorReport>);

impl Error {
    /// An error of `kind` with the kind's usual retryability.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(ErrorReport {
            kind,
            retryable: kind.is_usually_transient(),
            message: message.into(),
            reply: None,
            command: None,
            path: None,
            attempts: 1,
            hint: None,
            outcome_unknown: false,
            transcript: Vec::new(),
        }))
    }

    /// A `configuration` error about the setting at `path`, such as `options.maximumFiles`.
    pub fn configuration(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message).with_path(path)
    }

    /// An `internal` error: a defect of this program.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, message)
    }

    /// The `timeout` error of something that did not happen `within` its time.
    pub fn timeout(what: &str, within: Duration) -> Self {
        Self::new(ErrorKind::Timeout, format!("{what} took longer than {} ms", within.as_millis()))
    }

    /// The `cancelled` error.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::new(ErrorKind::Cancelled, "cancelled by the host")
    }

    /// Sets whether the same request may succeed later.
    #[must_use]
    pub fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Adds the server's reply; `text` must already be safe to print.
    #[must_use]
    pub fn with_reply(mut self, code: u16, text: impl Into<String>) -> Self {
        self.0.reply = Some(ReplyText { code, text: text.into() });
        self
    }

    /// Adds the command, without secrets.
    #[must_use]
    pub fn with_command(mut self, command: impl Into<String>) -> Self {
        self.0.command = Some(command.into());
        self
    }

    /// Adds the remote path, or the setting's path.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<String>) -> Self {
        self.0.path = Some(path.into());
        self
    }

    /// Sets how often it was tried.
    #[must_use]
    pub fn with_attempts(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Marks that the request may have taken effect.
    #[must_use]
    pub fn with_outcome_unknown(mut self) -> Self {
        self.0.outcome_unknown = true;
        self
    }

    /// Sets what was said until it went wrong; the lines must already be safe to print, without
    /// secrets, and few.
    #[must_use]
    pub fn with_transcript(mut self, lines: Vec<String>) -> Self {
        self.0.transcript = lines;
        self
    }

    /// Puts `prefix` and a separator before the setting's path: `port` becomes `connection.port`.
    #[must_use]
    pub fn under(mut self, prefix: &str) -> Self {
        let path = match self.0.path.take() {
            Some(path) if path.starts_with('[') => format!("{prefix}{path}"),
            Some(path) if !path.is_empty() => format!("{prefix}.{path}"),
            _ => prefix.to_owned(),
        };
        self.0.path = Some(path);
        self
    }

    /// The class.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether the same request may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// What failed and where, with the text of the party that refused it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// All fields, for events and for further reading.
    #[must_use]
    pub fn report(&self) -> &ErrorReport {
        &self.0
    }

    /// The code that a document carries on as a property: the server's reply code where there is
    /// one, else the kind.
    #[must_use]
    pub fn code(&self) -> String {
        match &self.0.reply {
            Some(reply) => reply.code.to_string(),
            None => self.0.kind.as_str().to_owned(),
        }
    }
}

impl From<ErrorReport> for Error {
    fn from(report: ErrorReport) -> Self {
        Self(Box::new(report))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_keeps_its_number_and_text() {
        for (number, kind) in KINDS.iter().enumerate() {
            assert_eq!(usize::from(kind.number()), number);
            assert_eq!(ErrorKind::from_number(kind.number()), *kind);
            let json = serde_json::to_value(kind).unwrap();
            assert_eq!(json, kind.as_str());
        }
        assert_eq!(ErrorKind::from_number(999), ErrorKind::Other);
        let newer: ErrorKind = serde_json::from_str("\"quantum\"").unwrap();
        assert_eq!(newer, ErrorKind::Other);
    }

    #[test]
    fn setting_paths_nest() {
        let error =
            Error::configuration("port", "out of range").under("proxy").under("connections.a");
        assert_eq!(error.report().path.as_deref(), Some("connections.a.proxy.port"));
        let error = Error::configuration("[0].value", "not a time").under("filter.and");
        assert_eq!(error.report().path.as_deref(), Some("filter.and[0].value"));
    }

    #[test]
    fn absent_fields_stay_out_of_the_json() {
        let json =
            serde_json::to_string(&Error::new(ErrorKind::Busy, "too many connections")).unwrap();
        assert_eq!(
            json,
            r#"{"kind":"busy","retryable":true,"message":"too many connections","attempts":1}"#
        );
    }
}
