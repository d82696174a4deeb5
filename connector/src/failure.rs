//! What can go wrong between the connector and a server, as a type that the code decides by.
//!
//! Inside the connector nothing is decided by a message. A [`Failure`] becomes the interface's
//! [`Error`] where it leaves the connector: at the end of an operation's document, of a connection
//! test and of browsing.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use host_sdk::{Error, ErrorKind, Outcome};

use crate::protocol::reply::{Meaning, Occasion, Reply};
use crate::protocol::verb::Verb;

/// Why something did not succeed.
#[derive(Clone)]
pub(crate) struct Failure(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    cause: Cause,
    /// The server's answer that it rests on.
    refusal: Option<Refusal>,
    /// The command whose reply did not come.
    awaited: Option<Verb>,
    /// Whether the same request may succeed later.
    is_transient: bool,
    /// Whether no further attempt is made: enough were made, or another could lock an account.
    is_final: bool,
    /// Whether the request may have taken effect: look before it is repeated.
    is_outcome_unknown: bool,
    message: String,
    hint: Option<Cow<'static, str>>,
    path: Option<String>,
    attempts: u32,
    transcript: Vec<String>,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The server does not permit it, or what it permits does not suffice to find something out.
    Denied,
    /// Nothing is there, and that is proven.
    Missing,
    /// Something is there already.
    Taken,
    /// The server cannot do it now.
    Unavailable,
    /// Too many sessions.
    Busy,
    /// This machine has no more files or threads.
    Exhausted,
    /// There is no room on the server.
    Full,
    /// The server does not have the command or the option.
    Unsupported,
    /// The login is rejected.
    LoginRejected,
    /// The connection ended, or could not be made.
    Lost,
    /// A time limit was reached.
    Late,
    /// A TLS handshake, a certificate or a record failed.
    Tls,
    /// What arrived is not FTP, or cannot be true.
    Nonsense,
    /// The request cannot be sent: CR, LF, NUL, or a character that the encoding lacks; or the
    /// document lacks what it needs.
    Unsendable,
    /// Bytes, a size, a listing or a resume point could not be proven.
    Unproven,
    /// The host wants no more.
    Cancelled,
    /// The host's source or sink failed.
    Host,
    /// A setting that cannot be used, or a broken invariant: passed on as it is.
    Foreign(ErrorKind),
}

/// A server's answer that says no, or not enough.
#[derive(Clone, Debug)]
struct Refusal {
    /// The command that it answers; none for what a server says unasked.
    verb: Option<Verb>,
    /// The command in messages.
    shown: String,
    code: u16,
    text: String,
}

impl Failure {
    /// A failure for `cause`, which `message` describes.
    pub(crate) fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self(Box::new(Parts {
            cause,
            refusal: None,
            awaited: None,
            is_transient: cause.is_usually_transient(),
            is_final: false,
            is_outcome_unknown: false,
            message: message.into(),
            hint: None,
            path: None,
            attempts: 1,
            transcript: Vec::new(),
        }))
    }

    /// An invariant of the connector is broken.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(Cause::Foreign(ErrorKind::Internal), message)
    }

    /// A setting at `path` cannot be used.
    pub(crate) fn configuration(path: &str, message: impl Into<String>) -> Self {
        Self::new(Cause::Foreign(ErrorKind::Configuration), message).with_path(path)
    }

    /// `what` took longer than `limit`.
    pub(crate) fn late(what: &str, limit: Duration) -> Self {
        Error::timeout(what, limit).into()
    }

    /// The host wants no more.
    pub(crate) fn cancelled() -> Self {
        Error::cancelled().into()
    }

    /// The server refused `verb`, which messages call `shown`; `printed` is its reply without secrets.
    pub(crate) fn refused(
        reply: &Reply,
        occasion: Occasion,
        verb: Option<Verb>,
        shown: &str,
        printed: &Reply,
    ) -> Self {
        let (meaning, hint) = reply.meaning(occasion, verb);
        let cause = Cause::from(meaning);
        let is_transient = reply.is_transient_refusal() && cause != Cause::LoginRejected;
        let mut failure = Self::new(cause, format!("{shown} refused: {printed}"))
            .with_transient(is_transient || cause == Cause::Busy);
        failure.0.hint = hint.map(Cow::Borrowed);
        failure.0.refusal = Some(Refusal {
            verb,
            shown: shown.to_owned(),
            code: printed.code(),
            text: printed.text(),
        });
        failure
    }

    /// Rests on the same answer as `other`, about the same path.
    pub(crate) fn with_refusal_of(mut self, other: &Self) -> Self {
        self.0.refusal.clone_from(&other.0.refusal);
        self.0.path.clone_from(&other.0.path);
        self
    }

    /// The reply to `verb` did not come.
    pub(crate) fn awaiting(mut self, verb: Verb) -> Self {
        self.0.awaited = Some(verb);
        self
    }

    /// Whether the same request may succeed later. Default: by the cause.
    pub(crate) fn with_transient(mut self, is_transient: bool) -> Self {
        self.0.is_transient = is_transient;
        self
    }

    /// `attempts` were made, and no further one is.
    pub(crate) fn given_up_after(mut self, attempts: u32) -> Self {
        self.0.attempts = attempts;
        self.0.is_final |= attempts > 1;
        self
    }

    /// The same answer, now that it is known to mean that nothing is there.
    pub(crate) fn into_missing(mut self) -> Self {
        self.0.cause = Cause::Missing;
        self.0.is_transient = false;
        self
    }

    /// The same failure for another cause.
    pub(crate) fn with_cause(mut self, cause: Cause) -> Self {
        self.0.cause = cause;
        self
    }

    /// The request may have taken effect.
    pub(crate) fn with_outcome_unknown(mut self) -> Self {
        self.0.is_outcome_unknown = true;
        self
    }

    /// What to do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// As [`Failure::with_hint`], unless this machine lacks something, which has its own hint.
    pub(crate) fn hinted(self, hint: impl Into<Cow<'static, str>>) -> Self {
        if self.0.cause == Cause::Exhausted { self } else { self.with_hint(hint) }
    }

    /// What it is about.
    pub(crate) fn with_path(mut self, path: impl fmt::Display) -> Self {
        self.0.path = Some(path.to_string());
        self
    }

    /// As [`Failure::with_path`], where no path is named yet.
    pub(crate) fn at(self, path: impl fmt::Display) -> Self {
        if self.0.path.is_some() { self } else { self.with_path(path) }
    }

    /// What was said on the control connection, unless that is there already.
    pub(crate) fn with_transcript(mut self, lines: impl FnOnce() -> Vec<String>) -> Self {
        if self.0.transcript.is_empty() {
            self.0.transcript = lines();
        }
        self
    }
}

