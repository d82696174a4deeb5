//! The production of documents by the first step.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use host_sdk::{Error, Properties, Status};

use crate::engine::digest::Digest;
use crate::engine::document::{Document, StepIdentity};
use crate::engine::run::Run;
use crate::engine::step_input::{Acknowledgement, BodySink, BodySource, StepInput};

/// How many documents wait for their acknowledgement at once.
const MAX_IN_FLIGHT: usize = 64;

/// A first step that produces documents one after the other.
pub(crate) struct Producer {
    run: Arc<Run>,
    step: Arc<StepIdentity>,
    next: Arc<dyn StepInput>,
    in_flight: VecDeque<Box<dyn Acknowledgement>>,
}

impl Producer {
    pub(crate) fn new(run: &Arc<Run>, step: &Arc<StepIdentity>, next: Arc<dyn StepInput>) -> Self {
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
        write: impl FnOnce(&mut BodyWriter<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.produce_digested(properties, size, |sink| {
            let mut body = BodyWriter { sink, digest: Digest::default() };
            write(&mut body).map(|()| body.digest)
        })
    }

    /// Produces one document of `size` bytes from `source`, whose error is the document's own. A
    /// long body is read by the thread that needs it.
    ///
    /// # Errors
    ///
    /// As [`Producer::produce`].
    pub(crate) fn produce_from(
        &mut self,
        properties: Properties,
        size: u64,
        source: Box<dyn BodySource>,
        chunk: &mut [u8],
    ) -> Result<(), Error> {
        self.produce_digested(properties, Some(size), |sink| {
            // A short one fits into the queue: its reader need not be waited for.
            let mut source = match size > chunk.len() as u64 {
                true => sink.pull(source)?,
                false => source,
            };
            loop {
                match source.read(chunk)? {
                    0 => return Ok(source.into_digest()),
                    count => sink.write(&chunk[..count])?,
                }
            }
        })
    }

    fn produce_digested(
        &mut self,
        properties: Properties,
        size: Option<u64>,
        write: impl FnOnce(&mut dyn BodySink) -> Result<Digest, Error>,
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
        let Ok(mut sink) = self.next.begin(&document) else { return Ok(()) };
        match write(sink.as_mut()) {
            Ok(digest) => {
                if let Ok(acknowledgement) = sink.close(&digest.end(Properties::new())) {
                    self.in_flight.push_back(acknowledgement);
                }
            }
            Err(error) => {
                drop(sink);
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
pub(crate) struct BodyWriter<'a> {
    sink: &'a mut dyn BodySink,
    digest: Digest,
}

impl BodyWriter<'_> {
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.digest.update(bytes);
        self.sink.write(bytes)
    }
}
