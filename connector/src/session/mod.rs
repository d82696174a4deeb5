//! Sessions: one control connection each, from the greeting to the goodbye.
//!
//! suppaftp is used here and nowhere else. It sends every command, checked and encoded, and
//! reads the replies (see [`control`]); data connections are this side's own, because a port
//! range, a proxy, an explicit TLS handshake and a deadline have no place in the crate's.
//!
//! A session on which anything unexpected happened is *poisoned*: after a time-out, a cut or a
//! reply that does not fit, nobody knows which reply belongs to which command. It is dropped,
//! never repaired and never returned to the pool.

pub(crate) mod checksum;
mod commands;
mod control;
mod existence;
mod list;
mod open;
mod redaction;
mod server;
mod session;
mod transcript;
mod transfer;

pub(crate) use self::commands::missing;
pub(crate) use self::existence::{Presence, SizeAnswer};
pub(crate) use self::list::list::Found;
pub(crate) use self::list::probe::{DataFacts, ProbedListing};
pub(crate) use self::open::login::Milestone;
pub(crate) use self::server::{ServerMemory, Shared};
pub(crate) use self::session::Session;
pub(crate) use self::transcript::Transcript;
