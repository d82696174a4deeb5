//! The process file: its text becomes types, and nothing runs here.

mod connections;
mod draft;
mod fields;
mod file;
pub mod model;
mod parse;
mod problem;
mod source;
mod variables;

pub use draft::Draft;
pub use file::{Place, ProcessFile};
pub use model::Process;
pub(crate) use parse::{connection_settings, operation_settings, rooted};
pub use problem::{Problem, Problems, Severity};
pub(crate) use source::key;
pub use source::{Position, Source};
pub use variables::{Secrets, Variables};