impl Failure {
    /// What happened.
    pub(crate) fn cause(&self) -> Cause {
        self.0.cause
    }

    /// Whether it is for `cause`.
    pub(crate) fn is(&self, cause: Cause) -> bool {
        self.0.cause == cause
    }

    /// Whether the server answered, if not as was hoped for.
    pub(crate) fn is_answer(&self) -> bool {
        self.0.refusal.is_some()
    }

    /// The command that the server answered.
    pub(crate) fn refused_verb(&self) -> Option<Verb> {
        self.0.refusal.as_ref()?.verb
    }

    /// Whether the server refused `verb`.
    pub(crate) fn is_refusal_of(&self, verb: Verb) -> bool {
        self.refused_verb() == Some(verb)
    }

    /// Whether the command is unknown to the server.
    pub(crate) fn is_unknown_command(&self) -> bool {
        self.is(Cause::Unsupported) && self.is_answer()
    }

    /// Whether the server hung up or fell silent where it was to say what it thinks of a secret.
    pub(crate) fn awaited_secret(&self) -> bool {
        !self.is_answer() && self.0.awaited.is_some_and(Verb::is_secret)
    }

    /// Whether the request may have taken effect.
    pub(crate) fn is_outcome_unknown(&self) -> bool {
        self.0.is_outcome_unknown
    }

    /// Whether the same request may succeed later.
    pub(crate) fn is_transient(&self) -> bool {
        self.0.is_transient
    }

    /// Whether going on where it stopped makes sense: a host that did not take a document has its
    /// own reasons, and what was repeated in vain is not repeated again.
    pub(crate) fn is_interruption(&self) -> bool {
        self.0.is_transient
            && !self.0.is_final
            && !matches!(self.0.cause, Cause::Busy | Cause::Cancelled | Cause::Host)
    }

    /// Whether it is about one document: the others may well succeed.
    pub(crate) fn is_about_document(&self) -> bool {
        matches!(
            self.0.cause,
            Cause::Unsendable
                | Cause::Denied
                | Cause::Missing
                | Cause::Taken
                | Cause::Unavailable
                | Cause::Full
                | Cause::Unsupported
        )
    }

    /// Whether after it no other document can be better off.
    pub(crate) fn ends_operation(&self) -> bool {
        self.ends_session()
            || matches!(self.0.cause, Cause::LoginRejected | Cause::Busy | Cause::Exhausted)
    }

    /// Whether the session is lost with it.
    pub(crate) fn ends_session(&self) -> bool {
        matches!(self.0.cause, Cause::Lost | Cause::Late | Cause::Tls | Cause::Cancelled)
    }

    /// Whether the server answered that it will not, in whatever words: 501 and 503 as well.
    pub(crate) fn is_refusal(&self) -> bool {
        self.is_about_document() || (self.is(Cause::Nonsense) && self.is_answer())
    }

