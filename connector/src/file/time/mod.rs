//! When a file was last modified, and on which clock.

pub(crate) mod modified;
pub(crate) mod text;
pub(crate) mod zone;
