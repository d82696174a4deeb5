//! The process file: its text becomes types, and nothing runs here.

mod fields;
mod file;
pub mod model;
mod parse;
mod problem;
mod source;

pub use file::{Draft, ProcessFile};
pub use model::Process;
pub(crate) use parse::{connection_settings, operation_settings, rooted};
pub use problem::{Problem, Problems, Severity};
pub(crate) use source::key;
pub use source::{Position, Source};
