//! Sessions: one control connection each, from the greeting to the goodbye.
//!
//! A session is *poisoned* after a timeout, a lost connection or an unexpected reply: later replies
//! cannot be matched to commands. A poisoned session is dropped. It never returns to the pool.

mod ahead;
pub(crate) mod checksum;
mod control;
mod conventions;
mod directory;
mod exchange;
mod existence;
mod file;
mod list;
mod listed;
mod normalized;
mod open;
mod passive_commands;
mod path_refusal;
mod paths;
mod presence_beside;
mod redaction;
mod route;
mod server;
mod session;
mod size;
mod spelling;
mod transcript;
mod transfer;
mod working_directory;

pub(crate) use self::existence::Presence;
pub(crate) use self::list::found::Found;
pub(crate) use self::list::probe::{DataFacts, ProbedListing};
pub(crate) use self::open::login::Milestone;
pub(crate) use self::server::{ServerBehaviour, Shared};
pub(crate) use self::session::Session;
pub(crate) use self::size::SizeAnswer;
pub(crate) use self::transcript::Transcript;
pub(crate) use self::transfer::download::Download;
