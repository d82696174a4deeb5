//! Listings over a session, and the clock that their times are on.

mod by_name;
pub(crate) mod clock;
mod end;
pub(crate) mod file;
pub(crate) mod found;
pub(crate) mod list;
pub(crate) mod names;
pub(crate) mod probe;
mod status;
