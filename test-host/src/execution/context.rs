//! The execution as the connector sees it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use host_sdk::{
    CancelHook, Error, ExecutionContext, InputDocument, InputHeader, Outcome, Progress, Properties,
    ResultSink, SmallResult,
};

use super::results::Slot;
use super::{Execution, Inputs, host, is_over, not_open};
use crate::link::Arrival;
use crate::locks::lock;

/// The execution as the connector sees it.
pub(crate) struct ContextOf(pub(crate) Arc<Execution>);

impl ExecutionContext for ContextOf {
    fn execution_id(&self) -> u64 {
        self.0.id
    }

    fn is_cancelled(&self) -> bool {
        self.0.over.load(Ordering::Acquire) || self.0.run.cancellation().is_cancelled()
    }

    fn remaining(&self) -> Option<Duration> {
        self.0.run.cancellation().remaining()
    }

    fn on_cancel(&self, hook: CancelHook) {
        if self.0.over.load(Ordering::Acquire) {
            hook();
            return;
        }
        let subscription = self.0.run.cancellation().subscribe(hook);
        if !self.0.over.load(Ordering::Acquire) {
            lock(&self.0.hooks).push(subscription);
        }
    }

    fn next_input(&self) -> Result<Option<Box<dyn InputDocument>>, Error> {
        let execution = &self.0;
        execution.check()?;
        if lock(&execution.state).stopped.is_some() {
            return Ok(None);
        }
        match &execution.order.inputs {
            Inputs::Request(taken) => {
                if taken.swap(true, Ordering::AcqRel) {
                    return Ok(None);
                }
                let header = execution.header(Properties::new())?;
                let id = execution.open_input(None)?;
                Ok(Some(Box::new(Input { id, header, size: Some(0), arrival: None })))
            }
            Inputs::Link(link) => execution.take(link),
        }
    }

    fn begin_result(
        &self,
        input: u64,
        properties: &Properties,
    ) -> Result<Box<dyn ResultSink>, Error> {
        let execution = &self.0;
        let slot = Arc::new(Mutex::new(Some(execution.begin(input, properties, None)?)));
        let key = {
            let mut state = lock(&execution.state);
            state.next_result += 1;
            let key = state.next_result;
            state.results.insert(key, Arc::clone(&slot));
            key
        };
        // The execution may have ended since `begin` looked.
        if execution.over.load(Ordering::Acquire) {
            drop(lock(&slot).take());
        }
        Ok(Box::new(Writing { execution: Arc::clone(execution), slot, key }))
    }

    fn add_results(&self, batch: &[SmallResult<'_>]) -> Result<(), Error> {
        let execution = &self.0;
        let mut closed = Vec::with_capacity(batch.len());
        let mut delivered = Ok(());
        for small in batch {
            match execution.deliver(small) {
                Ok(result) => closed.push(result),
                Err(error) => {
                    delivered = Err(error);
                    break;
                }
            }
        }
        // Only now, so that all of the batch may be under way at once; and also after an error,
        // because what was delivered before it may well become durable.
        for result in closed {
            let waited = execution.wait_for(result);
            delivered = delivered.and(waited);
        }
        delivered
    }

    fn input_done(&self, input: u64, outcome: &Outcome) -> Result<(), Error> {
        let execution = &self.0;
        if execution.over.load(Ordering::Acquire) {
            return Err(is_over());
        }
        let open = lock(&execution.state).open.remove(&input).ok_or_else(|| not_open(input))?;
        let cancelled = execution.run.cancellation().reason();
        let outcome = match (outcome, cancelled) {
            (Outcome::Failure(_), Some(reason)) => &Outcome::Failure(reason),
            _ => outcome,
        };
        let is_given_up = open.is_given_up();
        let refusal = execution.refusal(&open, outcome).filter(|_| !is_given_up);
        let outcome = &refusal.clone().map_or_else(|| outcome.clone(), Outcome::Failure);
        execution.answer(open, outcome);
        if let Some(error) = outcome.error().filter(|_| !is_given_up) {
            execution.stop_after(error);
        }
        refusal.map_or(Ok(()), Err)
    }

    fn progress(&self, progress: Progress) {
        self.0.run.reporter().progress(&self.0.order.step.name, progress);
    }
}

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

/// One result as the connector writes it.
struct Writing {
    execution: Arc<Execution>,
    slot: Slot,
    key: u64,
}

impl ResultSink for Writing {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.execution.check()?;
        let mut slot = lock(&self.slot);
        let result = slot.as_mut().ok_or_else(|| host("the result has ended"))?;
        let written = result.write(bytes);
        if let Err(error) = &written {
            self.execution.result_failed(result.input, error);
        }
        written
    }

    fn finish(&mut self, outcome: &Outcome, properties: &Properties) -> Result<(), Error> {
        let result = lock(&self.slot).take().ok_or_else(|| host("the result has ended"))?;
        lock(&self.execution.state).results.remove(&self.key);
        let closed = self.execution.close(result, outcome, properties)?;
        self.execution.wait_for(closed)
    }

    fn resume(&mut self, identity: &str, tail: &mut [u8]) -> Result<u64, Error> {
        self.execution.check()?;
        let mut slot = lock(&self.slot);
        let result = slot.as_mut().ok_or_else(|| host("the result has ended"))?;
        if result.digest.bytes() > 0 {
            return Err(host("a result can be resumed only before its first byte"));
        }
        let resumed = result.change(|digest, sink| {
            sink.resume(identity, &mut |bytes| {
                // There may be many of them.
                self.execution.check()?;
                digest.update(bytes);
                keep_end(tail, bytes);
                Ok(())
            })
        });
        if let Err(error) = &resumed {
            self.execution.result_failed(result.input, error);
        }
        resumed.map(|()| result.digest.bytes())
    }

    fn discard(&mut self) -> Result<(), Error> {
        let Some(mut result) = lock(&self.slot).take() else { return Ok(()) };
        let discarded = result.sink.discard();
        self.execution.discard(result);
        discarded
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        lock(&self.execution.state).results.remove(&self.key);
        let left = lock(&self.slot).take();
        if let Some(result) = left {
            self.execution.discard(result);
        }
    }
}

/// Makes `end` end with `bytes`, behind as much of its own end as there is room for.
fn keep_end(end: &mut [u8], bytes: &[u8]) {
    let count = bytes.len().min(end.len());
    end.rotate_left(count);
    let (_, place) = end.split_at_mut(end.len() - count);
    place.copy_from_slice(bytes.split_at(bytes.len() - count).1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_that_of_all_bytes() {
        let mut end = [0; 4];
        for (bytes, expected) in [
            (&b"ab"[..], b"\0\0ab"),
            (b"", b"\0\0ab"),
            (b"c", b"\0abc"),
            (b"defghi", b"fghi"),
            (b"jk", b"hijk"),
        ] {
            keep_end(&mut end, bytes);
            assert_eq!(&end, expected);
        }
        keep_end(&mut [], b"abc");
    }
}
