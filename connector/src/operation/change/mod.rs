//! Requests that change the server and must not be repeated blindly.

pub(super) mod claim;
pub(super) mod delete;
pub(super) mod lock;
mod obstacle;
pub(super) mod rename;
