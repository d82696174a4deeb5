//! The state of one execution of a connector's operation.
//!
//! The connector may use it from many threads and after the end of the execution. Every input is
//! answered exactly once. A result is acknowledged once every later step has acknowledged it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use host_sdk::{Error, ErrorKind};

use crate::cancellation::Subscription;
use crate::engine::digest::Digest;
use crate::engine::document::{Document, DocumentState, StepIdentity};
use crate::engine::queue::{QueuedDocument, StepQueue};
use crate::engine::run::Run;
use crate::engine::step_input::{BodySink, StepInput};
use crate::locks::lock;
use crate::template::Template;

/// What an execution works on.
pub(crate) enum Inputs {
    /// The one empty request of the first step.
    Request(AtomicBool),
    /// The documents of the previous step.
    Queue(Arc<StepQueue>),
}

impl Inputs {
    /// One empty request.
    pub(crate) fn request() -> Self {
        Self::Request(AtomicBool::new(false))
    }
}

/// What a step passes to an execution.
pub(crate) struct ExecutionPlan {
    pub(crate) step: Arc<StepIdentity>,
    /// The connection's name.
    pub(crate) source: Arc<str>,
    pub(crate) parameters: BTreeMap<String, Template>,
    /// Ids of the properties that override a setting.
    pub(crate) overrides: BTreeSet<String>,
    /// True if an input names an object of the service.
    pub(crate) names_objects: bool,
    pub(crate) continue_on_error: bool,
    pub(crate) inputs: Inputs,
    pub(crate) next: Arc<dyn StepInput>,
}

/// An input that is not answered yet.
pub(super) struct OpenInput {
    /// The document in the queue. `None` for the request of the first step.
    pub(super) queued: Option<Arc<QueuedDocument>>,
    /// The state of the document that the next result continues.
    pub(super) state: Option<Arc<DocumentState>>,
    pub(super) results: u64,
    /// The error of the first result that failed, here or in a later step. It is reported already.
    pub(super) failed: Option<Error>,
}

impl OpenInput {
    /// True if the previous step discarded this document and will send it again. The outcome of
    /// this copy is ignored.
    pub(super) fn is_discarded(&self) -> bool {
        self.queued.as_ref().is_some_and(|queued| queued.pipe.is_discarded())
    }
}

/// A result that the connector writes. The end of the execution takes it away from the writer.
pub(super) type SharedResult = Arc<Mutex<Option<OpenResult>>>;

pub(super) struct OpenResult {
    pub(super) input: u64,
    pub(super) document: Document,
    pub(super) digest: Digest,
    pub(super) sink: Box<dyn BodySink>,
    /// Why its body is incomplete.
    pub(super) broken: Option<Error>,
}

impl OpenResult {
    /// Appends `bytes`.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.change(|digest, sink| {
            digest.update(bytes);
            sink.write(bytes)
        })
    }

    /// Changes the body. After a change that failed or panicked, every further change and the end
    /// fail.
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

/// One execution.
pub(crate) struct Execution {
    pub(super) id: u64,
    pub(super) run: Arc<Run>,
    pub(super) plan: ExecutionPlan,
    /// True once the operation has returned: every further call fails.
    pub(super) over: AtomicBool,
    pub(super) state: Mutex<State>,
    pub(super) hooks: Mutex<Vec<Subscription>>,
}

#[derive(Default)]
pub(super) struct State {
    /// True once every open input was answered: no input may be opened after that.
    pub(super) settled: bool,
    pub(super) open: HashMap<u64, OpenInput>,
    pub(super) results: HashMap<u64, SharedResult>,
    pub(super) next_input: u64,
    pub(super) next_result: u64,
    /// The first failure, if the step stops after it.
    pub(super) stopped: Option<Error>,
    /// The last error that was reported as the end of a document.
    pub(super) reported: Option<Error>,
}

impl Execution {
    pub(crate) fn new(run: &Arc<Run>, plan: ExecutionPlan) -> Arc<Self> {
        Arc::new(Self {
            id: run.reporter().new_execution(&plan.step.name),
            run: Arc::clone(run),
            plan,
            over: AtomicBool::new(false),
            state: Mutex::default(),
            hooks: Mutex::default(),
        })
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        if self.over.load(Ordering::Acquire) {
            return Err(is_over());
        }
        self.run.cancellation().check()
    }

    /// Stops the step after its first failure, unless it continues on errors.
    pub(super) fn stop_after(&self, error: &Error) {
        if self.plan.continue_on_error {
            return;
        }
        {
            let mut state = lock(&self.state);
            if state.stopped.is_some() {
                return;
            }
            state.stopped = Some(error.clone());
        }
        self.run.step_failed(&self.plan.step, error, true);
        if let Inputs::Queue(queue) = &self.plan.inputs {
            let step = &self.plan.step.name;
            queue.close_with(&host(&format!("step \"{step}\" stopped after its first failure")));
        }
    }
}

pub(super) fn host(message: &str) -> Error {
    Error::new(ErrorKind::Host, message)
}

pub(super) fn is_over() -> Error {
    host("the execution is over")
}

pub(super) fn not_open(input: u64) -> Error {
    host(&format!("input {input} is not open: it was answered, or never handed out"))
}
