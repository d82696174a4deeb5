//! The passage between two steps: reports what left the one and what the other rejected.

use std::sync::Arc;

use host_sdk::{Error, ErrorKind, Status};

use super::document::StepIdentity;
use super::document::{Document, End};
use super::run::Run;
use super::step_input::{Acknowledgement, BodySink, BodySource, Durable, OnKeptBytes, StepInput};
use crate::report::QuotedJson;

/// The largest body that an event quotes.
const QUOTED_JSON: usize = 64 * 1024;

/// Where documents leave one step and enter the next, or the process's end.
pub(crate) struct Handover {
    run: Arc<Run>,
    from: Arc<StepIdentity>,
    to: Option<(Arc<StepIdentity>, Arc<dyn StepInput>)>,
}

impl Handover {
    /// From the step `from` to the step `to`.
    pub(crate) fn between(
        run: &Arc<Run>,
        from: &Arc<StepIdentity>,
        to: &Arc<StepIdentity>,
        input: Arc<dyn StepInput>,
    ) -> Arc<dyn StepInput> {
        Arc::new(Self {
            run: Arc::clone(run),
            from: Arc::clone(from),
            to: Some((Arc::clone(to), input)),
        })
    }

    /// From the last step to the end of the process.
    pub(crate) fn after_last(run: &Arc<Run>, from: &Arc<StepIdentity>) -> Arc<dyn StepInput> {
        Arc::new(Self { run: Arc::clone(run), from: Arc::clone(from), to: None })
    }
}

impl StepInput for Handover {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let outgoing = OutgoingDocument {
            run: Arc::clone(&self.run),
            from: Arc::clone(&self.from),
            to: self.to.as_ref().map(|(step, _)| Arc::clone(step)),
            document: document.clone(),
        };
        let target = match &self.to {
            None => Target::Caller(Some(Vec::new())),
            Some((_, input)) => {
                Target::Step(input.begin(document).map_err(|error| outgoing.reject(&error))?)
            }
        };
        Ok(Box::new(HandoverSink { outgoing, target }))
    }
}

/// The document on its way from one step to the next.
struct OutgoingDocument {
    run: Arc<Run>,
    from: Arc<StepIdentity>,
    to: Option<Arc<StepIdentity>>,
    document: Document,
}

impl OutgoingDocument {
    /// Reports why the next step rejected the document, unless a later step has reported it, and
    /// returns the error for the step before.
    fn reject(&self, error: &Error) -> Error {
        let Some(step) = &self.to else { return error.clone() };
        let new = self.run.document_failed(
            step,
            &self.document.state,
            Status::Failure,
            &self.document.properties,
            error,
        );
        // The error of a cancellation, or one that is reported already, is returned unchanged.
        if !new || self.run.cancellation().is_cancelled() {
            return error.clone();
        }
        Error::new(
            ErrorKind::Host,
            format!("step \"{}\" did not take the document: {}", step.name, error.message()),
        )
        .with_retryable(error.is_retryable())
    }
}

struct HandoverSink {
    outgoing: OutgoingDocument,
    target: Target,
}

/// The next step, or the end of the process.
enum Target {
    Step(Box<dyn BodySink>),
    /// The end of the process. The body is kept as long as an event may quote it.
    Caller(Option<Vec<u8>>),
}

impl BodySink for HandoverSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.target {
            Target::Step(sink) => sink.write(bytes).map_err(|error| self.outgoing.reject(&error)),
            Target::Caller(quoted) => {
                if let Some(body) = quoted {
                    let looks_like_json = !body.is_empty()
                        || bytes
                            .first()
                            .is_none_or(|byte| b"{[\"tfn-0123456789 \t\r\n".contains(byte));
                    if looks_like_json && body.len() + bytes.len() <= QUOTED_JSON {
                        body.extend_from_slice(bytes);
                    } else {
                        *quoted = None;
                    }
                }
                Ok(())
            }
        }
    }

    fn pull(&mut self, source: Box<dyn BodySource>) -> Result<Box<dyn BodySource>, Error> {
        match &mut self.target {
            Target::Step(sink) => sink.pull(source).map_err(|error| self.outgoing.reject(&error)),
            Target::Caller(_) => Ok(source),
        }
    }

    fn resume(&mut self, identity: &str, on_kept: &mut OnKeptBytes<'_>) -> Result<(), Error> {
        match &mut self.target {
            Target::Step(sink) => {
                sink.resume(identity, on_kept).map_err(|error| self.outgoing.reject(&error))
            }
            Target::Caller(_) => Ok(()),
        }
    }

    fn discard(&mut self) -> Result<(), Error> {
        match &mut self.target {
            Target::Step(sink) => sink.discard(),
            Target::Caller(_) => Ok(()),
        }
    }

    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { outgoing, target } = *self;
        // The refusal belongs to the step that the document leaves. Later steps must not take the
        // refusal for the document.
        let refused = end.application_error.as_ref().or(end.refused.as_ref()).cloned();
        let passed_on = End { application_error: None, refused, ..end.clone() };
        let (acknowledgement, json): (Box<dyn Acknowledgement>, _) = match target {
            Target::Step(sink) => {
                (sink.close(&passed_on).map_err(|error| outgoing.reject(&error))?, None)
            }
            Target::Caller(quoted) => (Box::new(Durable), quoted.and_then(QuotedJson::from_body)),
        };
        Ok(Box::new(PendingAcknowledgement { outgoing, end: end.clone(), json, acknowledgement }))
    }
}

struct PendingAcknowledgement {
    outgoing: OutgoingDocument,
    end: End,
    json: Option<QuotedJson>,
    acknowledgement: Box<dyn Acknowledgement>,
}

impl Acknowledgement for PendingAcknowledgement {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        let Self { outgoing, end, json, acknowledgement } = *self;
        acknowledgement.wait().map_err(|error| outgoing.reject(&error))?;
        let last = outgoing.to.is_none();
        outgoing.run.document_passed(&outgoing.from, &outgoing.document, &end, last, json);
        Ok(())
    }
}
