//! The interface between two steps: what a step offers the one before it.
//!
//! A document is pushed: `begin`, any number of `write`, `close`, then the acknowledgement. Any
//! number of documents may be open at once, each moved by one thread. A connector step takes one
//! document after the other, so a thread must not push two documents into it at once.

use host_sdk::Error;

use super::digest::Digest;
use super::document::{Document, End};

/// A step, or the end of the process, as the step before uses it.
pub(crate) trait StepInput: Send + Sync {
    /// Takes the next document. A sink that is dropped before `close` discards it.
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error>;
}

/// Receives the bytes that were kept of a body.
pub(crate) type OnKeptBytes<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// A body that can be read wherever it is needed.
pub(crate) trait BodySource: Send {
    /// Reads the next bytes into `buffer`. 0 is the proven end of the body.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// The digest of the bytes that were read.
    fn into_digest(self: Box<Self>) -> Digest;
}

/// Takes the body of one document.
pub(crate) trait BodySink: Send {
    /// Appends `bytes`. Blocks while a later step is slower.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Lets the thread that needs the body read it from `source` itself, so that no bytes are passed
    /// between threads. Returns the source when that thread has read it to the end, or needs no more
    /// of it. A step that needs the bytes itself returns the source unread. The caller writes what
    /// is left of the source.
    fn pull(&mut self, source: Box<dyn BodySource>) -> Result<Box<dyn BodySource>, Error> {
        Ok(source)
    }

    /// Resumes the body `identity` that an earlier run left incomplete, if there is one, and passes
    /// all of its bytes to `on_kept`, in order. Called only before the first write. After it, the
    /// body is kept if the sink is dropped before `close` or the process is killed.
    fn resume(&mut self, _identity: &str, _on_kept: &mut OnKeptBytes<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Removes what was kept of the body. The sink is dropped next.
    fn discard(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Ends the body. Remaining work may continue until the acknowledgement, so that many small
    /// documents can be in flight at once.
    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error>;
}

/// The acknowledgement of a closed document.
pub(crate) trait Acknowledgement: Send {
    /// Waits until the document is durable in everything that follows.
    fn wait(self: Box<Self>) -> Result<(), Error>;
}

/// The acknowledgement of a document that is durable already.
pub(crate) struct Durable;

impl Acknowledgement for Durable {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