    /// Whether the server's answer is about the path, and not about the session.
    pub(crate) fn is_about_path(&self) -> bool {
        self.is_answer()
            && !self.0.is_outcome_unknown
            && !matches!(self.0.cause, Cause::Busy | Cause::Lost | Cause::Late)
    }

    /// The answer to a document that it stopped: an error that the process sees where it is about the
    /// document alone and such are wanted.
    pub(crate) fn into_outcome(self, as_application_error: bool) -> Outcome {
        match as_application_error && self.is_about_document() {
            true => Outcome::ApplicationError(self.into()),
            false => Outcome::Failure(self.into()),
        }
    }

    /// How many attempts were made.
    #[cfg(test)]
    pub(crate) fn attempts(&self) -> u32 {
        self.0.attempts
    }

    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// What happened, in one sentence.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }
}

impl From<Meaning> for Cause {
    fn from(meaning: Meaning) -> Self {
        match meaning {
            Meaning::LoginRejected => Self::LoginRejected,
            Meaning::Busy => Self::Busy,
            Meaning::Lost => Self::Lost,
            Meaning::Denied => Self::Denied,
            Meaning::Tls => Self::Tls,
            Meaning::Full => Self::Full,
            Meaning::Unsupported => Self::Unsupported,
            Meaning::Nonsense => Self::Nonsense,
            Meaning::Unavailable => Self::Unavailable,
        }
    }
}

impl Cause {
    fn is_usually_transient(self) -> bool {
        matches!(self, Self::Unavailable | Self::Busy | Self::Lost | Self::Late)
    }

    /// What the interface calls it.
    fn kind(self) -> ErrorKind {
        match self {
            Self::Denied => ErrorKind::Permission,
            Self::Missing => ErrorKind::NotFound,
            Self::Taken => ErrorKind::AlreadyExists,
            Self::Unavailable => ErrorKind::Unavailable,
            Self::Busy | Self::Exhausted => ErrorKind::Busy,
            Self::Full => ErrorKind::Quota,
            Self::Unsupported => ErrorKind::Unsupported,
            Self::LoginRejected => ErrorKind::Authentication,
            Self::Lost => ErrorKind::Connection,
            Self::Late => ErrorKind::Timeout,
            Self::Tls => ErrorKind::Tls,
            Self::Nonsense => ErrorKind::Protocol,
            Self::Unsendable => ErrorKind::Document,
            Self::Unproven => ErrorKind::Integrity,
            Self::Cancelled => ErrorKind::Cancelled,
            Self::Host => ErrorKind::Host,
            Self::Foreign(kind) => kind,
        }
    }
}

/// Errors of the kit, of names and of listings; those of the host stay what they are.
impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let report = error.report();
        let cause = match report.kind {
            ErrorKind::Permission => Cause::Denied,
            ErrorKind::NotFound => Cause::Missing,
            ErrorKind::AlreadyExists => Cause::Taken,
            ErrorKind::Unavailable => Cause::Unavailable,
            ErrorKind::Busy if report.retryable => Cause::Busy,
            ErrorKind::Busy => Cause::Exhausted,
            ErrorKind::Quota => Cause::Full,
            ErrorKind::Unsupported => Cause::Unsupported,
            ErrorKind::Authentication => Cause::LoginRejected,
            ErrorKind::Connection => Cause::Lost,
            ErrorKind::Timeout => Cause::Late,
            ErrorKind::Tls => Cause::Tls,
            ErrorKind::Protocol => Cause::Nonsense,
            ErrorKind::Document => Cause::Unsendable,
            ErrorKind::Integrity => Cause::Unproven,
            ErrorKind::Cancelled => Cause::Cancelled,
            ErrorKind::Host => Cause::Host,
            kind => Cause::Foreign(kind),
        };
        Self(Box::new(Parts {
            cause,
            refusal: None,
            awaited: None,
            is_transient: report.retryable,
            is_final: report.attempts > 1,
            is_outcome_unknown: report.outcome_unknown,
            message: report.message.clone(),
            hint: report.hint.clone().map(Cow::Owned),
            path: report.path.clone(),
            attempts: report.attempts,
            transcript: report.transcript.clone(),
        }))
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let parts = *failure.0;
        let mut error = Self::new(parts.cause.kind(), parts.message)
            .with_retryable(parts.is_transient)
            .with_attempts(parts.attempts)
            .with_transcript(parts.transcript);
        if let Some(refusal) = parts.refusal {
            error = error.with_reply(refusal.code, refusal.text).with_command(refusal.shown);
        } else if let Some(verb) = parts.awaited {
            error = error.with_command(verb.as_str());
        }
        if let Some(path) = parts.path {
            error = error.with_path(path);
        }
        if let Some(hint) = parts.hint {
            error = error.with_hint(hint);
        }
        if parts.is_outcome_unknown { error.with_outcome_unknown() } else { error }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// For the way through [`std::io::Error`].
impl std::error::Error for Failure {}
