//! Data connections, and what goes over them.

mod active;
pub(crate) mod data_connection;
pub(crate) mod data_refusal;
pub(crate) mod download;
mod passive;
pub(super) mod tickets;
pub(crate) mod transfer;
pub(crate) mod upload;
