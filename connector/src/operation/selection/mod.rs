//! Which entries an operation is about.

mod age;
pub(super) mod candidates;
pub(super) mod flaw;
mod known;
pub(super) mod select;
pub(super) mod selected;
mod shortlist;
pub(super) mod walk;
