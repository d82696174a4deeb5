//! Settings that do not fit what declares them, all of them at once.

use crate::error::Error;

/// A setting that does not fit its declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// What is wrong, with the path below what was checked.
    pub error: Error,
    /// Which part of the setting is wrong.
    pub part: Part,
}

/// The part of a setting that an error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Part {
    /// Its key: nothing of this name is known.
    Key,
    /// Its value.
    Value,
    /// The object in which it is missing.
    Missing,
}

impl Misfit {
    /// The misfit of a key that is not known.
    #[must_use]
    pub fn key(error: Error) -> Self {
        Self { error, part: Part::Key }
    }

    /// The misfit of a value.
    #[must_use]
    pub fn value(error: Error) -> Self {
        Self { error, part: Part::Value }
    }

    /// The misfit of a setting that is required and absent.
    #[must_use]
    pub fn missing(error: Error) -> Self {
        Self { error, part: Part::Missing }
    }

    /// The misfit with `prefix` before its path.
    #[must_use]
    pub fn under(self, prefix: &str) -> Self {
        Self { error: self.error.under(prefix), ..self }
    }
}
