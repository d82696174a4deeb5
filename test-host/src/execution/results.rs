//! The results of an execution: begun, ended and waited for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use host_sdk::{Error, Outcome, Properties, SmallResult, Status};

use super::{Execution, host, not_open};
use crate::locks::lock;
use crate::stage::{Acknowledgement, BodySink, Digest, Document};

/// A result that the connector writes, within reach of the execution's end.
pub(super) type Slot = Arc<Mutex<Option<OpenResult>>>;

pub(super) struct OpenResult {
    pub(super) input: u64,
    document: Document,
    pub(super) digest: Digest,
    pub(super) sink: Box<dyn BodySink>,
    /// Why its body is not what the connector wrote.
    broken: Option<Error>,
}

impl OpenResult {
    /// Appends `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.change(|digest, sink| {
            digest.update(bytes);
            sink.write(bytes)
        })
    }

    /// Changes the body; after a change that failed, or panicked, there is no other one and no end.
    pub(super) fn change(
        &mut self,
        change: impl FnOnce(&mut Digest, &mut dyn BodySink) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(error) = &self.broken {
            return Err(error.clone());
        }
        self.broken = Some(Error::internal("a write of the result panicked"));
        let changed = change(&mut self.digest, self.sink.as_mut());
        self.broken = changed.as_ref().err().cloned();
        changed
    }
}

impl Execution {
    pub(super) fn begin(
        &self,
        input: u64,
        properties: &Properties,
        size: Option<u64>,
    ) -> Result<OpenResult, Error> {
        self.check()?;
        let document = {
            let mut state = lock(&self.state);
            if let Some(error) = &state.stopped {
                return Err(host(&format!("the step stopped after its first failure: {error}")));
            }
            let open = state.open.get_mut(&input).ok_or_else(|| not_open(input))?;
            let mut all = Properties::new();
            let mut origins = BTreeMap::new();
            if let Some(arrival) = &open.arrival {
                all = arrival.document.properties.clone();
                origins.clone_from(&arrival.document.origins);
            }
            let answers = self.order.step.tracks_input.then(|| all.clone());
            all.extend(properties);
            let fate = open.fate.take().unwrap_or_else(|| self.run.new_fate());
            let source = Arc::clone(&self.order.source);
            let told = properties.iter().map(|(id, _)| (id.to_owned(), Arc::clone(&source)));
            origins.extend(told);
            Document { fate, source, properties: all, origins, size, answers }
        };
        match self.order.next.begin(&document) {
            Ok(sink) => {
                Ok(OpenResult { input, document, digest: Digest::default(), sink, broken: None })
            }
            Err(error) => {
                self.result_failed(input, &error);
                Err(error)
            }
        }
    }

    /// Ends a result; `Ok` carries what is still to be waited for.
    pub(super) fn close(
        &self,
        result: OpenResult,
        outcome: &Outcome,
        properties: &Properties,
    ) -> Result<Closed, Error> {
        self.check()?;
        let OpenResult { input, document, digest, mut sink, broken } = result;
        let mut late = {
            let state = lock(&self.state);
            let open = state.open.get(&input).ok_or_else(|| not_open(input))?;
            match &open.arrival {
                Some(arrival) if arrival.pipe.is_abandoned() => {
                    return Err(host("the document was given up by the step before"));
                }
                Some(arrival) => arrival.pipe.end().map(|end| end.properties).unwrap_or_default(),
                None => Properties::new(),
            }
        };
        late.extend(properties);
        if let Outcome::Failure(error) = outcome {
            // Told so, it failed for good: nobody goes on with it. The failure itself is told below.
            _ = sink.discard();
            drop(sink);
            let step = &self.order.step;
            let mut all = document.properties.clone();
            all.extend(&late);
            self.run.failed(step, &document.fate, Status::Failure, &all, error);
            self.result_failed(input, error);
            return Ok(Closed { input, acknowledgement: None, refusal: None });
        }
        if let Some(error) = broken {
            self.result_failed(input, &error);
            return Err(error);
        }
        let refusal = match outcome {
            Outcome::ApplicationError(error) => Some(error.clone()),
            _ => None,
        };
        if let Some(error) = &refusal {
            late.insert("errorCode", error.code());
            late.insert("errorMessage", error.message());
        }
        let mut end = digest.end(late);
        end.application_error.clone_from(&refusal);
        match sink.close(&end) {
            Ok(acknowledgement) => {
                Ok(Closed { input, acknowledgement: Some(acknowledgement), refusal })
            }
            Err(error) => {
                self.result_failed(input, &error);
                Err(error)
            }
        }
    }

    /// Begins and ends one small result.
    pub(super) fn deliver(&self, small: &SmallResult<'_>) -> Result<Closed, Error> {
        let size = Some(small.payload.len() as u64);
        let mut result = self.begin(small.input, small.properties, size)?;
        if let Err(error) = result.write(small.payload) {
            self.result_failed(small.input, &error);
            return Err(error);
        }
        self.close(result, &Outcome::Success, &Properties::new())
    }

    pub(super) fn wait_for(&self, closed: Closed) -> Result<(), Error> {
        let Some(acknowledgement) = closed.acknowledgement else { return Ok(()) };
        match acknowledgement.wait() {
            Ok(()) => {
                if let Some(open) = lock(&self.state).open.get_mut(&closed.input) {
                    open.results += 1;
                    // The refusal flows on as a document, but what was refused must stay where
                    // the step before has it.
                    open.failed = open.failed.take().or(closed.refusal);
                }
                Ok(())
            }
            Err(error) => {
                self.result_failed(closed.input, &error);
                Err(error)
            }
        }
    }

    pub(super) fn result_failed(&self, input: u64, error: &Error) {
        let mut is_given_up = false;
        if let Some(open) = lock(&self.state).open.get_mut(&input) {
            open.failed.get_or_insert_with(|| error.clone());
            is_given_up = open.is_given_up();
        }
        if !is_given_up {
            self.stop_after(error);
        }
    }

    /// Forgets a result as if it had never begun.
    pub(super) fn discard(&self, result: OpenResult) {
        let OpenResult { input, document, .. } = result;
        let mut state = lock(&self.state);
        // A number that a failure has been told of stays with that document.
        let open = state.open.get_mut(&input).filter(|open| open.failed.is_none());
        if let Some(open) = open {
            open.fate.get_or_insert(document.fate);
        }
    }
}

/// A result whose body has ended.
pub(super) struct Closed {
    input: u64,
    acknowledgement: Option<Box<dyn Acknowledgement>>,
    refusal: Option<Error>,
}
