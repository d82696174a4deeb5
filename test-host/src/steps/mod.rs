//! What each step type does.

pub(crate) mod connector;
pub(crate) mod database;
mod file_name;
pub(crate) mod message;
mod partial_files;
pub(crate) mod produce;
pub(crate) mod read_files;
pub(crate) mod set_properties;
mod tree;
pub(crate) mod write_files;
