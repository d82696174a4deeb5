//! A suite that any connector can run, and a host in memory for its tests.

mod memory_context;
mod memory_host;

pub use memory_host::{Callback, MemoryHost, MemoryResult, Reaction};
