//! Between two steps: tells what left the one and what the other did not take.

use std::sync::Arc;

use host_sdk::{Error, ErrorKind, Status};
use serde_json::Value;

use super::document::StepIdentity;
use super::document::{Document, End};
use super::run::Run;
use super::stage::{Acknowledgement, BodySink, Durable, Held, Stage};

/// The largest body that an event quotes.
const QUOTED_JSON: usize = 64 * 1024;

/// Where documents leave one step and enter the next, or the process's end.
pub(crate) struct Handover {
    run: Arc<Run>,
    left: Arc<StepIdentity>,
    entered: Option<(Arc<StepIdentity>, Arc<dyn Stage>)>,
}

impl Handover {
    /// From `left` to `entered`.
    pub(crate) fn between(
        run: &Arc<Run>,
        left: &Arc<StepIdentity>,
        entered: &Arc<StepIdentity>,
        stage: Arc<dyn Stage>,
    ) -> Arc<dyn Stage> {
        Arc::new(Self {
            run: Arc::clone(run),
            left: Arc::clone(left),
            entered: Some((Arc::clone(entered), stage)),
        })
    }

    /// From the last step to the end of the process.
    pub(crate) fn out_of(run: &Arc<Run>, left: &Arc<StepIdentity>) -> Arc<dyn Stage> {
        Arc::new(Self { run: Arc::clone(run), left: Arc::clone(left), entered: None })
    }
}

impl Stage for Handover {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let handed = Handed {
            run: Arc::clone(&self.run),
            left: Arc::clone(&self.left),
            entered: self.entered.as_ref().map(|(step, _)| Arc::clone(step)),
            document: document.clone(),
        };
        let to = match &self.entered {
            None => To::Caller(Some(Vec::new())),
            Some((_, stage)) => {
                To::Step(stage.begin(document).map_err(|error| handed.refused(&error))?)
            }
        };
        Ok(Box::new(HandoverSink { handed, to }))
    }
}

/// The document on its way from one step to the next.
struct Handed {
    run: Arc<Run>,
    left: Arc<StepIdentity>,
    entered: Option<Arc<StepIdentity>>,
    document: Document,
}

impl Handed {
    /// Tells why the next step did not take the document, unless a later one has, and what the
    /// step before is told.
    fn refused(&self, error: &Error) -> Error {
        let Some(step) = &self.entered else { return error.clone() };
        let new = self.run.failed(
            step,
            &self.document.fate,
            Status::Failure,
            &self.document.properties,
            error,
        );
        // A cancelled or told error goes back as it is.
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
    handed: Handed,
    to: To,
}

/// Where a document goes.
enum To {
    Step(Box<dyn BodySink>),
    /// Out of the process; the body is kept while it may be quoted.
    Caller(Option<Vec<u8>>),
}

impl BodySink for HandoverSink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.to {
            To::Step(sink) => sink.write(bytes).map_err(|error| self.handed.refused(&error)),
            To::Caller(quoted) => {
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

    fn resume(&mut self, identity: &str, held: &mut Held<'_>) -> Result<(), Error> {
        match &mut self.to {
            To::Step(sink) => {
                sink.resume(identity, held).map_err(|error| self.handed.refused(&error))
            }
            To::Caller(_) => Ok(()),
        }
    }

    fn discard(&mut self) -> Result<(), Error> {
        match &mut self.to {
            To::Step(sink) => sink.discard(),
            To::Caller(_) => Ok(()),
        }
    }

    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { handed, to } = *self;
        // The refusal belongs to the step that is left; those that follow must not take the
        // document for what was refused.
        let refused = end.application_error.as_ref().or(end.refused.as_ref()).cloned();
        let onwards = End { application_error: None, refused, ..end.clone() };
        let (acknowledgement, json): (Box<dyn Acknowledgement>, _) = match to {
            To::Step(sink) => (sink.close(&onwards).map_err(|error| handed.refused(&error))?, None),
            To::Caller(quoted) => {
                (Box::new(Durable), quoted.and_then(|body| serde_json::from_slice(&body).ok()))
            }
        };
        Ok(Box::new(Handing { handed, end: end.clone(), json, acknowledgement }))
    }
}

struct Handing {
    handed: Handed,
    end: End,
    json: Option<Value>,
    acknowledgement: Box<dyn Acknowledgement>,
}

impl Acknowledgement for Handing {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        let Self { handed, end, json, acknowledgement } = *self;
        acknowledgement.wait().map_err(|error| handed.refused(&error))?;
        let last = handed.entered.is_none();
        handed.run.left(&handed.left, &handed.document, &end, last, json);
        Ok(())
    }
}
