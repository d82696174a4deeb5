//! The servers come up and do what their options say; the scripted server tells right from wrong.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod options;
mod raw;
mod scripted;
mod start;
mod tls;
