//! The program as its users meet it, with a connector that it loads.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends here")]

mod databases;
mod descriptions;
mod events;
mod examples;
mod files;
mod kills;
#[cfg(target_os = "linux")]
mod limits;
mod listing;
#[cfg(unix)]
mod local_files;
#[cfg(target_os = "linux")]
mod output;
mod panics;
mod pipelines;
mod refusals;
mod removal;
mod resuming;
mod second_day;
mod servers;
mod streaming;
mod support;
mod surroundings;
mod transcripts;
mod trees;
mod validating;
