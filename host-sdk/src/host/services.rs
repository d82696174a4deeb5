//! What a host offers a connector for as long as it is loaded, and how records find their
//! execution.

use std::cell::Cell;
use std::marker::PhantomData;

/// What a host offers a connector, implemented by the host.
///
/// Called from any thread of the connector's, also at the same time, and for as long as the
/// program runs: libraries are never unloaded.
pub trait HostServices: Send + Sync {
    /// The most verbose level that the host wants; asked once per created connector.
    fn max_level(&self) -> log::LevelFilter;

    /// Takes one record, which is never more verbose than [`HostServices::max_level`].
    fn log(&self, record: &LogRecord<'_>);
}

/// A log record of a connector.
#[derive(Clone, Copy, Debug)]
pub struct LogRecord<'a> {
    /// The execution it belongs to, where one is in [scope](ExecutionScope).
    pub execution: Option<u64>,
    /// How serious it is.
    pub level: log::Level,
    /// Where in the connector's modules it comes from.
    pub target: &'a str,
    /// The source file.
    pub file: Option<&'a str>,
    /// The line in the file.
    pub line: Option<u32>,
    /// The text.
    pub message: &'a str,
}

thread_local! {
    static EXECUTION: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Ties the log records of a thread to an execution for as long as it lives.
///
/// The thread that executes an operation is in scope already; a thread that it starts enters by
/// itself, with [`ExecutionContext::execution_id`](crate::ExecutionContext::execution_id).
///
/// ```
/// use host_sdk::ExecutionScope;
///
/// let worker = std::thread::spawn(|| {
///     let _scope = ExecutionScope::enter(7);
///     ExecutionScope::current()
/// });
/// assert_eq!(worker.join().unwrap(), Some(7));
/// assert_eq!(ExecutionScope::current(), None);
/// ```
#[derive(Debug)]
#[must_use = "the scope ends when this is dropped"]
pub struct ExecutionScope {
    outer: Option<u64>,
    // The scope belongs to the thread that entered it.
    _not_send: PhantomData<*const ()>,
}

impl ExecutionScope {
    /// Enters the scope of `execution`, within the scope that the thread is in.
    pub fn enter(execution: u64) -> Self {
        Self { outer: EXECUTION.replace(Some(execution)), _not_send: PhantomData }
    }

    /// The execution in whose scope this thread is.
    #[must_use]
    pub fn current() -> Option<u64> {
        EXECUTION.try_with(Cell::get).ok().flatten()
    }
}

impl Drop for ExecutionScope {
    fn drop(&mut self) {
        EXECUTION.set(self.outer);
    }
}
