//! The inputs of an execution: each is delivered once and answered once.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, ErrorKind, InputDocument, InputHeader, Outcome, Properties, Status};

use super::execution::{Execution, Inputs, OpenInput, host, is_over};
use crate::engine::queue::{QueuedDocument, StepQueue};
use crate::locks::lock;
use crate::report::events::LogLevel;

/// One input as the connector reads it.
pub(super) struct Input {
    pub(super) id: u64,
    pub(super) header: InputHeader,
    pub(super) size: Option<u64>,
    pub(super) queued: Option<Arc<QueuedDocument>>,
}

impl InputDocument for Input {
    fn id(&self) -> u64 {
        self.id
    }

    fn size(&self) -> Option<u64> {
        self.size
    }

    fn header(&self) -> &InputHeader {
        &self.header
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        match &self.queued {
            None => Ok(0),
            Some(queued) => queued.pipe.read(buffer),
        }
    }
}

impl Execution {
    /// Registers an input as open. An input that arrives while the execution ends is answered here:
    /// no other caller would answer it.
    ///
    /// # Errors
    ///
    /// `host` when the execution is over.
    pub(super) fn open_input(&self, queued: Option<Arc<QueuedDocument>>) -> Result<u64, Error> {
        let state = queued.as_ref().map(|queued| Arc::clone(&queued.document.state));
        let input = OpenInput { queued, state, results: 0, failed: None };
        let mut state = lock(&self.state);
        if state.settled {
            drop(state);
            if input.queued.is_some() {
                self.answer(input, &Outcome::Failure(is_over()));
            }
            return Err(is_over());
        }
        state.next_input += 1;
        let id = state.next_input;
        state.open.insert(id, input);
        Ok(id)
    }

    /// The reason why `outcome` is no valid answer to `input`.
    pub(super) fn refusal(&self, input: &OpenInput, outcome: &Outcome) -> Option<Error> {
        let Inputs::Queue(queue) = &self.plan.inputs else { return None };
        let queued = input.queued.as_ref()?;
        // The refusal of this document continues as a result, and the document itself stays in the
        // previous step.
        let is_refused = input.failed.is_some();
        let claims_it =
            matches!(outcome, Outcome::Success) && queue.streams_bodies() && !is_refused;
        (claims_it && !queued.pipe.was_read(queued.document.size)).then(|| {
            Error::internal(
                "the connector called a document a success and had not read it to its end",
            )
        })
    }

    pub(super) fn header(&self, properties: Properties) -> Result<InputHeader, Error> {
        let parameters = self
            .plan
            .parameters
            .iter()
            .map(|(id, template)| Ok((id.clone(), template.expand(&properties)?)))
            .collect::<Result<_, Error>>()?;
        Ok(InputHeader { parameters, properties })
    }

    /// The properties that the operation receives. A property that states where a document came
    /// from overrides no setting, unless an id names the document there, over the same connection.
    fn visible_properties(
        &self,
        properties: &Properties,
        origins: &BTreeMap<String, Arc<str>>,
    ) -> Properties {
        let overrides = &self.plan.overrides;
        let is_at_origin =
            |origin: &Arc<str>| self.plan.names_objects && *origin == self.plan.source;
        let known = properties.iter().filter(|(id, _)| {
            !overrides.contains(*id) || origins.get(*id).is_none_or(is_at_origin)
        });
        known.collect()
    }

    /// The next document whose parameters can be expanded.
    pub(super) fn take(&self, queue: &StepQueue) -> Result<Option<Box<dyn InputDocument>>, Error> {
        while let Some(queued) = queue.take()? {
            let mut properties = queued.document.properties.clone();
            let end = queued.pipe.end();
            if let Some(end) = &end {
                properties.extend(&end.properties);
            }
            match self.header(properties) {
                Ok(mut header) => {
                    header.properties =
                        self.visible_properties(&header.properties, &queued.document.origins);
                    let size = end.map(|end| end.bytes).or(queued.document.size);
                    let id = self.open_input(Some(Arc::clone(&queued)))?;
                    return Ok(Some(Box::new(Input { id, header, size, queued: Some(queued) })));
                }
                Err(error) => {
                    let input = OpenInput {
                        state: Some(Arc::clone(&queued.document.state)),
                        queued: Some(queued),
                        results: 0,
                        failed: None,
                    };
                    self.answer(input, &Outcome::Failure(error.clone()));
                    self.stop_after(&error);
                }
            }
        }
        Ok(None)
    }

    /// Reports how an input ended and answers the previous step. Returns true if its error was
    /// reported here.
    pub(super) fn answer(&self, input: OpenInput, outcome: &Outcome) -> bool {
        let is_discarded = input.is_discarded();
        let OpenInput { queued, state, results, failed } = input;
        let mut properties = Properties::new();
        if let Some(queued) = &queued {
            properties.extend(&queued.document.properties);
            properties.extend(&queued.pipe.end().map(|end| end.properties).unwrap_or_default());
        }
        let document_state = || {
            queued
                .as_ref()
                .map(|queued| Arc::clone(&queued.document.state))
                .or_else(|| state.clone())
                .unwrap_or_else(|| self.run.new_document())
        };
        let step = &self.plan.step;
        let reported = match outcome {
            // The previous step sends a discarded document again: the outcome of this copy is
            // ignored.
            _ if is_discarded => false,
            Outcome::Success if results == 0 && failed.is_none() => {
                self.run.document_empty(step, &document_state(), &properties);
                false
            }
            Outcome::Success => false,
            // The failure of a result is reported already. A different error of the connector is
            // logged.
            Outcome::ApplicationError(error) | Outcome::Failure(error) if failed.is_some() => {
                if error.kind() != ErrorKind::Host && failed.as_ref() != Some(error) {
                    self.run.log(LogLevel::Warn, step, error.to_string());
                }
                false
            }
            Outcome::ApplicationError(error) => self.run.document_failed(
                step,
                &document_state(),
                Status::ApplicationError,
                &properties,
                error,
            ),
            Outcome::Failure(error) => self.run.document_failed(
                step,
                &document_state(),
                Status::Failure,
                &properties,
                error,
            ),
        };
        if reported {
            lock(&self.state).reported = outcome.error().cloned();
        }
        if let Some(queued) = queued {
            queued.pipe.answer(match outcome.error().or(failed.as_ref()) {
                None => Ok(()),
                Some(error) if error.kind() == ErrorKind::Cancelled => Err(error.clone()),
                Some(error) => Err(host(&format!("step \"{}\": {error}", step.name))
                    .with_retryable(error.is_retryable())),
            });
        }
        reported
    }
}
