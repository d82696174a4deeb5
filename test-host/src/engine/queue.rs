//! The way into a connector step: a bounded queue of documents, each with its pipe.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::thread::{self, ThreadId};

use host_sdk::{Error, ErrorKind};

use super::document::{Document, End};
use super::pipe::Pipe;
use super::stage::{Acknowledgement, BodySink, Durable, Stage};
use crate::cancellation::{Cancellation, Subscription};
use crate::locks::{lock, wait};

/// How many documents wait for a connector before the step before it is held up.
const CAPACITY: usize = 16;

/// A document on its way into a connector step.
pub(crate) struct Arrival {
    pub(crate) document: Document,
    pub(crate) pipe: Pipe,
}

/// The queue in front of a connector step.
pub(crate) struct Link {
    state: Mutex<State>,
    arrived: Condvar,
    room: Condvar,
    /// Whether bodies stream into the connector. Where it takes none, a document is offered only
    /// once it is whole: what a request does, such as deleting the document's source, must not
    /// happen before everything in front of it is durable.
    bodies: bool,
    /// Whether documents that an earlier step's service refused are offered, too.
    takes_refused: bool,
    cancellation: Arc<Cancellation>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(u64, Arc<Arrival>)>,
    /// Everything begun and not answered, to be woken when the run is cancelled.
    open: HashMap<u64, Open>,
    next: u64,
    /// Whether no more documents will come.
    ended: bool,
    /// Why no more documents are taken.
    refused: Option<Error>,
    subscription: Option<Subscription>,
}

struct Open {
    arrival: Weak<Arrival>,
    /// The thread that moves the body.
    thread: ThreadId,
    taken: bool,
    closed: bool,
}

impl Link {
    pub(crate) fn new(
        bodies: bool,
        takes_refused: bool,
        cancellation: &Arc<Cancellation>,
    ) -> Arc<Self> {
        let link = Arc::new(Self {
            state: Mutex::default(),
            arrived: Condvar::new(),
            room: Condvar::new(),
            bodies,
            takes_refused,
            cancellation: Arc::clone(cancellation),
        });
        let weak = Arc::downgrade(&link);
        let subscription = cancellation.subscribe(move || {
            if let Some(link) = weak.upgrade() {
                link.cancel();
            }
        });
        lock(&link.state).subscription = Some(subscription);
        link
    }

    /// Whether bodies stream into the connector.
    pub(crate) fn carries_bodies(&self) -> bool {
        self.bodies
    }

    /// The next document; `None` when there are no more.
    pub(crate) fn take(&self) -> Result<Option<Arc<Arrival>>, Error> {
        let mut state = lock(&self.state);
        loop {
            self.cancellation.check()?;
            if let Some((key, arrival)) = state.queue.pop_front() {
                self.room.notify_one();
                if let Some(open) = state.open.get_mut(&key) {
                    open.taken = true;
                    return Ok(Some(arrival));
                }
                // It was given up while it waited.
                continue;
            }
            if state.ended || state.refused.is_some() {
                return Ok(None);
            }
            state = wait(&self.arrived, state);
        }
    }

    /// Says that no more documents will come.
    pub(crate) fn end(&self) {
        lock(&self.state).ended = true;
        self.arrived.notify_all();
    }

    /// Takes no more documents, and fails those that wait.
    pub(crate) fn refuse(&self, error: &Error) {
        let waiting = {
            let mut state = lock(&self.state);
            state.refused.get_or_insert_with(|| error.clone());
            std::mem::take(&mut state.queue)
        };
        for (_, arrival) in waiting {
            arrival.pipe.answer(Err(error.clone()));
        }
        self.room.notify_all();
        self.arrived.notify_all();
    }

    fn cancel(&self) {
        let Some(reason) = self.cancellation.reason() else { return };
        let open: Vec<_> = {
            let state = lock(&self.state);
            state.open.values().filter_map(|open| open.arrival.upgrade()).collect()
        };
        for arrival in open {
            arrival.pipe.cancel(&reason);
        }
        self.room.notify_all();
        self.arrived.notify_all();
    }

    /// Puts a document in front of the connector; the order of the keys is that of the queue.
    fn register(&self, arrival: &Arc<Arrival>, closed: bool) -> u64 {
        let mut state = lock(&self.state);
        state.next += 1;
        let key = state.next;
        let open = Open {
            arrival: Arc::downgrade(arrival),
            thread: thread::current().id(),
            taken: false,
            closed,
        };
        state.open.insert(key, open);
        key
    }

    /// Fails where waiting for the document `key` would never end: the connector takes it after
    /// one whose body this same thread still has to move.
    fn may_wait(&self, state: &State, key: u64) -> Result<(), Error> {
        let here = thread::current().id();
        let stuck = self.bodies
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

    fn offer(&self, key: u64, arrival: &Arc<Arrival>) -> Result<(), Error> {
        let mut state = lock(&self.state);
        loop {
            self.cancellation.check()?;
            if let Some(error) = &state.refused {
                return Err(error.clone());
            }
            if state.queue.len() < CAPACITY {
                state.queue.push_back((key, Arc::clone(arrival)));
                self.arrived.notify_one();
                return Ok(());
            }
            self.may_wait(&state, key)?;
            state = wait(&self.room, state);
        }
    }
}

/// The link as the step before sees it.
pub(crate) struct Entrance(pub(crate) Arc<Link>);

impl Stage for Entrance {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        let link = Arc::clone(&self.0);
        if let Some(error) = &lock(&link.state).refused {
            return Err(error.clone());
        }
        let arrival = Arc::new(Arrival { document: document.clone(), pipe: Pipe::new() });
        Ok(Box::new(Passage { link, arrival, key: None }))
    }
}

/// One document's way through the link; a dropped one is given up.
struct Passage {
    link: Arc<Link>,
    arrival: Arc<Arrival>,
    /// Its place in the queue, once it is offered: with the first byte of its body, because only
    /// what ends without any may still turn out to be a refusal.
    key: Option<u64>,
}

impl Passage {
    /// Offers the document to the connector, unless it is offered.
    fn enter(&mut self, closed: bool) -> Result<u64, Error> {
        if let Some(key) = self.key {
            return Ok(key);
        }
        let key = self.link.register(&self.arrival, closed);
        self.key = Some(key);
        self.link.offer(key, &self.arrival)?;
        Ok(key)
    }
}

impl BodySink for Passage {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if !self.link.bodies || bytes.is_empty() {
            return Ok(());
        }
        let key = self.enter(false)?;
        let link = &self.link;
        self.arrival.pipe.write(bytes, || {
            let mut state = lock(&link.state);
            if let Some(open) = state.open.get_mut(&key) {
                open.thread = thread::current().id();
            }
            link.may_wait(&state, key)
        })
    }

    fn close(mut self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        if end.refused.is_some() && !self.link.takes_refused {
            // Dropped, it is given up, so that the connector publishes nothing of it.
            return Ok(Box::new(Durable));
        }
        self.arrival.pipe.close(end.clone());
        let key = self.enter(true)?;
        if let Some(open) = lock(&self.link.state).open.get_mut(&key) {
            open.closed = true;
        }
        Ok(self)
    }
}

impl Acknowledgement for Passage {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        if let Some(key) = self.key {
            self.link.may_wait(&lock(&self.link.state), key)?;
        }
        self.arrival.pipe.wait_for_answer()
    }
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.arrival.pipe.abandon();
        if let Some(key) = self.key {
            lock(&self.link.state).open.remove(&key);
        }
    }
}
