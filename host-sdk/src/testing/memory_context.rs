//! The context, inputs and sinks of a [`MemoryHost`](crate::testing::MemoryHost).

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::callback::Callback;
use super::memory_state::{Input, MemoryResult, Shared};
use crate::error::{Error, ErrorKind};
use crate::host::context::{CancelHook, ExecutionContext, Progress};
use crate::host::document::{
    InputDocument, InputHeader, Properties, RawFile, ResultSink, SmallResult,
};
use crate::outcome::Outcome;

pub(super) struct MemoryContext(pub(super) Arc<Shared>);

impl ExecutionContext for MemoryContext {
    fn execution_id(&self) -> u64 {
        self.0.execution
    }

    fn is_cancelled(&self) -> bool {
        let state = self.0.lock();
        state.cancelled || state.over
    }

    fn remaining(&self) -> Option<Duration> {
        self.0.lock().deadline.map(|end| end.saturating_duration_since(Instant::now()))
    }

    fn on_cancel(&self, hook: CancelHook) {
        let hook = Arc::new(hook);
        let mut state = self.0.lock();
        if state.cancelled || state.over {
            drop(state);
            hook();
        } else {
            state.hooks.push(hook);
        }
    }

    fn next_input(&self) -> Result<Option<Box<dyn InputDocument>>, Error> {
        self.0.enter(Callback::NextInput)?;
        let mut state = self.0.lock();
        loop {
            if state.cancelled {
                return Err(Error::cancelled());
            }
            // Nobody would answer what is taken now.
            if state.over {
                return Err(Error::new(ErrorKind::Host, "the execution is over"));
            }
            if let Some(input) = state.waiting.pop_front() {
                drop(state);
                self.0.changed();
                return Ok(Some(Box::new(MemoryInput {
                    host: Arc::clone(&self.0),
                    input,
                    read: 0,
                })));
            }
            if !state.has_no_end {
                return Ok(None);
            }
            state = self.0.wait(state);
        }
    }

    fn begin_result(
        &self,
        input: u64,
        properties: &Properties,
    ) -> Result<Box<dyn ResultSink>, Error> {
        self.0.enter(Callback::BeginResult)?;
        self.0.lock().check_open(input, "a result of")?;
        Ok(Box::new(MemorySink {
            host: Arc::clone(&self.0),
            input,
            properties: properties.clone(),
            body: Vec::new(),
            identity: None,
            is_finished: false,
            broken: None,
        }))
    }

    fn add_results(&self, batch: &[SmallResult<'_>]) -> Result<(), Error> {
        self.0.enter(Callback::AddResults)?;
        let mut state = self.0.lock();
        for result in batch {
            state.check_open(result.input, "a result of")?;
        }
        state.results.extend(batch.iter().map(|result| MemoryResult {
            input: result.input,
            properties: result.properties.clone(),
            body: result.payload.to_vec(),
            outcome: Outcome::Success,
        }));
        drop(state);
        self.0.changed();
        Ok(())
    }

    fn input_done(&self, input: u64, outcome: &Outcome) -> Result<(), Error> {
        self.0.enter(Callback::InputDone)?;
        let mut state = self.0.lock();
        state.check_open(input, "an answer to")?;
        let read = state.check_read(input, outcome);
        let answer = read.clone().map_or_else(Outcome::Failure, |()| outcome.clone());
        state.answers.insert(input, Some(answer));
        drop(state);
        self.0.changed();
        read
    }

    fn progress(&self, progress: Progress) {
        // Progress cannot fail; a cancellation shows at the next call that can.
        _ = self.0.enter(Callback::Progress);
        self.0.lock().progress.push(progress);
        self.0.changed();
    }
}

struct MemoryInput {
    host: Arc<Shared>,
    input: Input,
    read: u64,
}

impl InputDocument for MemoryInput {
    fn id(&self) -> u64 {
        self.input.id
    }

    fn size(&self) -> Option<u64> {
        self.input.size
    }

