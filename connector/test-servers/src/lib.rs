//! Real and scripted FTP servers for tests.
mod certificates;
mod error;
mod fetch;
mod files;
mod fixture;
mod flavour;
mod options;
mod ports;
mod process;
mod require;
pub mod scripted;
mod server;

pub use certificates::Certificates;
pub use error::StartError;
pub use fetch::fetch_all;
pub use fixture::{FUTURE_SECONDS, OLD_SECONDS, ONE_MIB, fixture};
pub use options::{Certificate, Flavour, Mode, Options, SessionReuse, TlsVersion};
pub use ports::PASSIVE_PORTS;
pub use require::{not_run, require};
pub use server::{PASSWORD, Server, USER};
