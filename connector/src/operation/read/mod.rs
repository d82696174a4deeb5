//! A remote file becomes a document.

pub(super) mod deliver;
pub(super) mod remote_file;
mod resumable_download;
