//! What a file on a server is known by: its name, its path, its time, its checksum.

pub(crate) mod checksum;
pub(crate) mod name;
pub(crate) mod normalization;
pub(crate) mod path;
pub(crate) mod sibling;
pub(crate) mod temporary_name;
pub(crate) mod time;
