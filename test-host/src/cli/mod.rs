//! The command line: one file a command.

mod browse;
mod check;
mod completions;
mod connectors;
#[cfg(feature = "demo")]
mod demo;
mod describe;
mod descriptor_xml;
mod explain;
mod failure;
mod identity;
mod init;
#[cfg(not(feature = "demo"))]
mod no_demo;
mod options;
mod problems;
mod program;
mod remote;
mod remote_url;
mod run;
mod schema;
mod validate;

pub use program::main;
