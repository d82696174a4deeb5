//! What each step type does.
//!
//! A new step type is named in these places: its fields in `process/model.rs` (`Step`, `STEP_TYPES`), its
//! reading from JSON in `process/parse.rs`, its checks in `pipeline/prepare.rs`, how it is built in
//! `pipeline/run.rs`, whether it makes documents durable in `pipeline/durability.rs`, and what it does in
//! a file here. `cargo run -p schemas` writes the schema.

pub(crate) mod connector;
pub(crate) mod database;
mod file_name;
mod file_time;
pub(crate) mod message;
mod partial_files;
pub(crate) mod produce;
pub(crate) mod read_files;
mod relative_directory;
pub(crate) mod set_properties;
mod tree;
pub(crate) mod write_files;
