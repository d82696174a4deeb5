//! TLS: who the server is, and how data connections resume the session.

pub(crate) mod certificate;
pub(crate) mod factory;
pub(crate) mod fingerprint;
pub(crate) mod handshake;
pub(crate) mod identity;
mod key_files;
mod mismatch;
pub(crate) mod probe;
pub(crate) mod tickets;
pub(crate) mod verifier;
