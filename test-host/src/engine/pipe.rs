//! A bounded pipe for one document's body, from the previous step to a connector's thread, with the
//! answer in the other direction.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use host_sdk::{Error, ErrorKind};

use super::document::End;
use super::step_input::BodySource;
use crate::locks::{lock, wait};

/// How many bytes of a body wait in a pipe.
pub(crate) const CAPACITY: usize = 256 * 1024;

/// One body between two threads.
pub(crate) struct Pipe {
    state: Mutex<State>,
    readable: Condvar,
    writable: Condvar,
}

struct State {
    buffer: VecDeque<u8>,
    /// Where the reader reads what comes after the buffer.
    source: Source,
    body: BodyState,
    /// How many bytes the reader has taken.
    read: u64,
    /// True once the reader has seen the end of the body.
    end_was_read: bool,
    answer: Option<Result<(), Error>>,
    cancelled: Option<Error>,
}

/// A source that the writer lends to the reader.
enum Source {
    None,
    /// The reader can read from it.
    Lent(Box<dyn BodySource>),
    /// The reader is reading from it.
    InUse,
    /// The reader has come to its end, or it failed.
    Ended(Result<Box<dyn BodySource>, Error>),
}

enum BodyState {
    Open,
    Closed(End),
    Discarded,
}

impl Pipe {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                buffer: VecDeque::new(),
                source: Source::None,
                body: BodyState::Open,
                read: 0,
                end_was_read: false,
                answer: None,
                cancelled: None,
            }),
            readable: Condvar::new(),
            writable: Condvar::new(),
        }
    }

    /// Appends `bytes`, and waits for room if `may_wait` allows it. Bytes after a successful answer
    /// are dropped. The reader's error is the writer's error.
    pub(crate) fn write(
        &self,
        mut bytes: &[u8],
        may_wait: impl Fn() -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut state = lock(&self.state);
        while !bytes.is_empty() {
            if let Some(answer) = &state.answer {
                return answer.clone();
            }
            if let Some(error) = &state.cancelled {
                return Err(error.clone());
            }
            let room = CAPACITY - state.buffer.len();
            if room == 0 {
                may_wait()?;
                state = wait(&self.writable, state);
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            state.buffer.extend(now);
            bytes = later;
            self.readable.notify_one();
        }
        Ok(())
    }

    /// Lends `source` to the reader until it has read all of it, or answered. Returns the source, or
    /// the error of the source or of the reader.
    pub(crate) fn pull(
        &self,
        source: Box<dyn BodySource>,
        may_wait: impl Fn() -> Result<(), Error>,
    ) -> Result<Box<dyn BodySource>, Error> {
        let mut state = lock(&self.state);
        state.source = Source::Lent(source);
        self.readable.notify_one();
        loop {
            if let Some(error) = &state.cancelled {
                return Err(error.clone());
            }
            if let Some(Err(error)) = &state.answer {
                return Err(error.clone());
            }
            let is_answered = state.answer.is_some();
            match std::mem::replace(&mut state.source, Source::None) {
                Source::Ended(source) => return source,
                Source::Lent(source) if is_answered => return Ok(source),
                source => state.source = source,
            }
            may_wait()?;
            state = wait(&self.writable, state);
        }
    }

    /// Ends the body: the reader may take it for complete.
    pub(crate) fn close(&self, end: End) {
        lock(&self.state).body = BodyState::Closed(end);
        self.readable.notify_all();
    }

    /// Discards the body: the reader's next read fails.
    pub(crate) fn discard(&self) {
        let mut state = lock(&self.state);
        if matches!(state.body, BodyState::Open) {
            state.body = BodyState::Discarded;
            state.buffer = VecDeque::new();
            state.source = Source::None;
        }
        self.readable.notify_all();
    }

    /// True if the writer discarded the body.
    pub(crate) fn is_discarded(&self) -> bool {
        matches!(lock(&self.state).body, BodyState::Discarded)
    }

    /// What is known once the body was closed.
    pub(crate) fn end(&self) -> Option<End> {
        match &lock(&self.state).body {
            BodyState::Closed(end) => Some(end.clone()),
            BodyState::Open | BodyState::Discarded => None,
        }
    }

    /// True if the reader has taken the whole body, whose length it may have known before.
    pub(crate) fn was_read(&self, size: Option<u64>) -> bool {
        let state = lock(&self.state);
        state.end_was_read
            || match &state.body {
                BodyState::Closed(end) => state.read == end.bytes,
                BodyState::Open | BodyState::Discarded => Some(state.read) == size,
            }
    }

    /// Waits for the reader's answer. A cancellation wakes it.
    pub(crate) fn wait_for_answer(&self) -> Result<(), Error> {
        let mut state = lock(&self.state);
        loop {
            if let Some(answer) = &state.answer {
                return answer.clone();
            }
            if let Some(error) = &state.cancelled {
                return Err(error.clone());
            }
            state = wait(&self.writable, state);
        }
    }

    /// Reads the next bytes into `buffer`. 0 is the proven end of the body.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let mut state = lock(&self.state);
        loop {
            if let Some(error) = &state.cancelled {
                return Err(error.clone());
            }
            let (front, back) = state.buffer.as_slices();
            let front = &front[..front.len().min(buffer.len())];
            let back = &back[..back.len().min(buffer.len() - front.len())];
            let count = front.len() + back.len();
            if count > 0 {
                buffer[..front.len()].copy_from_slice(front);
                buffer[front.len()..count].copy_from_slice(back);
                state.buffer.drain(..count);
                state.read += count as u64;
                self.writable.notify_one();
                return Ok(count);
            }
            if let Source::Lent(_) = &state.source
                && let Source::Lent(source) = std::mem::replace(&mut state.source, Source::InUse)
            {
                drop(state);
                let (source, count) = read_from(source, buffer);
                state = lock(&self.state);
                self.writable.notify_one();
                // After a discard, nobody waits for it.
                if matches!(state.source, Source::InUse) {
                    state.source = source;
                }
                if count > 0 {
                    state.read += count as u64;
                    return Ok(count);
                }
                if let Source::Ended(Err(_)) = &state.source {
                    state.body = BodyState::Discarded;
                }
                continue;
            }
            match state.body {
                BodyState::Closed(_) => {
                    state.end_was_read = true;
                    return Ok(0);
                }
                BodyState::Discarded => {
                    let message = "the document was discarded by the step before";
                    return Err(Error::new(ErrorKind::Host, message));
                }
                BodyState::Open => state = wait(&self.readable, state),
            }
        }
    }

    /// Answers the writer. Only the first answer counts.
    pub(crate) fn answer(&self, answer: Result<(), Error>) {
        let mut state = lock(&self.state);
        state.answer.get_or_insert(answer);
        state.buffer = VecDeque::new();
        self.writable.notify_all();
    }

    /// Fails every wait of the reader and the writer.
    pub(crate) fn cancel(&self, reason: &Error) {
        lock(&self.state).cancelled.get_or_insert_with(|| reason.clone());
        self.readable.notify_all();
        self.writable.notify_all();
    }
}

/// Reads from a source; with what becomes of it.
fn read_from(mut source: Box<dyn BodySource>, buffer: &mut [u8]) -> (Source, usize) {
    match source.read(buffer) {
        Ok(0) => (Source::Ended(Ok(source)), 0),
        Ok(count) => (Source::Lent(source), count),
        Err(error) => (Source::Ended(Err(error)), 0),
    }
}
