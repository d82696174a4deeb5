//! The command line: one file a command.

mod browse;
mod check;
mod completions;
mod connectors;
#[cfg(feature = "demo")]
mod demo;
mod describe;
mod descriptor_xml;
mod failure;
#[cfg(not(feature = "demo"))]
mod no_demo;
mod options;
mod program;
mod run;
mod validate;

pub use program::main;
