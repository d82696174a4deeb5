//! The failure of a request: built where it happens, asked where something is decided.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use host_sdk::{Error, ErrorKind, Outcome};

use super::cause::Cause;

use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::Verb;

/// Why something did not succeed.
#[derive(Clone)]
pub(crate) struct Failure(pub(super) Box<Parts>);

#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) cause: Cause,
    /// The server's answer that it rests on.
    pub(super) refusal: Option<Refusal>,
    /// The command whose reply did not come.
    pub(super) awaited: Option<Verb>,
    /// Whether the same request may succeed later.
    pub(super) is_transient: bool,
    /// Whether no further attempt is made: enough were made, or another could lock an account.
    pub(super) is_final: bool,
    /// Whether the request may have taken effect: look before it is repeated.
    pub(super) is_outcome_unknown: bool,
    pub(super) message: String,
    pub(super) hint: Option<Cow<'static, str>>,
    pub(super) path: Option<String>,
    pub(super) attempts: u32,
    pub(super) transcript: Vec<String>,
}

/// A server's answer that says no, or not enough.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// The command that it answers; none for what a server says unasked.
    pub(super) verb: Option<Verb>,
    /// The command in messages.
    pub(super) shown: String,
    pub(super) code: u16,
    pub(super) text: String,
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
        phase: Phase,
        verb: Option<Verb>,
        shown: &str,
        printed: &Reply,
    ) -> Self {
        let (meaning, hint) = reply.meaning(phase, verb);
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

    /// Whether the request is refused for good or for now, by the server in whatever words (501 and 503 as
    /// well) or before it is sent.
    pub(crate) fn is_refusal(&self) -> bool {
        self.is_about_document() || (self.is(Cause::Nonsense) && self.is_answer())
    }

    /// Whether the server's answer is about the path, and not about the session.
    pub(crate) fn is_about_path(&self) -> bool {
        self.is_answer()
            && !self.0.is_outcome_unknown
            && !matches!(self.0.cause, Cause::Busy | Cause::Lost | Cause::Late)
    }

    /// The outcome of a document that it stopped: where `as_application_error` and it is about the document
    /// alone, an error that the process sees as a document's own.
    pub(crate) fn into_outcome(self, as_application_error: bool) -> Outcome {
        match as_application_error && self.is_about_document() {
            true => Outcome::ApplicationError(self.into()),
            false => Outcome::Failure(self.into()),
        }
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
