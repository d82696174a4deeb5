//! The process file: its text becomes types, and nothing runs here.

mod fields;
pub mod model;
mod parse;

pub use model::Process;
pub(crate) use parse::{connection_settings, key, operation_settings, rooted};
