//! The queue in front of a connector step: a bounded number of documents, each with its pipe.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, ThreadId};

use host_sdk::{Error, ErrorKind};

use super::document::{Document, End};
use super::pipe::Pipe;
use super::step_input::{Acknowledgement, BodySink, BodySource, Durable, StepInput};
use crate::cancellation::{Cancellation, Subscription};
use crate::locks::{lock, wait};

/// How many documents wait for a connector before the previous step blocks.
const CAPACITY: usize = 16;

/// A document in the queue.
pub(crate) struct QueuedDocument {
    pub(crate) document: Document,
    pub(crate) pipe: Pipe,
}

/// The queue in front of a connector step.
pub(crate) struct StepQueue {
    state: Mutex<State>,
    not_empty: Condvar,
    room: Condvar,
    /// True if the connector reads bodies. If false, a document is queued only when its body is
    /// complete. Such a request may delete the document's source, so all earlier steps must be
    /// durable first.
    streams_bodies: bool,
    /// True if documents that a service refused in an earlier step are queued.
    takes_refused: bool,
    cancellation: Arc<Cancellation>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<(u64, Arc<QueuedDocument>)>,
    /// Every document that has begun and is not answered. A cancellation wakes them.
    open: HashMap<u64, OpenDocument>,
    next: u64,
    /// True once no more documents will come.
    ended: bool,
    /// The error with which the queue was closed.
    closed_with: Option<Error>,
    subscription: Option<Subscription>,
}

struct OpenDocument {
    queued: Weak<QueuedDocument>,
    /// The thread that writes the body.
    thread: ThreadId,
    taken: bool,
    closed: bool,
}

impl StepQueue {
    pub(crate) fn new(
        streams_bodies: bool,
        takes_refused: bool,
        cancellation: &Arc<Cancellation>,
    ) -> Arc<Self> {
        let queue = Arc::new(Self {
            state: Mutex::default(),
            not_empty: Condvar::new(),
            room: Condvar::new(),
            streams_bodies,
            takes_refused,
            cancellation: Arc::clone(cancellation),
        });
        let weak = Arc::downgrade(&queue);
        let subscription = cancellation.subscribe(move || {
            if let Some(queue) = weak.upgrade() {
                queue.cancel();
            }
        });
        lock(&queue.state).subscription = Some(subscription);
        queue
    }

    /// True if the connector reads bodies.
    pub(crate) fn streams_bodies(&self) -> bool {
        self.streams_bodies
    }

    /// The next document; `None` when there are no more.
    pub(crate) fn take(&self) -> Result<Option<Arc<QueuedDocument>>, Error> {
        let mut state = lock(&self.state);
        loop {
            self.cancellation.check()?;
            if let Some((key, queued)) = state.waiting.pop_front() {
                self.room.notify_one();
                if let Some(open) = state.open.get_mut(&key) {
                    open.taken = true;
                    return Ok(Some(queued));
                }
                // The previous step discarded it while it waited.
                continue;
            }
            if state.ended || state.closed_with.is_some() {
                return Ok(None);
            }
            state = wait(&self.not_empty, state);
        }
    }

    /// Ends the queue: no more documents will come.
    pub(crate) fn end(&self) {
        lock(&self.state).ended = true;
        self.not_empty.notify_all();
    }

    /// Closes the queue with `error`: the waiting documents fail, and no more are taken.
    pub(crate) fn close_with(&self, error: &Error) {
        let waiting = {
            let mut state = lock(&self.state);
            state.closed_with.get_or_insert_with(|| error.clone());
            std::mem::take(&mut state.waiting)
        };
        for (_, queued) in waiting {
            queued.pipe.answer(Err(error.clone()));
        }
        self.room.notify_all();
        self.not_empty.notify_all();
    }

    fn cancel(&self) {
        let Some(reason) = self.cancellation.reason() else { return };
        let open: Vec<_> = {
            let state = lock(&self.state);
            state.open.values().filter_map(|open| open.queued.upgrade()).collect()
        };
        for queued in open {
            queued.pipe.cancel(&reason);
        }
        self.room.notify_all();
        self.not_empty.notify_all();
    }

    /// Registers a document before it is queued. The order of the keys is that of the queue.
    fn register(&self, queued: &Arc<QueuedDocument>, closed: bool) -> u64 {
        let mut state = lock(&self.state);
        state.next += 1;
        let key = state.next;
        let open = OpenDocument {
            queued: Arc::downgrade(queued),
            thread: thread::current().id(),
            taken: false,
            closed,
        };
        state.open.insert(key, open);
        key
    }

