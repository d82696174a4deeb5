//! Producing documents as the first step.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use host_sdk::{Error, Properties, Status};

use crate::engine::document::StepIdentity;
use crate::engine::document::{Digest, Document};
use crate::engine::run::Run;
use crate::engine::stage::{Acknowledgement, BodySink, Stage};

/// How many documents await their acknowledgement at once.
const UNDER_WAY: usize = 64;

/// A first step that produces documents one after the other.
pub(crate) struct Producer {
    run: Arc<Run>,
    step: Arc<StepIdentity>,
    next: Arc<dyn Stage>,
    under_way: VecDeque<Box<dyn Acknowledgement>>,
}

impl Producer {
    pub(crate) fn new(run: &Arc<Run>, step: &Arc<StepIdentity>, next: Arc<dyn Stage>) -> Self {
        Self { run: Arc::clone(run), step: Arc::clone(step), next, under_way: VecDeque::new() }
    }

    /// Produces one document, whose body `write` writes. Its errors are the document's own.
    ///
    /// # Errors
    ///
    /// Only `cancelled` or `timeout`, when nothing more is wanted.
    pub(crate) fn produce(
        &mut self,
        properties: Properties,
        size: Option<u64>,
        write: impl FnOnce(&mut Body) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.run.cancellation().check()?;
        let document = Document {
            fate: self.run.new_fate(),
            source: Arc::clone(&self.step.name),
            properties,
            origins: BTreeMap::new(),
            size,
            answers: None,
        };
        // What a later step does not take has been told there.
        let Ok(sink) = self.next.begin(&document) else { return Ok(()) };
        let mut body = Body { sink, digest: Digest::default() };
        match write(&mut body) {
            Ok(()) => {
                let Body { sink, digest } = body;
                if let Ok(acknowledgement) = sink.close(&digest.end(Properties::new())) {
                    self.under_way.push_back(acknowledgement);
                }
            }
            Err(error) => {
                drop(body);
                self.failed(&document, &error);
            }
        }
        while self.under_way.len() >= UNDER_WAY {
            self.wait_for_one();
        }
        Ok(())
    }

    /// Tells of a document that could not even begin.
    pub(crate) fn refuse(&self, properties: Properties, error: &Error) {
        let fate = self.run.new_fate();
        self.run.failed(&self.step, &fate, Status::Failure, &properties, error);
    }

    fn failed(&self, document: &Document, error: &Error) {
        let properties = &document.properties;
        self.run.failed(&self.step, &document.fate, Status::Failure, properties, error);
    }

    fn wait_for_one(&mut self) {
        if let Some(acknowledgement) = self.under_way.pop_front() {
            // What a later step does not take has been told there.
            let _ = acknowledgement.wait();
        }
    }
}

impl Drop for Producer {
    /// Waits for what is still under way: whatever ends the step, it may well become durable.
    fn drop(&mut self) {
        while !self.under_way.is_empty() {
            self.wait_for_one();
        }
    }
}

/// The body of a document while it is produced.
pub(crate) struct Body {
    sink: Box<dyn BodySink>,
    digest: Digest,
}

impl Body {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.sink.write(bytes)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.digest.bytes()
    }
}
