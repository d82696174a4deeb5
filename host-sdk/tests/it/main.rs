//! Tests of what only a loaded connector can show.

// What other interfaces would do is seen from this one; `compatibility` builds them by itself.
#![cfg(not(any(
    feature = "interface-first",
    feature = "interface-next",
    feature = "changed-record"
)))]
#![expect(clippy::unwrap_used, reason = "a helper of a test fails as the test itself does")]

mod compatibility;
mod conformance;
mod executing;
mod loading;
mod logging;
mod panics;
mod support;
