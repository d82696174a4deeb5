//! A bounded pipe for one document's body, from the previous step to a connector's thread, with the
//! answer in the other direction.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use host_sdk::{Error, ErrorKind};

use super::document::End;
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
    body: BodyState,
    /// How many bytes the reader has taken.
    read: u64,
    /// True once the reader has seen the end of the body.
    end_was_read: bool,
    answer: Option<Result<(), Error>>,
    cancelled: Option<Error>,
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
            match state.body {
                BodyState::Closed(_) => {
                    state.end_was_read = true;
                    return Ok(0);
                }
                BodyState::Discarded => {
                    return Err(Error::new(
                        ErrorKind::Host,
                        "the document was discarded by the step before",
                    ));
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::engine::document::Digest;

    fn end() -> End {
        Digest::default().end(host_sdk::Properties::new())
    }

    fn read_all(pipe: &Pipe) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        let mut buffer = [0; 60_001];
        loop {
            match pipe.read(&mut buffer)? {
                0 => return Ok(all),
                count => all.extend_from_slice(&buffer[..count]),
            }
        }
    }

    #[test]
    fn a_body_larger_than_the_pipe_arrives_whole() {
        let pipe = Arc::new(Pipe::new());
        let body: Vec<u8> = (0..3 * CAPACITY + 17).map(|n| (n % 251) as u8).collect();
        let writer = thread::spawn({
            let (pipe, body) = (Arc::clone(&pipe), body.clone());
            move || {
                for chunk in body.chunks(70_000) {
                    pipe.write(chunk, || Ok(())).unwrap();
                }
                pipe.close(end());
                pipe.wait_for_answer()
            }
        });
        assert_eq!(read_all(&pipe).unwrap(), body);
        pipe.answer(Ok(()));
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn half_a_body_is_never_taken_for_whole() {
        let pipe = Pipe::new();
        pipe.write(b"half", || Ok(())).unwrap();
        pipe.discard();
        assert_eq!(read_all(&pipe).unwrap_err().kind(), ErrorKind::Host);
        assert!(pipe.is_discarded());
    }

    #[test]
    fn a_reader_that_fails_fails_the_blocked_writer() {
        let pipe = Arc::new(Pipe::new());
        let writer = thread::spawn({
            let pipe = Arc::clone(&pipe);
            move || pipe.write(&vec![0; 4 * CAPACITY], || Ok(()))
        });
        pipe.answer(Err(Error::new(ErrorKind::Quota, "full")));
        assert_eq!(writer.join().unwrap().unwrap_err().kind(), ErrorKind::Quota);
    }

    #[test]
    fn a_satisfied_reader_swallows_the_rest() {
        let pipe = Pipe::new();
        pipe.answer(Ok(()));
        pipe.write(&vec![0; 4 * CAPACITY], || Ok(())).unwrap();
        pipe.close(end());
        pipe.wait_for_answer().unwrap();
    }

    #[test]
    fn cancelling_wakes_both_sides() {
        let pipe = Arc::new(Pipe::new());
        let reader = thread::spawn({
            let pipe = Arc::clone(&pipe);
            move || pipe.read(&mut [0; 8])
        });
        let waiter = thread::spawn({
            let pipe = Arc::clone(&pipe);
            move || pipe.wait_for_answer()
        });
        pipe.cancel(&Error::cancelled());
        assert_eq!(reader.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(waiter.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
    }
}
