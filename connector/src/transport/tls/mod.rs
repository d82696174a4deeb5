//! TLS: who the server is, and how data connections resume the session.

pub(crate) mod factory;
pub(crate) mod handshake;
pub(crate) mod identity;
pub(crate) mod tickets;
pub(crate) mod verifier;