    /// Fails if waiting for the document `key` would never end: the connector takes it after
    /// another document whose body this thread still has to write.
    fn check_deadlock(&self, state: &State, key: u64) -> Result<(), Error> {
        let here = thread::current().id();
        let stuck = self.streams_bodies
            && state.open.get(&key).is_some_and(|open| !open.taken)
            && state
                .open
                .iter()
                .any(|(other, open)| *other < key && open.thread == here && !open.closed);
        if stuck {
            return Err(Error::new(
                ErrorKind::Host,
                "one thread moves several documents at once to a connector step, \
                 which takes one after the other",
            )
            .with_hint("put a writeFiles step between the two, or finish each before the next"));
        }
        Ok(())
    }

    /// Fails if this thread must not wait for the reader of the document `key`.
    fn may_wait(&self, key: u64) -> Result<(), Error> {
        let mut state = lock(&self.state);
        if let Some(open) = state.open.get_mut(&key) {
            open.thread = thread::current().id();
        }
        self.check_deadlock(&state, key)
    }

    fn enqueue(&self, key: u64, queued: &Arc<QueuedDocument>) -> Result<(), Error> {
        let mut state = lock(&self.state);
        loop {
            self.cancellation.check()?;
            if let Some(error) = &state.closed_with {
                return Err(error.clone());
            }
            if state.waiting.len() < CAPACITY {
                state.waiting.push_back((key, Arc::clone(queued)));
                self.not_empty.notify_one();
                return Ok(());
            }
            self.check_deadlock(&state, key)?;
            state = wait(&self.room, state);
        }
    }
}

/// The queue as the previous step sees it.
pub(crate) struct QueueInput(pub(crate) Arc<StepQueue>);

impl StepInput for QueueInput {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let queue = Arc::clone(&self.0);
        if let Some(error) = &lock(&queue.state).closed_with {
            return Err(error.clone());
        }
        let queued = Arc::new(QueuedDocument { document: document.clone(), pipe: Pipe::new() });
        Ok(Box::new(QueuedBody { queue, queued, key: None }))
    }
}

/// One document that is pushed into the queue. A dropped one is discarded.
struct QueuedBody {
    queue: Arc<StepQueue>,
    queued: Arc<QueuedDocument>,
    /// Its key once it is queued. It is queued with the first byte of its body: only an empty body
    /// can still turn out to be a refusal.
    key: Option<u64>,
}

impl QueuedBody {
    /// Queues the document unless it is queued already.
    fn enter(&mut self, closed: bool) -> Result<u64, Error> {
        if let Some(key) = self.key {
            return Ok(key);
        }
        let key = self.queue.register(&self.queued, closed);
        self.key = Some(key);
        self.queue.enqueue(key, &self.queued)?;
        Ok(key)
    }
}

impl BodySink for QueuedBody {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if !self.queue.streams_bodies || bytes.is_empty() {
            return Ok(());
        }
        let key = self.enter(false)?;
        self.queued.pipe.write(bytes, || self.queue.may_wait(key))
    }

    fn pull(&mut self, source: Box<dyn BodySource>) -> Result<Box<dyn BodySource>, Error> {
        if !self.queue.streams_bodies {
            return Ok(source);
        }
        let key = self.enter(false)?;
        self.queued.pipe.pull(source, || self.queue.may_wait(key))
    }

    fn close(mut self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        if end.refused.is_some() && !self.queue.takes_refused {
            // Dropping it discards it, so that the connector publishes nothing of it.
            return Ok(Box::new(Durable));
        }
        self.queued.pipe.close(end.clone());
        let key = self.enter(true)?;
        if let Some(open) = lock(&self.queue.state).open.get_mut(&key) {
            open.closed = true;
        }
        Ok(self)
    }
}

impl Acknowledgement for QueuedBody {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        if let Some(key) = self.key {
            self.queue.check_deadlock(&lock(&self.queue.state), key)?;
        }
        self.queued.pipe.wait_for_answer()
    }
}

impl Drop for QueuedBody {
    fn drop(&mut self) {
        self.queued.pipe.discard();
        if let Some(key) = self.key {
            lock(&self.queue.state).open.remove(&key);
        }
    }
}
