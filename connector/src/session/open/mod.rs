//! From a socket to a session that is logged in, and to a new one in its place.

mod features;
pub(crate) mod login;
mod protection;
pub(crate) mod renew;
mod retry;
