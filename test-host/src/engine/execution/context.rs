//! The execution as the connector sees it.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use host_sdk::{
    CancelHook, Error, ExecutionContext, InputDocument, Outcome, Progress, Properties, ResultSink,
    SmallResult,
};

use super::execution::{Execution, Inputs, SharedResult, host, is_over, not_open};
use super::inputs::Input;
use crate::locks::lock;

/// The execution as the connector sees it.
pub(crate) struct HostContext(pub(crate) Arc<Execution>);

impl ExecutionContext for HostContext {
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
        match &execution.plan.inputs {
            Inputs::Request(taken) => {
                if taken.swap(true, Ordering::AcqRel) {
                    return Ok(None);
                }
                let header = execution.header(Properties::new())?;
                let id = execution.open_input(None)?;
                Ok(Some(Box::new(Input { id, header, size: Some(0), queued: None })))
            }
            Inputs::Queue(queue) => execution.take(queue),
        }
    }

    fn begin_result(
        &self,
        input: u64,
        properties: &Properties,
    ) -> Result<Box<dyn ResultSink>, Error> {
        let execution = &self.0;
        let shared = Arc::new(Mutex::new(Some(execution.begin(input, properties, None)?)));
        let key = {
            let mut state = lock(&execution.state);
            state.next_result += 1;
            let key = state.next_result;
            state.results.insert(key, Arc::clone(&shared));
            key
        };
        // The execution can end between `begin` and this line.
        if execution.over.load(Ordering::Acquire) {
            drop(lock(&shared).take());
        }
        Ok(Box::new(ResultWriter { execution: Arc::clone(execution), shared, key }))
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
        // All results of the batch are in flight before the first wait. After an error the wait is
        // still needed: the results before it can become durable.
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
        let is_discarded = open.is_discarded();
        let refusal = execution.refusal(&open, outcome).filter(|_| !is_discarded);
        let outcome = &refusal.clone().map_or_else(|| outcome.clone(), Outcome::Failure);
        execution.answer(open, outcome);
        if let Some(error) = outcome.error().filter(|_| !is_discarded) {
            execution.stop_after(error);
        }
        refusal.map_or(Ok(()), Err)
    }

    fn progress(&self, progress: Progress) {
        self.0.run.reporter().progress(&self.0.plan.step.name, progress);
    }
}

/// One result as the connector writes it.
struct ResultWriter {
    execution: Arc<Execution>,
    shared: SharedResult,
    key: u64,
}

impl ResultSink for ResultWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.execution.check()?;
        let mut shared = lock(&self.shared);
        let result = shared.as_mut().ok_or_else(|| host("the result has ended"))?;
        let written = result.write(bytes);
        if let Err(error) = &written {
            self.execution.result_failed(result.input, error);
        }
        written
    }

    fn finish(&mut self, outcome: &Outcome, properties: &Properties) -> Result<(), Error> {
        let result = lock(&self.shared).take().ok_or_else(|| host("the result has ended"))?;
        lock(&self.execution.state).results.remove(&self.key);
        let closed = self.execution.close(result, outcome, properties)?;
        self.execution.wait_for(closed)
    }

    fn resume(&mut self, identity: &str, tail: &mut [u8]) -> Result<u64, Error> {
        self.execution.check()?;
        let mut shared = lock(&self.shared);
        let result = shared.as_mut().ok_or_else(|| host("the result has ended"))?;
        if result.digest.bytes() > 0 {
            return Err(host("a result can be resumed only before its first byte"));
        }
        let resumed = result.change(|digest, sink| {
            sink.resume(identity, &mut |bytes| {
                // There can be many of them.
                self.execution.check()?;
                digest.update(bytes);
                keep_tail(tail, bytes);
                Ok(())
            })
        });
        if let Err(error) = &resumed {
            self.execution.result_failed(result.input, error);
        }
        let held = result.digest.bytes();
        if resumed.is_ok() {
            self.execution.run.add_work(|work| work.resumed_bytes += held);
        }
        resumed.map(|()| held)
    }

    fn discard(&mut self) -> Result<(), Error> {
        let Some(mut result) = lock(&self.shared).take() else { return Ok(()) };
        let discarded = result.sink.discard();
        self.execution.discard(result);
        discarded
    }
}

impl Drop for ResultWriter {
    fn drop(&mut self) {
        lock(&self.execution.state).results.remove(&self.key);
        let left = lock(&self.shared).take();
        if let Some(result) = left {
            self.execution.discard(result);
        }
    }
}

/// Copies the end of `bytes` to the end of `tail`, after as much of its old content as fits.
fn keep_tail(tail: &mut [u8], bytes: &[u8]) {
    let count = bytes.len().min(tail.len());
    tail.rotate_left(count);
    let (_, place) = tail.split_at_mut(tail.len() - count);
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
            keep_tail(&mut end, bytes);
            assert_eq!(&end, expected);
        }
        keep_tail(&mut [], b"abc");
    }
}
