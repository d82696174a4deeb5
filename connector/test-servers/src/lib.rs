//! FTP servers for tests: real ones, one that plays a script, and one that goes wrong at random.
//!
//! A client proves itself against servers that differ. [`Server`] starts vsftpd, ProFTPD,
//! Pure-FTPd, pyftpdlib or libunftp, plain or with TLS, on free ports of 127.0.0.1 with its own
//! user, certificates and data root; nothing is installed and nothing is left. What no real server
//! can be made to say, such as a listing without end or a connection that is cut after the
//! thirteenth byte, [`scripted`] says; what random requests and faults come to, [`model`] shows.
//!
//! ```no_run
//! use test_servers::{Flavour, Options, fixture, require};
//!
//! # fn main() -> std::io::Result<()> {
//! // `None`, and a printed line, where this machine cannot run vsftpd.
//! let Some(server) = require(&Options::new(Flavour::VsFtpd).explicit()) else { return Ok(()) };
//! fixture(&server.root())?;
//! server.place("inbox/order 7.xml", b"<order/>")?;
//! println!("{}:{} {} {}", server.host(), server.port(), server.user(), server.password());
//! println!("trust {}", server.ca_pem().display());
//! // … let the client work, then look at what arrived and at what the server heard.
//! println!("{}", server.log());
//! # Ok(())
//! # }
//! ```
//!
//! # Where the programs come from
//!
//! In this order: the path in `FTP_TEST_VSFTPD`, `FTP_TEST_PROFTPD`, `FTP_TEST_PURE_FTPD` with
//! `FTP_TEST_PURE_PW`, or `FTP_TEST_PYTHON`; an installed program; Debian's packages and PyPI's,
//! fetched once with `apt-get download` and `pip` into `<target>/test-servers` ([`fetch_all`] does
//! it beforehand). libunftp is linked.
//!
//! # What a machine must allow
//!
//! | program | needs |
//! |---|---|
//! | libunftp | nothing |
//! | pyftpdlib | python3 |
//! | ProFTPD, Pure-FTPd | root |
//! | vsftpd, and [`Options::full_disk`] | root and mount namespaces (`unshare --mount --pid`), so a container must be privileged |
//!
//! Where namespaces are allowed, each server runs in one, and the kernel ends all its processes
//! with it.

mod certificates;
mod error;
mod fetch;
mod files;
mod fixture;
mod flavour;
mod instance;
pub mod model;
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
pub use instance::{PASSWORD, USER};
pub use options::{Certificate, Flavour, Mode, Options, SessionReuse, TlsVersion};
pub use ports::PASSIVE_PORTS;
pub use require::{not_run, require};
pub use server::Server;
