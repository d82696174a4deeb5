//! One execution of a connector's operation.

mod context;
mod execution;
mod inputs;
mod no_execution;
mod results;
mod settle;
#[cfg(test)]
mod tests;

pub(crate) use context::HostContext;
pub(crate) use execution::{Execution, ExecutionPlan, Inputs};
pub(crate) use no_execution::NoExecution;
