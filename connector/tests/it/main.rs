//! The connector against real servers, scripted ones, and its own promises.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod alone;
mod architecture;
mod behaviours;
mod conversations;
mod deadlines;
mod host_failures;
mod matrix;
mod memory;
mod quirks;
mod refusals;
mod support;
mod sweep;
mod transcript;
