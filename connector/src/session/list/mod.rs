//! Listings over a session, and the clock that their times are on.

pub(crate) mod clock;
mod end;
pub(crate) mod file;
pub(crate) mod list;
pub(crate) mod names;
pub(crate) mod probe;
