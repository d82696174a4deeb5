//! Data connections, and what goes over them.

mod active;
mod announce;
pub(crate) mod data_connection;
pub(crate) mod data_refusal;
pub(crate) mod download;
mod opening;
mod passive;
mod proof;
pub(super) mod tickets;
pub(crate) mod transfer;
pub(crate) mod upload;
