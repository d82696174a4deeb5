//! The stable ABI: what crosses, and the adapters that make it look like the plain traits.
//!
//! | | connector's side | host's side |
//! |---|---|---|
//! | connector, connections, operations | `export` | `import` |
//! | context, documents, sinks, services | `context_import`, `logger` | `context_export` |
//!
//! Authors meet none of it but [`export_connector!`](crate::export_connector).

pub(crate) mod context_export;
mod context_import;
mod convert;
pub mod export;
pub(crate) mod guard;
pub(crate) mod import;
pub(crate) mod layout;
mod logger;

pub use connector_interface as interface;
