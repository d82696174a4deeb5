//! A host in memory, for the tests of any connector.

pub(crate) mod callback;
mod memory_context;
pub(crate) mod memory_host;
mod memory_state;

pub use callback::{Callback, Fault};
pub use memory_host::MemoryHost;
pub use memory_state::MemoryResult;
