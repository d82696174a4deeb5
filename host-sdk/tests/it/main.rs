//! Tests of what only a loaded connector can show.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod compatibility;
mod conformance;
mod executing;
mod loading;
mod logging;
mod openness;
mod panics;
mod support;
