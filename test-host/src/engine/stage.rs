//! The joint between two steps: what a step offers the one before it.
//!
//! A document is pushed: `begin`, `write` as often as it takes, `close`, then the
//! acknowledgement. Any number of documents may be open at once, each moved by one thread.
//! A thread that moves two documents at once must not do so towards a connector step, which
//! takes one document after the other.

use host_sdk::Error;

use super::document::{Document, End};

/// A step, or whatever else takes documents.
pub(crate) trait Stage: Send + Sync {
    /// Takes the next document; dropping the sink unclosed discards it.
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error>;
}

/// Learns of the bytes that are held of a body.
pub(crate) type OnKeptBytes<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// Takes the body of one document.
pub(crate) trait BodySink: Send {
    /// Appends `bytes`; blocks while what comes after is slower.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Goes on with the beginning of the body `identity` that an earlier run left, if there is
    /// one, and tells all of its bytes to `held`, in order. Only before the first write. From now
    /// on the body is kept if the sink is dropped unclosed or the process is killed.
    fn resume(&mut self, _identity: &str, _on_kept: &mut OnKeptBytes<'_>) -> Result<(), Error> {
        Ok(())
    }

    /// Keeps nothing of the body so far; the sink is dropped next.
    fn discard(&mut self) -> Result<(), Error> {
        Ok(())
    }

    /// Ends the body. What is left to do may go on while the acknowledgement is awaited, so
    /// that many small documents can be under way at once.
    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error>;
}

/// The promise of a closed document.
pub(crate) trait Acknowledgement: Send {
    /// Waits until the document is durable in everything that follows.
    fn wait(self: Box<Self>) -> Result<(), Error>;
}

/// The acknowledgement of what is durable already.
pub(crate) struct Durable;

impl Acknowledgement for Durable {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        Ok(())
    }
}
