//! FTP and FTPS for integration runtimes, as a plugin that a host loads.
//!
//! Hosts load the library through [`host_sdk::loader`]; tests and generators may link it and use
//! [`FtpConnector`] as it is.

#[doc(hidden)]
pub mod bench;
mod browse;
mod cancel;
mod check;
mod checksum;
mod config;
mod connector;
mod deadline;
mod descriptor;
pub(crate) mod listing;
mod operation;
mod pool;
mod remote_path;
mod retry;
mod session;
mod shortage;
mod timestamp;
mod wire_name;

pub use connector::FtpConnector;

// suppaftp logs every command, PASS included.
host_sdk::export_connector!(FtpConnector::new, "ftp", label = "FTP", silence = ["suppaftp"]);
