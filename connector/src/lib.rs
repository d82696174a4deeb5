//! FTP and FTPS for integration runtimes, as a plugin that a host loads.
//!
//! Hosts load the library through [`host_sdk::loader`]; tests and generators may link it and use
//! [`FtpConnector`] as it is.

#[doc(hidden)]
pub mod bench;
mod check;
mod config;
mod connector;
mod descriptor;
mod failure;
mod file;
#[cfg(test)]
pub(crate) mod fuzz;
pub(crate) mod listing;
mod operation;
mod pool;
mod protocol;
mod session;
mod transport;

pub use connector::FtpConnector;

host_sdk::export_connector!(FtpConnector::new, "ftp", label = "FTP");
