//! Documents in motion: runs, stages, queues and executions.

mod counts;
pub(crate) mod digest;
pub(crate) mod document;
pub(crate) mod execution;
pub(crate) mod expecting;
pub(crate) mod handover;
mod pipe;
pub(crate) mod queue;
pub(crate) mod run;
pub(crate) mod stage;
