//! A document on its way through the steps, and its state.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use host_sdk::{Error, Properties, Status};

/// A step as events name it.
#[derive(Debug)]
pub(crate) struct StepIdentity {
    pub(crate) name: Arc<str>,
    /// True if its events report the documents that came in, false if those that went out.
    pub(crate) tracks_input: bool,
}

/// How one document ends, as reported by the steps that it passes.
pub(crate) struct DocumentState {
    number: u64,
    pub(super) progress: Mutex<DocumentProgress>,
}

#[derive(Default)]
pub(super) struct DocumentProgress {
    pub(super) ended: Option<Status>,
    pub(super) bytes: u64,
}

impl DocumentState {
    /// The state of the document `number`, which has not ended.
    pub(crate) fn new(number: u64) -> Self {
        Self { number, progress: Mutex::default() }
    }

    pub(crate) fn number(&self) -> u64 {
        self.number
    }
}

/// A document as a step receives it, before its body.
#[derive(Clone)]
pub(crate) struct Document {
    /// Its number and how it ends, shared by all steps that it passes.
    pub(crate) state: Arc<DocumentState>,
    /// The connection or the step that it came from last.
    pub(crate) source: Arc<str>,
    /// The properties known so far.
    pub(crate) properties: Properties,
    /// The properties that state where the document came from, each with the connection that set
    /// it. A setProperties or message step removes what it sets.
    pub(crate) origins: BTreeMap<String, Arc<str>>,
    /// The body's length, if it is known before the body.
    pub(crate) size: Option<u64>,
    /// The properties of the document that it answers, where those are tracked.
    pub(crate) answers: Option<Properties>,
}

impl Document {
    /// The number that follows it through the steps.
    pub(crate) fn number(&self) -> u64 {
        self.state.number()
    }
}

/// What is known of a document only once its body has ended.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// Properties that add to the earlier ones and override them.
    pub(crate) properties: Properties,
    /// The body's length.
    pub(crate) bytes: u64,
    /// The body's SHA-256 in lowercase hexadecimal.
    pub(crate) sha256: Arc<str>,
    /// Why the service refused it, while it leaves the step where it was refused.
    pub(crate) application_error: Option<Error>,
    /// Why the service refused it in an earlier step. The body is then the refusal, not the
    /// document that was asked for.
    pub(crate) refused: Option<Error>,
}
