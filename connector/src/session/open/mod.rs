//! From a socket to a session that is logged in, and to a new one in its place.

mod dial;
pub(crate) mod login;
mod mismatch;
pub(crate) mod renew;
mod retry;
