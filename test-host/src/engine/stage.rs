//! The joint between two steps: what a step offers the one before it.
//!
//! A document is pushed: `begin`, `write` as often as it takes, `close`, then the
//! acknowledgement. Any number of documents may be open at once, each moved by one thread.
//! A thread that moves two documents at once must not do so towards a connector step, which
//! takes one document after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use host_sdk::{Error, Properties};
use sha2::{Digest as _, Sha256};

use super::run::Fate;

/// A document as a step learns of it, before its body.
#[derive(Clone)]
pub(crate) struct Document {
    /// Its number and how it ends, shared by all steps that it passes.
    pub(crate) fate: Arc<Fate>,
    /// The connection or the step that it came from last.
    pub(crate) source: Arc<str>,
    /// The properties known so far.
    pub(crate) properties: Properties,
    /// The properties that tell where the document came from, each with the connection that told
    /// it; the others were set on purpose.
    pub(crate) origins: BTreeMap<String, Arc<str>>,
    /// The body's length, if it is known before the body.
    pub(crate) size: Option<u64>,
    /// The properties of the document that it answers, where those are tracked.
    pub(crate) answers: Option<Properties>,
}

impl Document {
    /// The number that follows it through the steps.
    pub(crate) fn number(&self) -> u64 {
        self.fate.number()
    }
}

/// What is known of a document only after its body.
#[derive(Clone, Debug)]
pub(crate) struct End {
    /// Properties that add to the earlier ones, and win.
    pub(crate) properties: Properties,
    /// The body's length.
    pub(crate) bytes: u64,
    /// The body's SHA-256 in lowercase hexadecimal.
    pub(crate) sha256: Arc<str>,
    /// Why the service refused it, on its way out of the step where it was refused.
    pub(crate) application_error: Option<Error>,
    /// Why the service refused it in an earlier step: it is no body, but news of one that is not
    /// there.
    pub(crate) refused: Option<Error>,
}

/// A step, or whatever else takes documents.
pub(crate) trait Stage: Send + Sync {
    /// Takes the next document; dropping the sink unclosed discards it.
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error>;
}

/// Learns of the bytes that are held of a body.
pub(crate) type Held<'a> = dyn FnMut(&[u8]) -> Result<(), Error> + 'a;

/// Takes the body of one document.
pub(crate) trait BodySink: Send {
    /// Appends `bytes`; blocks while what comes after is slower.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Goes on with the beginning of the body `identity` that an earlier run left, if there is
    /// one, and tells all of its bytes to `held`, in order. Only before the first write. From now
    /// on the body is kept if the sink is dropped unclosed or the process is killed.
    fn resume(&mut self, _identity: &str, _held: &mut Held<'_>) -> Result<(), Error> {
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

/// Counts and digests a body as it streams.
#[derive(Default)]
pub(crate) struct Digest {
    bytes: u64,
    sha256: Sha256,
}

impl Digest {
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.sha256.update(bytes);
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The end of a body without an error.
    pub(crate) fn end(self, properties: Properties) -> End {
        End {
            properties,
            bytes: self.bytes,
            sha256: hexadecimal(&self.sha256.finalize()).into(),
            application_error: None,
            refused: None,
        }
    }
}

/// `bytes` in lowercase hexadecimal.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]])
        .map(char::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_counts_and_names_what_passed() {
        let mut digest = Digest::default();
        digest.update(b"a");
        digest.update(b"bc");
        let end = digest.end(Properties::new());
        assert_eq!(end.bytes, 3);
        assert_eq!(
            &*end.sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
    }
}
