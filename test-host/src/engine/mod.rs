//! Documents in motion: runs, inputs of steps, queues and executions.

mod counts;
pub(crate) mod digest;
pub(crate) mod document;
pub(crate) mod execution;
pub(crate) mod expecting;
pub(crate) mod handover;
mod pipe;
#[cfg(test)]
mod pipe_tests;
pub(crate) mod queue;
pub(crate) mod run;
pub(crate) mod step_input;
