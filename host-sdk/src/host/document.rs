//! Documents: a body that streams, and properties.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::outcome::Outcome;

/// Document properties by id, as text.
///
/// A blank value means "not given": it never overrides configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Properties(BTreeMap<String, String>);

impl Properties {
    /// No properties.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `id`, unless it is absent or blank.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str).filter(|value| !value.trim().is_empty())
    }

    /// Sets `id`.
    pub fn insert(&mut self, id: impl Into<String>, value: impl Into<String>) {
        self.0.insert(id.into(), value.into());
    }

    /// The same properties with `id` set.
    #[must_use]
    pub fn with(mut self, id: impl Into<String>, value: impl Into<String>) -> Self {
        self.insert(id, value);
        self
    }

    /// All ids and values in the order of the ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(id, value)| (id.as_str(), value.as_str()))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds those of `later`, which win.
    pub fn extend(&mut self, later: &Self) {
        self.0.extend(later.0.iter().map(|(id, value)| (id.clone(), value.clone())));
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Properties {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        Self(items.into_iter().map(|(id, value)| (id.into(), value.into())).collect())
    }
}

/// The parameters and properties of an input, known before its body is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InputHeader {
    /// The operation's parameters for this document, such as `id` of get and delete.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The document's properties.
    #[serde(default)]
    pub properties: Properties,
}

impl InputHeader {
    /// The header of a request with these parameters and no properties.
    #[must_use]
    pub fn request(parameters: &[(&str, &str)]) -> Self {
        let parameters =
            parameters.iter().map(|(id, value)| ((*id).to_owned(), (*value).to_owned())).collect();
        Self { parameters, properties: Properties::new() }
    }

    /// The parameter `id`, as given, blank or not.
    #[must_use]
    pub fn parameter(&self, id: &str) -> Option<&str> {
        self.parameters.get(id).map(String::as_str)
    }
}

/// A file descriptor that the host lends with an input or a sink. It is valid until the input is
/// answered, or the sink is finished or dropped. The connector must neither close nor keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawFile {
    /// The descriptor.
    pub descriptor: i32,
    /// Where in the file the body begins.
    pub offset: u64,
    /// How many bytes the body has; for a sink, how many it can take, `u64::MAX` if unbounded.
    pub length: u64,
}

/// One input of an operation, implemented by the host, read by the connector.
///
/// The connector answers it with
/// [`ExecutionContext::input_done`](crate::ExecutionContext::input_done). It need not read the
/// body to its end, unless it answers with a success. Dropped unanswered, the input stays open,
/// and is a failure at the end of the execution.
pub trait InputDocument: Send {
    /// The number that ties results and the answer to this input.
    fn id(&self) -> u64;

    /// The body's length in bytes, if it is known before reading.
    fn size(&self) -> Option<u64>;

    /// Parameters and properties.
    fn header(&self) -> &InputHeader;

    /// Reads the next bytes of the body into `buffer`; 0 is the end. Blocks until at least one
    /// byte is there, the document ends, or the execution is cancelled.
    ///
    /// # Errors
    ///
    /// `host` when the source failed, so that the body must not be taken for complete;
    /// `cancelled`.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error>;

    /// The file that the body is, if it is a plain file of the host.
    fn raw_file(&self) -> Option<RawFile> {
        None
    }
}

/// Where a connector writes one result, implemented by the host.
///
/// Dropped unfinished, it is discarded by the host as if it had never begun, except for what
/// [`ResultSink::resume`] keeps. After [`ResultSink::finish`] every call fails with `host`.
pub trait ResultSink: Send {
    /// Appends `bytes` to the body. Blocks while what comes after is slower.
    ///
    /// # Errors
    ///
    /// `host` when what comes after refused the document or failed: stop sending it;
    /// `cancelled`. The result cannot be finished then: its body is not what was written.
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// The file that the sink writes to, if a connector may write the body to it directly instead of
    /// calling [`ResultSink::write`].
    fn raw_file(&self) -> Option<RawFile> {
        None
    }

    /// Ends the result; `properties` add to those it began with, and win.
    ///
    /// **This is the acknowledgement.** `Ok` means that the host has made the document durable
    /// in all following steps; only then may a connector delete or move its source. What the host
    /// does depends on `outcome`:
    ///
    /// - [`Outcome::Success`]: the body is complete; the document continues.
    /// - [`Outcome::ApplicationError`]: the body so far and the error continue as a document with
    ///   this status, for steps that report or keep refusals. No step takes its body for a
    ///   complete one. The source stays, also after `Ok`.
    /// - [`Outcome::Failure`]: the body is discarded and the input fails.
    ///
    /// # Errors
    ///
    /// `host` if the document could not be made durable; the error of an earlier write that failed;
    /// `cancelled`. The source must stay.
    fn finish(&mut self, outcome: &Outcome, properties: &Properties) -> Result<(), Error>;

    /// Resumes a body that an earlier sink left incomplete, also in an earlier process. Returns
    /// how many bytes the host kept, 0 if none. Copies the last of them to the end of `tail`. Later
    /// writes append to them.
    ///
    /// Called at most once, and before the first write. `identity` is any text that differs
    /// if the body's bytes may differ. It also lets the host keep what is written from now
    /// on, until the result is finished or discarded with [`ResultSink::discard`]. The connector
    /// proves with `tail` that the source still has these bytes.
    ///
    /// # Errors
    ///
    /// As [`ResultSink::write`].
    fn resume(&mut self, _identity: &str, _tail: &mut [u8]) -> Result<u64, Error> {
        Ok(0)
    }

    /// Discards the body so far, also for later sinks. The sink is dropped next.
    ///
    /// # Errors
    ///
    /// `host` when what was kept could not be removed.
    fn discard(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A successful result that is complete in memory; many cross in one call. A result that the
/// service refused is a [`ResultSink`] that is finished with its error.
#[derive(Clone, Copy, Debug)]
pub struct SmallResult<'a> {
    /// The input that it answers.
    pub input: u64,
    /// Its properties.
    pub properties: &'a Properties,
    /// Its body.
    pub payload: &'a [u8],
}
