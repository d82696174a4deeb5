//! Which entries an operation is about.

pub(super) mod flaw;
pub(super) mod select;
pub(super) mod walk;
