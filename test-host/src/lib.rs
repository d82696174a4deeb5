//! Runs processes written in JSON through connectors that it loads at run time.
//!
//! A [process](process::Process) is read, [prepared](pipeline::Prepared) (connectors loaded, every
//! setting checked, nothing sent) and run. Documents flow through its steps as one stream. A body
//! is pushed from step to step and is never complete in memory. The acknowledgement flows in the
//! other direction, so a connector removes a file only when every later step is durable.

pub mod cancellation;
pub mod cli;
pub mod connectors;
#[cfg(feature = "demo")]
mod demo;
mod engine;
pub mod exit_code;
mod ledger;
mod locks;
pub mod pipeline;
pub mod process;
pub mod report;
mod steps;
mod template;
