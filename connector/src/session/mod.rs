//! The session with one server.

#[cfg_attr(not(test), expect(dead_code, reason = "the operations that call it come next"))]
pub(crate) mod listing;
