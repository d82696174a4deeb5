//! The inputs of an execution: each is handed out once and answered once.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, ErrorKind, InputDocument, InputHeader, Outcome, Properties, Status};

use super::execution::{Execution, Inputs, OpenInput, host, is_over};
use crate::engine::queue::{Arrival, Link};
use crate::locks::lock;
use crate::report::events::LogLevel;

/// One input as the connector reads it.
pub(super) struct Input {
    pub(super) id: u64,
    pub(super) header: InputHeader,
    pub(super) size: Option<u64>,
    pub(super) arrival: Option<Arc<Arrival>>,
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
        match &self.arrival {
            None => Ok(0),
            Some(arrival) => arrival.pipe.read(buffer),
        }
    }
}

impl Execution {
    /// Hands an input out. One that comes in the moment the execution ends is answered at once:
    /// nobody else would do it.
    ///
    /// # Errors
    ///
    /// `host` when the execution is over.
    pub(super) fn open_input(&self, arrival: Option<Arc<Arrival>>) -> Result<u64, Error> {
        let fate = arrival.as_ref().map(|arrival| Arc::clone(&arrival.document.fate));
        let input = OpenInput { arrival, fate, results: 0, failed: None };
        let mut state = lock(&self.state);
        if state.settled {
            drop(state);
            if input.arrival.is_some() {
                self.answer(input, &Outcome::Failure(is_over()));
            }
            return Err(is_over());
        }
        state.next_input += 1;
        let id = state.next_input;
        state.open.insert(id, input);
        Ok(id)
    }

    /// Why `outcome` cannot be the answer to `input`.
    pub(super) fn refusal(&self, input: &OpenInput, outcome: &Outcome) -> Option<Error> {
        let Inputs::Link(link) = &self.order.inputs else { return None };
        let arrival = input.arrival.as_ref()?;
        // A document whose refusal goes on as a result keeps its place in the step before.
        let is_refused = input.failed.is_some();
        let claims_it = matches!(outcome, Outcome::Success) && link.carries_bodies() && !is_refused;
        (claims_it && !arrival.pipe.was_read(arrival.document.size)).then(|| {
            Error::internal(
                "the connector called a document a success and had not read it to its end",
            )
        })
    }

    pub(super) fn header(&self, properties: Properties) -> Result<InputHeader, Error> {
        let parameters = self
            .order
            .parameters
            .iter()
            .map(|(id, template)| Ok((id.clone(), template.expand(&properties)?)))
            .collect::<Result<_, Error>>()?;
        Ok(InputHeader { parameters, properties })
    }

    /// Those of `properties` that the operation is to know: what tells where a document came from
    /// overrides no setting, unless an id names the document there, over the same connection.
    fn ordered(&self, properties: &Properties, origins: &BTreeMap<String, Arc<str>>) -> Properties {
        let overrides = &self.order.overrides;
        let is_at_origin =
            |origin: &Arc<str>| self.order.names_objects && *origin == self.order.source;
        let known = properties.iter().filter(|(id, _)| {
            !overrides.contains(*id) || origins.get(*id).is_none_or(is_at_origin)
        });
        known.collect()
    }

    /// The next document whose parameters can be made.
    pub(super) fn take(&self, link: &Link) -> Result<Option<Box<dyn InputDocument>>, Error> {
        while let Some(arrival) = link.take()? {
            let mut properties = arrival.document.properties.clone();
            let end = arrival.pipe.end();
            if let Some(end) = &end {
                properties.extend(&end.properties);
            }
            match self.header(properties) {
                Ok(mut header) => {
                    header.properties = self.ordered(&header.properties, &arrival.document.origins);
                    let size = end.map(|end| end.bytes).or(arrival.document.size);
                    let id = self.open_input(Some(Arc::clone(&arrival)))?;
                    return Ok(Some(Box::new(Input { id, header, size, arrival: Some(arrival) })));
                }
                Err(error) => {
                    let input = OpenInput {
                        fate: Some(Arc::clone(&arrival.document.fate)),
                        arrival: Some(arrival),
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

    /// Tells how an input ended, here and to the step before; whether its error was told.
    pub(super) fn answer(&self, input: OpenInput, outcome: &Outcome) -> bool {
        let given_up = input.is_given_up();
        let OpenInput { arrival, fate, results, failed } = input;
        let mut properties = Properties::new();
        if let Some(arrival) = &arrival {
            properties.extend(&arrival.document.properties);
            properties.extend(&arrival.pipe.end().map(|end| end.properties).unwrap_or_default());
        }
        let fate = || {
            arrival
                .as_ref()
                .map(|arrival| Arc::clone(&arrival.document.fate))
                .or_else(|| fate.clone())
                .unwrap_or_else(|| self.run.new_fate())
        };
        let step = &self.order.step;
        let told = match outcome {
            // A document that the step before gave up has never been.
            _ if given_up => false,
            Outcome::Success if results == 0 && failed.is_none() => {
                self.run.ended_empty(step, &fate(), &properties);
                false
            }
            Outcome::Success => false,
            // A result's failure has been told; what else the connector has to say is not lost.
            Outcome::ApplicationError(error) | Outcome::Failure(error) if failed.is_some() => {
                if error.kind() != ErrorKind::Host && failed.as_ref() != Some(error) {
                    self.run.log(LogLevel::Warn, step, error.to_string());
                }
                false
            }
            Outcome::ApplicationError(error) => {
                self.run.failed(step, &fate(), Status::ApplicationError, &properties, error)
            }
            Outcome::Failure(error) => {
                self.run.failed(step, &fate(), Status::Failure, &properties, error)
            }
        };
        if told {
            lock(&self.state).told = outcome.error().cloned();
        }
        if let Some(arrival) = arrival {
            arrival.pipe.answer(match outcome.error().or(failed.as_ref()) {
                None => Ok(()),
                Some(error) if error.kind() == ErrorKind::Cancelled => Err(error.clone()),
                Some(error) => Err(host(&format!("step \"{}\": {error}", step.name))
                    .with_retryable(error.is_retryable())),
            });
        }
        told
    }
}
