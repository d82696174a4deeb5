//! The FTP server of the host's demonstration, and the files it serves.
//!
//! The server and its runtime are heavy and serve the demonstration alone, so they are a crate of
//! their own, which the host uses with its feature `demo`.

mod files;
mod server;

pub use files::{DemoFile, make_files};
pub use server::{DemoServer, StartError};
