//! One execution of a connector's operation, as the host keeps it.
//!
//! The connector may use it from many threads and beyond the execution's end. Every input is
//! answered exactly once; a result's acknowledgement is that of everything that follows.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use host_sdk::{
    Error, ErrorKind, InputDocument, InputHeader, Outcome, Properties, SmallResult, Status, Summary,
};

use crate::cancellation::Subscription;
use crate::events::LogLevel;
use crate::link::{Arrival, Link};
use crate::locks::lock;
use crate::process::template::Template;
use crate::run::{Fate, Run, StepIdentity};
use crate::stage::{Acknowledgement, BodySink, Digest, Document, Stage};

mod context;

pub(crate) use context::ContextOf;
use context::Input;

/// What an execution works on.
pub(crate) enum Inputs {
    /// The first step's one empty request.
    Request(AtomicBool),
    /// The documents of the step before.
    Link(Arc<Link>),
}

impl Inputs {
    /// One empty request.
    pub(crate) fn request() -> Self {
        Self::Request(AtomicBool::new(false))
    }
}

/// What a step asks of an execution.
pub(crate) struct Order {
    pub(crate) step: Arc<StepIdentity>,
    /// The connection's name.
    pub(crate) source: Arc<str>,
    pub(crate) parameters: BTreeMap<String, Template>,
    pub(crate) continue_on_error: bool,
    pub(crate) inputs: Inputs,
    pub(crate) next: Arc<dyn Stage>,
}

/// One execution.
pub(crate) struct Execution {
    id: u64,
    run: Arc<Run>,
    order: Order,
    /// Whether the operation has returned: nothing is valid any more.
    over: AtomicBool,
    state: Mutex<State>,
    hooks: Mutex<Vec<Subscription>>,
}

#[derive(Default)]
struct State {
    open: HashMap<u64, OpenInput>,
    results: HashMap<u64, Slot>,
    next_input: u64,
    next_result: u64,
    /// The first failure, where the step must not go on after it.
    stopped: Option<Error>,
    /// The last error that a document was told to have ended with.
    told: Option<Error>,
}

/// An input that is not answered yet.
struct OpenInput {
    /// The document it is, unless it is the first step's request.
    arrival: Option<Arc<Arrival>>,
    /// The number that the next result carries on.
    fate: Option<Arc<Fate>>,
    results: u64,
    /// The first result that failed here or later; it has been told.
    failed: Option<Error>,
}

impl OpenInput {
    /// Whether the step before has given its document up, to begin it anew: how it ends here means
    /// nothing.
    fn is_given_up(&self) -> bool {
        self.arrival.as_ref().is_some_and(|arrival| arrival.pipe.is_abandoned())
    }
}

/// A result that the connector writes, within reach of the execution's end.
type Slot = Arc<Mutex<Option<OpenResult>>>;

struct OpenResult {
    input: u64,
    document: Document,
    digest: Digest,
    sink: Box<dyn BodySink>,
}

impl Execution {
    pub(crate) fn new(run: &Arc<Run>, order: Order) -> Arc<Self> {
        Arc::new(Self {
            id: run.reporter().new_execution(&order.step.name),
            run: Arc::clone(run),
            order,
            over: AtomicBool::new(false),
            state: Mutex::default(),
            hooks: Mutex::default(),
        })
    }

    /// Settles everything that `result` leaves open, and says whether the step could go on.
    pub(crate) fn settle(&self, result: Result<Summary, Error>) {
        self.over.store(true, Ordering::Release);
        lock(&self.hooks).clear();
        let (open, results) = {
            let mut state = lock(&self.state);
            (std::mem::take(&mut state.open), std::mem::take(&mut state.results))
        };
        // A thread of the connector's may hold a sink for ever: what follows must not wait for it.
        for slot in results.into_values() {
            drop(lock(&slot).take());
        }
        let error = match (&result, self.run.cancellation().reason()) {
            (_, Some(reason)) => reason,
            (Err(error), None) => error.clone(),
            (Ok(_), None) => Error::internal("the connector left an input unanswered"),
        };
        // A connector may answer an input with the error that it then ends with.
        let mut told = lock(&self.state).told.as_ref() == Some(&error);
        let mut inputs: Vec<_> = open.into_iter().collect();
        inputs.sort_unstable_by_key(|(id, _)| *id);
        for (_, input) in inputs {
            told |= input.failed.is_some() && error.kind() == ErrorKind::Host;
            told |= self.answer(input, &Outcome::Failure(error.clone()));
        }
        if result.is_err() && !self.run.cancellation().is_cancelled() {
            self.run.broke(&self.order.step, &error, told);
        }
        if let Inputs::Link(link) = &self.order.inputs {
            let step = &self.order.step.name;
            link.refuse(&Error::new(
                ErrorKind::Host,
                match &result {
                    Err(error) => format!("step \"{step}\" could not go on: {error}"),
                    Ok(_) => format!("step \"{step}\" ended before it took the document"),
                },
            ));
        }
    }

