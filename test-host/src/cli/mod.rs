//! The command line: one file a command.

mod browse;
mod check;
mod completions;
mod connectors;
mod demo;
mod describe;
mod descriptor_xml;
mod failure;
mod options;
mod program;
mod run;
mod validate;

pub use program::main;
