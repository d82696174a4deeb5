//! Which entries an operation is about.

pub(super) mod candidates;
pub(super) mod flaw;
mod known;
pub(super) mod select;
pub(super) mod walk;