    fn check(&self) -> Result<(), Error> {
        if self.over.load(Ordering::Acquire) {
            return Err(host("the execution is over"));
        }
        self.run.cancellation().check()
    }

    /// Takes no more after the first failure, where the step was told so.
    fn stop_after(&self, error: &Error) {
        if self.order.continue_on_error {
            return;
        }
        {
            let mut state = lock(&self.state);
            if state.stopped.is_some() {
                return;
            }
            state.stopped = Some(error.clone());
        }
        self.run.broke(&self.order.step, error, true);
        if let Inputs::Link(link) = &self.order.inputs {
            let step = &self.order.step.name;
            link.refuse(&host(&format!("step \"{step}\" stopped after its first failure")));
        }
    }

    fn open_input(&self, arrival: Option<Arc<Arrival>>) -> u64 {
        let mut state = lock(&self.state);
        state.next_input += 1;
        let id = state.next_input;
        let fate = arrival.as_ref().map(|arrival| Arc::clone(&arrival.document.fate));
        state.open.insert(id, OpenInput { arrival, fate, results: 0, failed: None });
        id
    }

    fn header(&self, properties: Properties) -> Result<InputHeader, Error> {
        let parameters = self
            .order
            .parameters
            .iter()
            .map(|(id, template)| Ok((id.clone(), template.expand(&properties)?)))
            .collect::<Result<_, Error>>()?;
        Ok(InputHeader { parameters, properties })
    }

    /// The next document whose parameters can be made.
    fn take(&self, link: &Link) -> Result<Option<Box<dyn InputDocument>>, Error> {
        while let Some(arrival) = link.take()? {
            let mut properties = arrival.document.properties.clone();
            let end = arrival.pipe.end();
            if let Some(end) = &end {
                properties.extend(&end.properties);
            }
            match self.header(properties) {
                Ok(header) => {
                    let size = end.map(|end| end.bytes).or(arrival.document.size);
                    let id = self.open_input(Some(Arc::clone(&arrival)));
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
    fn answer(&self, input: OpenInput, outcome: &Outcome) -> bool {
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

    fn begin(
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
            if let Some(arrival) = &open.arrival {
                all = arrival.document.properties.clone();
            }
            let answers = self.order.step.tracks_input.then(|| all.clone());
            all.extend(properties);
            let fate = open.fate.take().unwrap_or_else(|| self.run.new_fate());
            let source = Arc::clone(&self.order.source);
            Document { fate, source, properties: all, size, answers }
        };
        match self.order.next.begin(&document) {
            Ok(sink) => Ok(OpenResult { input, document, digest: Digest::default(), sink }),
            Err(error) => {
                self.result_failed(input, &error);
                Err(error)
            }
        }
    }

    /// Ends a result; `Ok` carries what is still to be waited for.
    fn close(
        &self,
        result: OpenResult,
        outcome: &Outcome,
        properties: &Properties,
    ) -> Result<Closed, Error> {
        self.check()?;
        let OpenResult { input, document, digest, mut sink, .. } = result;
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

    /// Begins and ends one small result; one without a document is none.
    fn deliver(&self, small: &SmallResult<'_>) -> Result<Option<Closed>, Error> {
        let outcome = match small.status {
            Status::Empty => return Ok(None),
            Status::Success => Outcome::Success,
            Status::ApplicationError => Outcome::ApplicationError(told_by(small)),
            Status::Failure => Outcome::Failure(told_by(small)),
        };
        let size = Some(small.payload.len() as u64);
        let mut result = self.begin(small.input, small.properties, size)?;
        result.digest.update(small.payload);
        if let Err(error) = result.sink.write(small.payload) {
            self.result_failed(small.input, &error);
            return Err(error);
        }
        self.close(result, &outcome, &Properties::new()).map(Some)
    }

    fn wait_for(&self, closed: Closed) -> Result<(), Error> {
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

    fn result_failed(&self, input: u64, error: &Error) {
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
    fn discard(&self, result: OpenResult) {
        let OpenResult { input, document, .. } = result;
        if let Some(open) = lock(&self.state).open.get_mut(&input) {
            open.fate.get_or_insert(document.fate);
        }
    }
}

/// A result whose body has ended.
struct Closed {
    input: u64,
    acknowledgement: Option<Box<dyn Acknowledgement>>,
    refusal: Option<Error>,
}

/// The error of a small result, which carries its own only as properties.
fn told_by(small: &SmallResult<'_>) -> Error {
    let message = small.properties.get("errorMessage").unwrap_or("refused by the service");
    Error::new(ErrorKind::Other, message)
}

fn host(message: &str) -> Error {
    Error::new(ErrorKind::Host, message)
}

fn not_open(input: u64) -> Error {
    host(&format!("input {input} is not open: it was answered, or never handed out"))
}
