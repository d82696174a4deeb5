//! The schemas are what they claim to be: up to date, valid, and of one mind with the code.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, its helpers too")]

mod agreement;
mod checked_in;
mod events;
mod examples;
mod libraries;
mod profiles;
mod real_files;
mod support;
mod sweep;
