//! What a connector may ask of its host while it executes.

use std::sync::Arc;
use std::time::Duration;

use crate::error::Error;
use crate::host::document::{InputDocument, Properties, ResultSink, SmallResult};
use crate::outcome::Outcome;

/// How far an execution has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Documents that are done.
    pub documents_done: u64,
    /// Bytes of bodies that were moved so far.
    pub bytes_done: u64,
    /// Bytes that there will be, if that is known.
    pub bytes_total: Option<u64>,
}

/// Called once when the host cancels, from a thread of the host's: it must not block.
pub type CancelHook = Box<dyn Fn() + Send + Sync>;

/// One execution as the connector sees it, implemented by the host.
///
/// Valid until the call that it was passed to returns. Shared: threads of the connector may call
/// it at the same time, and may outlive the execution. After the end every call fails with `host`,
/// [`ExecutionContext::is_cancelled`] is true and [`ExecutionContext::remaining`] is zero.
pub trait ExecutionContext: Send + Sync {
    /// The number that ties log records to this execution.
    fn execution_id(&self) -> u64;

    /// Whether the host has cancelled; cheap enough to ask between two chunks.
    fn is_cancelled(&self) -> bool;

    /// The time left until the host's deadline; `None` if there is none.
    fn remaining(&self) -> Option<Duration>;

    /// Registers what unblocks the connector's threads when the host cancels. Register one hook per
    /// execution, before the first blocking call.
    ///
    /// The hook is called at most once, from a thread of the host's. It is called at once, on this
    /// thread, if the execution was cancelled or is over. A hook that is still registered at the
    /// end of the execution is dropped without a call.
    fn on_cancel(&self, hook: CancelHook);

    /// The next input, `None` when there are no more. Blocks until one arrives: asking is the
    /// back-pressure.
    ///
    /// # Errors
    ///
    /// `host` when the source of the inputs failed; `cancelled`.
    fn next_input(&self) -> Result<Option<Box<dyn InputDocument>>, Error>;

    /// Begins a result of `input`, which must not have been answered yet. An input may have any
    /// number of results, several of them open at once.
    ///
    /// # Errors
    ///
    /// `host` when what comes after cannot take it; `cancelled`.
    fn begin_result(
        &self,
        input: u64,
        properties: &Properties,
    ) -> Result<Box<dyn ResultSink>, Error>;

    /// Delivers complete results in one call; `Ok` acknowledges them all. Send them in batches
    /// of some 64, or every 50 ms, and never buffer a whole listing.
    ///
    /// # Errors
    ///
    /// As [`ResultSink::finish`]. None of the batch is acknowledged then, although some of its
    /// results may have become durable: the same batch, sent again, delivers those twice. Fail
    /// the input instead.
    fn add_results(&self, batch: &[SmallResult<'_>]) -> Result<(), Error>;

    /// Answers `input`, exactly once, after its last result was finished or dropped.
    ///
    /// - [`Outcome::Success`]: the body was read to its end and is durable on the service, so that
    ///   the host may delete its source. Without results it counts as empty.
    /// - [`Outcome::ApplicationError`] and [`Outcome::Failure`]: the source stays. The body may be
    ///   read partly or not at all; the host discards the rest.
    ///
    /// Dropping the input before or after the answer changes nothing: only the answer counts.
    ///
    /// # Errors
    ///
    /// `host` if the input is not open (any more). `internal` for a success of an operation that
    /// takes bodies, if the body was not read to its end: the document is a failure then. A raw
    /// file counts as read.
    fn input_done(&self, input: u64, outcome: &Outcome) -> Result<(), Error>;

    /// Tells how far the execution has come; cheap enough for every chunk.
    fn progress(&self, progress: Progress);
}

/// A context as it is handed around.
pub type Context = Arc<dyn ExecutionContext>;
