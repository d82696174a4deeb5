//! The connector against real servers, scripted ones, and its own promises.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking, its helpers too"
)]

mod alone;
mod architecture;
mod behaviours;
mod busy;
mod check;
mod closed;
mod conformance;
mod conversations;
mod deadlines;
mod faults;
mod host_failures;
mod leftovers;
mod login_directory;
mod logs;
mod matrix;
mod memory;
mod model;
mod modes;
mod names;
mod oracle;
mod plugin;
mod proxies;
mod publishing;
mod quirks;
mod refusals;
mod reuse;
mod rights;
mod secrets;
mod selection;
mod stopping;
mod support;
mod sweep;
mod test_proxy;
mod times;
mod transcript;
mod trust;
mod uploads;
