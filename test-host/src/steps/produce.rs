//! The production of documents by the first step.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use host_sdk::{Error, Properties, Status};

use crate::engine::document::StepIdentity;
use crate::engine::document::{Digest, Document};
use crate::engine::run::Run;
use crate::engine::stage::{Acknowledgement, BodySink, Stage};

/// How many documents wait for their acknowledgement at once.
const MAX_IN_FLIGHT: usize = 64;

/// A first step that produces documents one after the other.
pub(crate) struct Producer {
    run: Arc<Run>,
    step: Arc<StepIdentity>,
    next: Arc<dyn Stage>,
    in_flight: VecDeque<Box<dyn Acknowledgement>>,
}

impl Producer {
    pub(crate) fn new(run: &Arc<Run>, step: &Arc<StepIdentity>, next: Arc<dyn Stage>) -> Self {
        Self { run: Arc::clone(run), step: Arc::clone(step), next, in_flight: VecDeque::new() }
    }

    /// Produces one document, whose body `write` writes. An error of `write` is the document's own.
    ///
    /// # Errors
    ///
    /// Only `cancelled` or `timeout`, when no more documents are wanted.
    pub(crate) fn produce(
        &mut self,
        properties: Properties,
        size: Option<u64>,
        write: impl FnOnce(&mut BodyWriter) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.run.cancellation().check()?;
        let document = Document {
            state: self.run.new_document(),
            source: Arc::clone(&self.step.name),
            properties,
            origins: BTreeMap::new(),
            size,
            answers: None,
        };
        // The later step has reported why it rejected the document.
        let Ok(sink) = self.next.begin(&document) else { return Ok(()) };
        let mut body = BodyWriter { sink, digest: Digest::default() };
        match write(&mut body) {
            Ok(()) => {
                let BodyWriter { sink, digest } = body;
                if let Ok(acknowledgement) = sink.close(&digest.end(Properties::new())) {
                    self.in_flight.push_back(acknowledgement);
                }
            }
            Err(error) => {
                drop(body);
                self.failed(&document, &error);
            }
        }
        while self.in_flight.len() >= MAX_IN_FLIGHT {
            self.wait_for_one();
        }
        Ok(())
    }

    /// Reports a document that could not begin.
    pub(crate) fn reject(&self, properties: Properties, error: &Error) {
        let document_state = self.run.new_document();
        self.run.document_failed(&self.step, &document_state, Status::Failure, &properties, error);
    }

    fn failed(&self, document: &Document, error: &Error) {
        let properties = &document.properties;
        self.run.document_failed(&self.step, &document.state, Status::Failure, properties, error);
    }

    fn wait_for_one(&mut self) {
        if let Some(acknowledgement) = self.in_flight.pop_front() {
            // The later step has reported why it rejected the document.
            let _ = acknowledgement.wait();
        }
    }
}

impl Drop for Producer {
    /// Waits for every document in flight: it can become durable, whatever ended the step.
    fn drop(&mut self) {
        while !self.in_flight.is_empty() {
            self.wait_for_one();
        }
    }
}

/// The body of a document while it is produced.
pub(crate) struct BodyWriter {
    sink: Box<dyn BodySink>,
    digest: Digest,
}

impl BodyWriter {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.sink.write(bytes)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.digest.bytes()
    }
}
