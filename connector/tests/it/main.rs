//! The connector against real servers, scripted ones, and its own promises.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod architecture;
mod behaviours;
mod busy;
mod logs;
mod matrix;
mod modes;
mod names;
mod plugin;
mod proxies;
mod quirks;
mod reuse;
mod secrets;
mod support;
mod test_proxy;
mod trust;
mod uploads;
