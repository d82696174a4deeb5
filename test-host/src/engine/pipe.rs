//! A bounded pipe for one document's body, from the previous step to a connector's thread, with the
//! answer in the other direction.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex};

use host_sdk::{Error, ErrorKind};

use super::document::End;
use super::stage::BodySource;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::engine::digest::Digest;

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

    /// A body of `left` bytes, which fails at its end or not.
    struct Counted {
        left: usize,
        is_broken: bool,
        digest: Digest,
    }

    impl BodySource for Counted {
        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
            let count = self.left.min(buffer.len());
            if count == 0 && self.is_broken {
                return Err(Error::new(ErrorKind::NotFound, "it is gone"));
            }
            buffer[..count].fill(7);
            self.left -= count;
            self.digest.update(&buffer[..count]);
            Ok(count)
        }

        fn into_digest(self: Box<Self>) -> Digest {
            self.digest
        }
    }

    fn counted(left: usize, is_broken: bool) -> Box<dyn BodySource> {
        Box::new(Counted { left, is_broken, digest: Digest::default() })
    }

    #[test]
    fn the_reader_reads_a_source_itself() {
        let pipe = Arc::new(Pipe::new());
        let writer = thread::spawn({
            let pipe = Arc::clone(&pipe);
            move || {
                pipe.write(b"first", || Ok(())).unwrap();
                let source = pipe.pull(counted(200_000, false), || Ok(())).unwrap();
                pipe.close(source.into_digest().end(host_sdk::Properties::new()));
                pipe.wait_for_answer()
            }
        });
        let all = read_all(&pipe).unwrap();
        assert_eq!((&all[..5], all.len()), (&b"first"[..], 200_005));
        assert!(pipe.was_read(None));
        assert_eq!(pipe.end().unwrap().bytes, 200_000);
        pipe.answer(Ok(()));
        writer.join().unwrap().unwrap();
    }

    #[test]
    fn a_source_that_fails_is_no_end_of_the_body() {
        let pipe = Arc::new(Pipe::new());
        let writer = thread::spawn({
            let pipe = Arc::clone(&pipe);
            move || pipe.pull(counted(9, true), || Ok(())).err()
        });
        assert_eq!(read_all(&pipe).unwrap_err().kind(), ErrorKind::Host);
        assert_eq!(writer.join().unwrap().unwrap().kind(), ErrorKind::NotFound);
        assert!(pipe.is_discarded());
    }

    #[test]
    fn a_reader_that_needs_no_more_gives_the_source_back() {
        let pipe = Arc::new(Pipe::new());
        pipe.answer(Ok(()));
        let mut source = pipe.pull(counted(9, false), || Ok(())).unwrap();
        assert_eq!(source.read(&mut [0; 20]).unwrap(), 9);
        let pipe = Pipe::new();
        pipe.answer(Err(Error::new(ErrorKind::Quota, "full")));
        let refused = pipe.pull(counted(9, false), || Ok(())).err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Quota);
        let pipe = Arc::new(Pipe::new());
        let writer = thread::spawn({
            let pipe = Arc::clone(&pipe);
            move || pipe.pull(counted(9, false), || Ok(())).err()
        });
        pipe.cancel(&Error::cancelled());
        assert_eq!(writer.join().unwrap().unwrap().kind(), ErrorKind::Cancelled);
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
