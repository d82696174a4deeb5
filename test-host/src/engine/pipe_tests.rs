//! Bodies between two threads.

use std::sync::Arc;
use std::thread;

use host_sdk::{Error, ErrorKind};

use super::digest::Digest;
use super::document::End;
use super::pipe::{CAPACITY, Pipe};
use super::step_input::BodySource;

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
