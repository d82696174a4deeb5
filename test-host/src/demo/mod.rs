//! The demonstration: the process that downloads known files, and the comparison of its rows.

mod example;
mod proof;

pub(crate) use example::process;
pub(crate) use proof::{TABLE, compare, discard_earlier};
