//! How far an execution has come, counted by all of its threads and told to the host.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use host_sdk::{Context, Progress, Summary};

/// Counts what an execution does; clones count together.
#[derive(Clone)]
pub(crate) struct ExecutionProgress {
    context: Context,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    inputs: AtomicU64,
    results: AtomicU64,
    bytes: AtomicU64,
    /// Bytes that there will be in the end; 0 where that is not known.
    expected: AtomicU64,
}

impl ExecutionProgress {
    /// Nothing has been done yet.
    pub(crate) fn new(context: Context) -> Self {
        Self { context, counts: Arc::default() }
    }

    /// An input was answered.
    pub(crate) fn answered(&self) {
        self.counts.inputs.fetch_add(1, Ordering::Relaxed);
    }

    /// The host acknowledged `results`.
    pub(crate) fn delivered(&self, results: u64) {
        self.counts.results.fetch_add(results, Ordering::Relaxed);
        self.report();
    }

    /// Bytes of a body were moved.
    pub(crate) fn add_bytes(&self, bytes: u64) {
        self.counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.report();
    }

    /// Bytes that were moved have to be moved again.
    pub(crate) fn subtract_bytes(&self, bytes: u64) {
        // Never below zero: what the server keeps of an upload is its own account.
        let subtract = |so_far: u64| Some(so_far.saturating_sub(bytes));
        let _ = self.counts.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, subtract);
    }

    /// Bytes that are held already need not be moved.
    pub(crate) fn subtract_expected(&self, bytes: u64) {
        let less = |expected: u64| (expected > 0).then(|| expected.saturating_sub(bytes).max(1));
        let _ = self.counts.expected.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Bytes that were spared have to be moved after all.
    pub(crate) fn add_expected(&self, bytes: u64) {
        let more = |expected: u64| (expected > 0).then(|| expected.saturating_add(bytes));
        let _ = self.counts.expected.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// More bytes will be moved.
    pub(crate) fn set_expected(&self, bytes: u64) {
        let so_far = self.counts.bytes.load(Ordering::Relaxed);
        self.counts.expected.store(so_far.saturating_add(bytes), Ordering::Relaxed);
        self.report();
    }

    /// What was done.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            inputs: self.counts.inputs.load(Ordering::Relaxed),
            results: self.counts.results.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
        }
    }

    fn report(&self) {
        let expected = self.counts.expected.load(Ordering::Relaxed);
        self.context.progress(Progress {
            documents_done: self.counts.results.load(Ordering::Relaxed),
            bytes_done: self.counts.bytes.load(Ordering::Relaxed),
            bytes_total: (expected > 0).then_some(expected),
        });
    }
}