    fn header(&self) -> &InputHeader {
        &self.input.header
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.host.enter(Callback::Read)?;
        let count = self.input.body.read(buffer).map_err(|e| {
            Error::new(ErrorKind::Host, format!("body of input {} failed: {e}", self.input.id))
        })?;
        self.read += count as u64;
        let is_end = count == 0 && !buffer.is_empty();
        if is_end || self.input.size == Some(self.read) {
            self.host.lock().unread.remove(&self.input.id);
        }
        Ok(count)
    }

    fn raw_file(&self) -> Option<RawFile> {
        self.input.raw_file
    }
}

struct MemorySink {
    host: Arc<Shared>,
    input: u64,
    properties: Properties,
    body: Vec<u8>,
    /// What its body is kept under, should it be dropped unfinished.
    identity: Option<String>,
    is_finished: bool,
    /// Why the body is not what the connector wrote.
    broken: Option<Error>,
}

impl MemorySink {
    fn check_unfinished(&self) -> Result<(), Error> {
        if !self.is_finished {
            return Ok(());
        }
        let problem = format!("a result of input {} was used after its end", self.input);
        self.host.lock().violations.push(problem.clone());
        Err(Error::new(ErrorKind::Host, problem))
    }
}

impl MemorySink {
    /// Changes the body in `callback`; after a change that failed, or panicked, there is no other.
    fn changing<T>(
        &mut self,
        callback: Callback,
        change: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let earlier = self.broken.take();
        let panicked = || Error::internal("a call of the host that panicked");
        self.broken = Some(earlier.clone().unwrap_or_else(panicked));
        let host = Arc::clone(&self.host);
        let changed = host.enter(callback).and_then(|()| {
            self.check_unfinished()?;
            earlier.clone().map_or(Ok(()), Err)?;
            change(self)
        });
        self.broken = earlier.or_else(|| changed.as_ref().err().cloned());
        changed
    }

    fn resume_body(&mut self, identity: &str, tail: &mut [u8]) -> Result<u64, Error> {
        if self.identity.is_some() || !self.body.is_empty() {
            let problem = format!("a result of input {} was resumed too late", self.input);
            self.host.lock().violations.push(problem.clone());
            return Err(Error::new(ErrorKind::Host, problem));
        }
        self.identity = Some(identity.to_owned());
        self.body = self.host.lock().kept.remove(identity).unwrap_or_default();
        let count = tail.len().min(self.body.len());
        let (_, end) = tail.split_at_mut(tail.len() - count);
        end.copy_from_slice(self.body.split_at(self.body.len() - count).1);
        Ok(self.body.len() as u64)
    }
}

impl ResultSink for MemorySink {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.changing(Callback::Write, |sink| {
            sink.body.extend_from_slice(bytes);
            Ok(())
        })
    }

    fn finish(&mut self, outcome: &Outcome, properties: &Properties) -> Result<(), Error> {
        self.host.enter(Callback::Finish)?;
        self.check_unfinished()?;
        if let (Some(error), false) = (&self.broken, matches!(outcome, Outcome::Failure(_))) {
            let problem = format!("a result of input {} was finished after {error}", self.input);
            self.host.lock().violations.push(problem);
            return Err(error.clone());
        }
        let mut state = self.host.lock();
        state.check_open(self.input, "the end of a result of")?;
        self.properties.extend(properties);
        state.results.push(MemoryResult {
            input: self.input,
            properties: std::mem::take(&mut self.properties),
            body: std::mem::take(&mut self.body),
            outcome: outcome.clone(),
        });
        drop(state);
        self.is_finished = true;
        self.host.changed();
        Ok(())
    }

    fn resume(&mut self, identity: &str, tail: &mut [u8]) -> Result<u64, Error> {
        self.changing(Callback::Resume, |sink| sink.resume_body(identity, tail))
    }

    fn discard(&mut self) -> Result<(), Error> {
        self.host.enter(Callback::Discard)?;
        self.check_unfinished()?;
        self.identity = None;
        Ok(())
    }
}

impl Drop for MemorySink {
    fn drop(&mut self) {
        if !self.is_finished {
            let mut state = self.host.lock();
            state.discarded += 1;
            if let Some(identity) = self.identity.take() {
                state.kept.insert(identity, std::mem::take(&mut self.body));
            }
            drop(state);
            self.host.changed();
        }
    }
}
