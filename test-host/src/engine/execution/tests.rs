//! Promises of an execution that no process can be made to break at will.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use host_sdk::{Context, Error, ErrorKind, Outcome, Properties, ResultSink, Summary};

use super::{Execution, ExecutionPlan, HostContext, Inputs};
use crate::cancellation::Cancellation;
use crate::engine::digest::Digest;
use crate::engine::document::{Document, End, StepIdentity};
use crate::engine::queue::{QueueInput, StepQueue};
use crate::engine::run::Run;
use crate::engine::step_input::{Acknowledgement, BodySink, Durable, OnKeptBytes, StepInput};
use crate::report::Reporter;
use crate::report::events::Event;

struct Silent;

impl Reporter for Silent {
    fn event(&self, _: &Event) {}

    fn new_execution(&self, _: &str) -> u64 {
        1
    }

    fn step_of(&self, _: u64) -> Option<String> {
        None
    }
}

/// What becomes of the second call on a body.
#[derive(Clone, Copy, PartialEq)]
enum Second {
    Fails,
    Panics,
}

/// Takes bodies, loses what the second call brings, and takes everything after it.
struct Flaky {
    second: Second,
    calls: AtomicU64,
    closed: AtomicU64,
}

struct FlakySink(Arc<Flaky>);

impl StepInput for Arc<Flaky> {
    fn begin(&self, _: &Document) -> Result<Box<dyn BodySink>, Error> {
        Ok(Box::new(FlakySink(Self::clone(self))))
    }
}

impl BodySink for FlakySink {
    fn write(&mut self, _: &[u8]) -> Result<(), Error> {
        match (self.0.calls.fetch_add(1, Ordering::SeqCst), self.0.second) {
            (1, Second::Fails) => Err(Error::new(ErrorKind::Quota, "the disk was full")),
            (1, Second::Panics) => panic!("asked to panic"),
            _ => Ok(()),
        }
    }

    fn resume(&mut self, _: &str, on_kept: &mut OnKeptBytes<'_>) -> Result<(), Error> {
        on_kept(b"half")?;
        Err(Error::new(ErrorKind::Host, "the rest could not be read"))
    }

    fn close(self: Box<Self>, _: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        self.0.closed.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Durable))
    }
}

fn flaky(second: Second) -> Arc<Flaky> {
    Arc::new(Flaky { second, calls: AtomicU64::new(0), closed: AtomicU64::new(0) })
}

fn execution(
    inputs: Inputs,
    next: &Arc<Flaky>,
    cancellation: &Arc<Cancellation>,
) -> Arc<Execution> {
    let reporter: Arc<dyn Reporter> = Arc::new(Silent);
    let run = Run::new("p".to_owned(), reporter, Arc::clone(cancellation));
    let plan = ExecutionPlan {
        step: Arc::new(StepIdentity { name: "s".into(), tracks_input: false }),
        source: "c".into(),
        parameters: BTreeMap::new(),
        continue_on_error: true,
        names_objects: false,
        overrides: Default::default(),
        inputs,
        next: Arc::new(Arc::clone(next)),
    };
    Execution::new(&run, plan)
}

/// A result of the first step's request.
fn result(next: &Arc<Flaky>) -> Box<dyn ResultSink> {
    let execution = execution(Inputs::request(), next, &Cancellation::new());
    let context: Context = Arc::new(HostContext(execution));
    let input = context.next_input().unwrap().unwrap();
    context.begin_result(input.id(), &Properties::new()).unwrap()
}

fn finish(sink: &mut dyn ResultSink) -> Result<(), Error> {
    sink.finish(&Outcome::Success, &Properties::new())
}

#[test]
fn a_result_whose_write_failed_cannot_be_finished() {
    let next = flaky(Second::Fails);
    let mut sink = result(&next);
    sink.write(b"a").unwrap();
    assert_eq!(sink.write(b"b").unwrap_err().kind(), ErrorKind::Quota);
    assert_eq!(sink.write(b"c").unwrap_err().kind(), ErrorKind::Quota);
    assert_eq!(finish(sink.as_mut()).unwrap_err().kind(), ErrorKind::Quota);
    assert_eq!(next.closed.load(Ordering::SeqCst), 0);
}

#[test]
fn a_result_whose_write_panicked_cannot_be_finished() {
    let next = flaky(Second::Panics);
    let mut sink = result(&next);
    sink.write(b"a").unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| sink.write(b"b"))).is_err());
    assert_eq!(finish(sink.as_mut()).unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(next.closed.load(Ordering::SeqCst), 0);
}

#[test]
fn a_result_that_could_not_be_resumed_cannot_be_finished() {
    let next = flaky(Second::Fails);
    let mut sink = result(&next);
    assert_eq!(sink.resume("x", &mut []).unwrap_err().kind(), ErrorKind::Host);
    assert_eq!(sink.write(b"rest").unwrap_err().kind(), ErrorKind::Host);
    assert_eq!(finish(sink.as_mut()).unwrap_err().kind(), ErrorKind::Host);
    assert_eq!(next.closed.load(Ordering::SeqCst), 0);
}

#[test]
fn an_input_taken_while_the_execution_ends_is_answered() {
    let cancellation = Cancellation::new();
    let queue = StepQueue::new(true, false, &cancellation);
    let execution =
        execution(Inputs::Queue(Arc::clone(&queue)), &flaky(Second::Fails), &cancellation);
    let before = Arc::clone(&execution.run);
    let document = Document {
        state: before.new_document(),
        source: "before".into(),
        properties: Properties::new(),
        origins: BTreeMap::new(),
        size: None,
        answers: None,
    };
    let sink = QueueInput(Arc::clone(&queue)).begin(&document).unwrap();
    let acknowledgement = sink.close(&Digest::default().end(Properties::new())).unwrap();
    // A thread of the connector's that has taken it and not yet opened it, as the other returns.
    let queued = queue.take().unwrap().unwrap();
    execution.settle(Ok(Summary::default()));
    assert_eq!(execution.open_input(Some(queued)).unwrap_err().kind(), ErrorKind::Host);
    assert_eq!(acknowledgement.wait().unwrap_err().kind(), ErrorKind::Host);
    assert_eq!(before.finish().0.documents.failure, 1);
}

#[test]
fn a_request_taken_after_the_end_is_none() {
    let execution = execution(Inputs::request(), &flaky(Second::Fails), &Cancellation::new());
    execution.settle(Ok(Summary::default()));
    assert_eq!(execution.open_input(None).unwrap_err().kind(), ErrorKind::Host);
}
