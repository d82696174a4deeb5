//! The stable ABI: what crosses, and the adapters that make it look like the plain traits.
//!
//! | | connector's side | host's side |
//! |---|---|---|
//! | connector, connections, operations | `export` | `import` |
//! | context, documents, sinks, services | `borrow`, `logger` | `lend` |
//!
//! Authors meet none of it but [`export_connector!`](crate::export_connector).

mod borrow;
mod convert;
pub mod export;
mod guard;
mod import;
pub mod interface;
pub(crate) mod layout;
mod lend;
mod logger;
#[expect(non_local_definitions, reason = "the macros of abi_stable write so")]
pub mod types;

pub(crate) use guard::record_places;
pub(crate) use import::ImportedConnector;
pub(crate) use lend::services as lent_services;
