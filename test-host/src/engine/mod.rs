//! Documents in motion: runs, stages, queues and executions.

pub(crate) mod execution;
pub(crate) mod handover;
pub(crate) mod pipe;
pub(crate) mod queue;
pub(crate) mod run;
pub(crate) mod stage;
