//! Data connections, and what goes over them.

mod announce;
pub(crate) mod data_connection;
pub(crate) mod download;
pub(super) mod tickets;
pub(crate) mod transfer;
pub(crate) mod upload;
