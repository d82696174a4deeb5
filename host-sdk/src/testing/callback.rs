//! Where a connector calls its host, and what a test plans to happen there.

use crate::error::Error;

/// A place where the connector calls the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Callback {
    /// [`ExecutionContext::next_input`](crate::ExecutionContext::next_input).
    NextInput,
    /// [`InputDocument::read`](crate::InputDocument::read).
    Read,
    /// [`ExecutionContext::begin_result`](crate::ExecutionContext::begin_result).
    BeginResult,
    /// [`ResultSink::write`](crate::ResultSink::write).
    Write,
    /// [`ResultSink::finish`](crate::ResultSink::finish).
    Finish,
    /// [`ResultSink::resume`](crate::ResultSink::resume).
    Resume,
    /// [`ResultSink::discard`](crate::ResultSink::discard).
    Discard,
    /// [`ExecutionContext::add_results`](crate::ExecutionContext::add_results).
    AddResults,
    /// [`ExecutionContext::input_done`](crate::ExecutionContext::input_done).
    InputDone,
    /// [`ExecutionContext::progress`](crate::ExecutionContext::progress), which cannot fail.
    Progress,
}

/// What the host does in a [`Callback`] instead of its work.
#[derive(Clone, Debug)]
pub enum Fault {
    /// Answers this error.
    Fail(Error),
    /// Panics.
    Panic,
    /// Cancels the execution before it does its work, which answers `cancelled` then.
    Cancel,
}

/// What a test planned for a callback.
pub(super) struct PlannedFault {
    pub(super) callback: Callback,
    pub(super) fault: Fault,
    // Which of the next calls it is for; `None` for every call.
    pub(super) countdown: Option<usize>,
}

/// The fault that is planned for this call of `callback`, if there is one.
pub(super) fn due(faults: &mut Vec<PlannedFault>, callback: Callback) -> Option<Fault> {
    let mut fault = None;
    for planned in faults.iter_mut().filter(|planned| planned.callback == callback) {
        let is_due = match &mut planned.countdown {
            None => true,
            Some(countdown) => {
                *countdown = countdown.saturating_sub(1);
                *countdown == 0
            }
        };
        if is_due && fault.is_none() {
            fault = Some(planned.fault.clone());
        }
    }
    // One call is the nth only once.
    faults.retain(|planned| planned.countdown != Some(0));
    fault
}
