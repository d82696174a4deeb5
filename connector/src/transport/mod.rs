//! From a host's name to a stream that may be protected.

pub(crate) mod connect;
pub(crate) mod error;
pub(crate) mod proxy;
pub(crate) mod stream;
pub(crate) mod tls;
