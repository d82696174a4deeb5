//! Dates as listings write them.

pub(super) mod ls;
pub(super) mod months;
pub(super) mod parts;
mod weekdays;
