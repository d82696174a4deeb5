//! Documents that are stored together: one commit of the database for all that wait for it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

use host_sdk::{Error, Properties};

use super::ledger::{Ledger, Row, Stored};
use crate::locks::{lock, wait};

/// How many documents one commit stores at most.
const MOST: usize = 256;

/// How many bytes of bodies wait in memory before they are stored without anyone waiting for it.
const IN_MEMORY: usize = 4 * 1024 * 1024;

/// A document to be stored.
pub(crate) struct NewRow {
    pub(crate) process: String,
    pub(crate) step: Arc<str>,
    pub(crate) source: Arc<str>,
    pub(crate) properties: Properties,
    pub(crate) size: u64,
    pub(crate) sha256: Arc<str>,
    pub(crate) body: RowBody,
}

/// A body before it is stored: the size of a row's blob must be known before its first byte.
pub(crate) enum RowBody {
    Memory(Vec<u8>),
    Spooled(File),
}

impl RowBody {
    fn in_memory(&self) -> usize {
        match self {
            Self::Memory(bytes) => bytes.len(),
            Self::Spooled(_) => 0,
        }
    }
}

/// Collects documents for a ledger.
///
/// No transaction is open while nobody works on it. Who waits for a document that is not stored yet
/// stores it, together with all others that were added meanwhile.
pub(crate) struct Batches {
    ledger: Box<dyn Ledger>,
    state: Mutex<State>,
    stored: Condvar,
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: VecDeque<(u64, NewRow)>,
    /// The bytes of bodies among them.
    in_memory: usize,
    /// The results that nobody has taken.
    results: Vec<(u64, Result<Stored, Error>)>,
    /// True while a thread stores.
    is_storing: bool,
}

impl Batches {
    pub(crate) fn new(ledger: Box<dyn Ledger>) -> Arc<Self> {
        Arc::new(Self { ledger, state: Mutex::default(), stored: Condvar::new() })
    }

    pub(crate) fn ledger(&self) -> &dyn Ledger {
        self.ledger.as_ref()
    }

    /// Adds a document. It is stored by the time that [`Ticket::wait`] returns.
    pub(crate) fn add(self: &Arc<Self>, row: NewRow) -> Ticket {
        let mut state = lock(&self.state);
        state.next += 1;
        let number = state.next;
        state.in_memory += row.body.in_memory();
        state.waiting.push_back((number, row));
        while state.in_memory > IN_MEMORY || state.waiting.len() > MOST {
            state = self.work(state);
        }
        Ticket { batches: Arc::clone(self), number }
    }

    /// Stores what waits, or waits for the thread that stores.
    fn work<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        if state.is_storing {
            return wait(&self.stored, state);
        }
        let count = state.waiting.len().min(MOST);
        let mut batch: Vec<(u64, NewRow)> = state.waiting.drain(..count).collect();
        state.in_memory -= batch.iter().map(|(_, row)| row.body.in_memory()).sum::<usize>();
        state.is_storing = true;
        drop(state);
        // A panic must not leave the others waiting.
        let storing = std::panic::AssertUnwindSafe(|| self.store(&mut batch));
        let results = std::panic::catch_unwind(storing).unwrap_or_default();
        let mut results = results.into_iter();
        let missing = || Err(Error::internal("a document was not stored"));
        let mut state = lock(&self.state);
        for (number, _) in batch {
            let result = results.next().unwrap_or_else(missing);
            state.results.push((number, result));
        }
        state.is_storing = false;
        self.stored.notify_all();
        state
    }

    fn store(&self, batch: &mut [(u64, NewRow)]) -> Vec<Result<Stored, Error>> {
        let mut bodies = Vec::with_capacity(batch.len());
        for (_, row) in batch.iter_mut() {
            bodies.push(match &mut row.body {
                RowBody::Memory(bytes) => Body::Memory(io::Cursor::new(std::mem::take(bytes))),
                RowBody::Spooled(file) => match file.rewind().and_then(|()| file.try_clone()) {
                    Ok(file) => Body::Spooled(file),
                    Err(error) => Body::Broken(Some(error)),
                },
            });
        }
        let mut documents: Vec<(Row<'_>, &mut dyn Read)> = batch
            .iter()
            .zip(&mut bodies)
            .map(|((_, row), body)| {
                let NewRow { process, step, source, properties, size, sha256, .. } = row;
                let size = *size;
                (Row { process, step, source, properties, size, sha256 }, body as &mut dyn Read)
            })
            .collect();
        self.ledger.store_all(&mut documents)
    }
}

/// A body as it is read.
enum Body {
    Memory(io::Cursor<Vec<u8>>),
    Spooled(File),
    Broken(Option<io::Error>),
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Memory(bytes) => bytes.read(buffer),
            Self::Spooled(file) => file.read(buffer),
            Self::Broken(error) => Err(error.take().unwrap_or_else(|| io::ErrorKind::Other.into())),
        }
    }
}

/// A document that was added. One that is dropped before it is stored is not stored.
pub(crate) struct Ticket {
    batches: Arc<Batches>,
    number: u64,
}

impl Ticket {
    /// Waits until the document is stored, or stores it.
    ///
    /// # Errors
    ///
    /// As [`Ledger::store_all`].
    pub(crate) fn wait(self) -> Result<Stored, Error> {
        let mut state = lock(&self.batches.state);
        loop {
            let place = state.results.iter().position(|(number, _)| *number == self.number);
            if let Some(place) = place {
                return state.results.swap_remove(place).1;
            }
            state = self.batches.work(state);
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut state = lock(&self.batches.state);
        state.results.retain(|(number, _)| *number != self.number);
        if let Some(place) = state.waiting.iter().position(|(number, _)| *number == self.number)
            && let Some((_, row)) = state.waiting.remove(place)
        {
            state.in_memory -= row.body.in_memory();
        }
    }
}
