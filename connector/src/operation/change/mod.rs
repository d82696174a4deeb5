//! Requests that change the server and must not be repeated blindly.

pub(super) mod delete;
pub(super) mod free_name;
pub(super) mod lock;
mod obstacle;
pub(super) mod rename;
