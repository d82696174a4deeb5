//! From a socket to a session that is logged in, and to a new one in its place.

pub(crate) mod login;
pub(crate) mod renew;
mod retry;
