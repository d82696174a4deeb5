//! A document becomes a remote file.

mod append;
mod direct;
mod place;
pub(super) mod plan;
pub(super) mod publish;
mod rewindable_body;
mod sweep;
mod upload;
