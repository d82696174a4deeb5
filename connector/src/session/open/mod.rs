//! From a socket to a session that is logged in, and to a new one in its place.

mod dial;
mod features;
pub(crate) mod login;
mod mismatch;
mod protection;
pub(crate) mod renew;
mod retry;
