//! Lines that a thread of its own writes: those who add a line do not wait until it is written, and
//! all lines that come meanwhile are written together.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use super::output::Output;
use crate::locks::{lock, wait};

/// How many bytes wait to be written before those who add a line wait for the writer.
const CAPACITY: usize = 256 * 1024;

/// Lines in the order in which they are added. When this is dropped, all of them are written.
pub(super) struct LineQueue<W> {
    shared: Arc<Shared<W>>,
    /// Absent where no thread could be started: each line is written by the thread that adds it.
    writer: Option<JoinHandle<()>>,
}

struct Shared<W> {
    state: Mutex<State>,
    added: Condvar,
    written: Condvar,
    output: Mutex<Output<W>>,
}

#[derive(Default)]
struct State {
    /// Whole lines.
    waiting: Vec<u8>,
    is_writing: bool,
    /// True while the writer has to be woken. To wake one that works costs as much as to write.
    is_asleep: bool,
    /// True once no more lines will come.
    is_over: bool,
}

impl<W: Write + Send + 'static> LineQueue<W> {
    /// Lines for `output`, which is flushed after the last line that waits.
    pub(super) fn new(output: W) -> Self {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            added: Condvar::new(),
            written: Condvar::new(),
            output: Output::new(output),
        });
        let write = {
            let shared = Arc::clone(&shared);
            move || shared.write_all()
        };
        let writer = thread::Builder::new().name("events".to_owned()).spawn(write).ok();
        Self { shared, writer }
    }
}

impl<W: Write> LineQueue<W> {
    /// Adds a line without its end.
    pub(super) fn add(&self, line: &[u8]) {
        let mut state = lock(&self.shared.state);
        while self.writer.is_some() && state.waiting.len() >= CAPACITY {
            state = wait(&self.shared.written, state);
        }
        state.waiting.extend_from_slice(line);
        state.waiting.push(b'\n');
        if self.writer.is_none() {
            drop(self.shared.write_waiting(state));
        } else if std::mem::take(&mut state.is_asleep) {
            self.shared.added.notify_one();
        }
    }

    /// Ends the output with `error`: no more lines are written.
    pub(super) fn fail(&self, error: io::Error) {
        lock(&self.shared.output).fail(error);
    }

    /// Waits until every line is written.
    ///
    /// # Errors
    ///
    /// The error of the first line that could not be written. Called again, it returns none.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut state = lock(&self.shared.state);
        while !state.waiting.is_empty() || state.is_writing {
            state = wait(&self.shared.written, state);
        }
        drop(state);
        lock(&self.shared.output).finish()
    }
}

impl<W: Write> Shared<W> {
    /// Writes until no more lines will come.
    fn write_all(&self) {
        let mut state = lock(&self.state);
        loop {
            if !state.waiting.is_empty() {
                state = self.write_waiting(state);
            } else if state.is_over {
                return;
            } else {
                state.is_asleep = true;
                state = wait(&self.added, state);
            }
        }
    }

    /// Writes what waits, without the lock.
    fn write_waiting<'a>(&'a self, mut state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let mut lines = std::mem::take(&mut state.waiting);
        state.is_writing = true;
        drop(state);
        lock(&self.output).lines(&lines);
        lines.clear();
        let mut state = lock(&self.state);
        if state.waiting.is_empty() {
            // The memory serves the next lines.
            state.waiting = lines;
        }
        state.is_writing = false;
        self.written.notify_all();
        state
    }
}

impl<W> Drop for LineQueue<W> {
    fn drop(&mut self) {
        {
            let mut state = lock(&self.shared.state);
            state.is_over = true;
            self.shared.added.notify_one();
        }
        if let Some(writer) = self.writer.take() {
            // A panic in it was reported by the panic hook.
            _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Tells each write, and waits for a sign before it.
    struct Slow {
        signs: Receiver<()>,
        writes: Sender<Vec<u8>>,
    }

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.signs.recv().map_err(io::Error::other)?;
            self.writes.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_come_during_a_write_are_written_together() {
        let ((sign, signs), (writes, written)) = (channel(), channel());
        let queue = LineQueue::new(Slow { signs, writes });
        queue.add(b"first");
        while !lock(&queue.shared.state).is_writing {
            thread::yield_now();
        }
        for number in 0..1000 {
            queue.add(number.to_string().as_bytes());
        }
        sign.send(()).unwrap();
        sign.send(()).unwrap();
        queue.finish().unwrap();
        assert_eq!(written.recv().unwrap(), b"first\n");
        let rest = String::from_utf8(written.recv().unwrap()).unwrap();
        assert!(rest.lines().map(|line| line.parse::<i32>().unwrap()).eq(0..1000));
    }

    #[test]
    fn a_failed_write_is_the_result() {
        let ((sign, signs), (writes, written)) = (channel::<()>(), channel());
        let queue = LineQueue::new(Slow { signs, writes });
        drop(sign);
        queue.add(b"first");
        queue.add(b"second");
        assert!(queue.finish().is_err());
        queue.finish().unwrap();
        drop(queue);
        assert!(written.recv().is_err());
    }

    #[test]
    fn what_waits_is_written_before_the_end() {
        let ((sign, signs), (writes, written)) = (channel(), channel());
        let queue = LineQueue::new(Slow { signs, writes });
        queue.add(b"last");
        sign.send(()).unwrap();
        drop(queue);
        assert_eq!(written.recv().unwrap(), b"last\n");
    }
}
