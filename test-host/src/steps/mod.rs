//! What each step type does.

pub(crate) mod connector;
pub(crate) mod database;
pub(crate) mod message;
mod partials;
pub(crate) mod produce;
pub(crate) mod read_files;
pub(crate) mod set_properties;
mod tree;
pub(crate) mod write_files;
