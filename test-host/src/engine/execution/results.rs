//! The results of an execution: begun, closed and waited for.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, Outcome, Properties, SmallResult, Status};

use super::execution::{Execution, OpenResult, host, not_open};
use crate::engine::digest::Digest;
use crate::engine::document::Document;
use crate::engine::step_input::Acknowledgement;
use crate::locks::lock;

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
            if let Some(queued) = &open.queued {
                all = queued.document.properties.clone();
                origins.clone_from(&queued.document.origins);
            }
            let answers = self.plan.step.tracks_input.then(|| all.clone());
            all.extend(properties);
            let document_state = open.state.take().unwrap_or_else(|| self.run.new_document());
            let source = Arc::clone(&self.plan.source);
            let new_origins = properties.iter().map(|(id, _)| (id.to_owned(), Arc::clone(&source)));
            origins.extend(new_origins);
            Document { state: document_state, source, properties: all, origins, size, answers }
        };
        match self.plan.next.begin(&document) {
            Ok(sink) => {
                Ok(OpenResult { input, document, digest: Digest::default(), sink, broken: None })
            }
            Err(error) => {
                self.result_failed(input, &error);
                Err(error)
            }
        }
    }

    /// Closes a result. `Ok` carries the acknowledgement to wait for.
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
            match &open.queued {
                Some(queued) if queued.pipe.is_discarded() => {
                    return Err(host("the document was discarded by the step before"));
                }
                Some(queued) => queued.pipe.end().map(|end| end.properties).unwrap_or_default(),
                None => Properties::new(),
            }
        };
        late.extend(properties);
        if let Outcome::Failure(error) = outcome {
            // The connector reported a final failure: no later run resumes this body. The failure
            // itself is reported below.
            _ = sink.discard();
            drop(sink);
            let step = &self.plan.step;
            let mut all = document.properties.clone();
            all.extend(&late);
            self.run.document_failed(step, &document.state, Status::Failure, &all, error);
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
                    // The refusal continues as a document. The document that was refused stays in
                    // the previous step.
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
        let mut is_discarded = false;
        if let Some(open) = lock(&self.state).open.get_mut(&input) {
            open.failed.get_or_insert_with(|| error.clone());
            is_discarded = open.is_discarded();
        }
        if !is_discarded {
            self.stop_after(error);
        }
    }

    /// Discards a result as if it had never begun.
    pub(super) fn discard(&self, result: OpenResult) {
        let OpenResult { input, document, .. } = result;
        let mut state = lock(&self.state);
        // If a failure was reported under this number, the number stays with that document.
        let open = state.open.get_mut(&input).filter(|open| open.failed.is_none());
        if let Some(open) = open {
            open.state.get_or_insert(document.state);
        }
    }
}

/// A result whose body has ended.
pub(super) struct Closed {
    input: u64,
    acknowledgement: Option<Box<dyn Acknowledgement>>,
    refusal: Option<Error>,
}
