//! The program as its users meet it, with a connector that it loads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod databases;
mod descriptions;
mod events;
mod examples;
mod files;
mod kills;
mod listing;
mod panics;
mod pipelines;
mod refusals;
mod removal;
mod resuming;
mod servers;
mod streaming;
mod support;
mod transcripts;
