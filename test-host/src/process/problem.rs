//! What is wrong with a process file, all of it at once.

use std::ops::Range;

use host_sdk::{Error, Misfit, Part};

/// How much a [`Problem`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The process is refused.
    Error,
    /// The process runs, but something in it cannot work as it is written.
    Warning,
}

impl Severity {
    /// The word in texts and in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// Something that is wrong in a process file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// What is wrong, with the JSON path in [`path`](host_sdk::ErrorReport::path).
    pub error: Error,
    /// Whether the key or the value at the path is wrong.
    pub part: Part,
    /// The bytes of the file, where the path alone does not name them.
    pub bytes: Option<Range<usize>>,
}

/// Collects problems in the order in which they are found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    pub(crate) fn push(&mut self, problem: Problem) {
        self.0.push(problem);
    }

    /// Adds the error of a value.
    pub(crate) fn error(&mut self, error: Error) {
        self.misfit(Misfit::value(error));
    }

    /// Adds the error of a setting that does not fit.
    pub(crate) fn misfit(&mut self, misfit: Misfit) {
        let Misfit { error, part } = misfit;
        self.push(Problem { severity: Severity::Error, error, part, bytes: None });
    }

    /// Adds a warning about the value at `path`.
    pub(crate) fn warn(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warning(Error::configuration(path, message));
    }

    /// Adds a warning about a value.
    pub(crate) fn warning(&mut self, error: Error) {
        let severity = Severity::Warning;
        self.push(Problem { severity, error, part: Part::Value, bytes: None });
    }

    /// Adds the error of `result`, and returns its value.
    pub(crate) fn take<T>(&mut self, result: Result<T, Error>) -> Option<T> {
        result.map_err(|error| self.error(error)).ok()
    }

    /// Adds what `find` finds, with `prefix` before every path.
    pub(crate) fn under<T>(&mut self, prefix: &str, find: impl FnOnce(&mut Self) -> T) -> T {
        let mut inner = Self::default();
        let found = find(&mut inner);
        self.0.extend(inner.0.into_iter().map(|p| Problem { error: p.error.under(prefix), ..p }));
        found
    }

    /// Whether the process is refused.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.errors().next().is_some()
    }

    /// The problems that refuse the process.
    pub fn errors(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter().filter(|problem| problem.severity == Severity::Error)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Problem] {
        &self.0
    }

    /// The first error.
    pub(crate) fn into_first_error(self) -> Option<Error> {
        self.0.into_iter().find(|p| p.severity == Severity::Error).map(|p| p.error)
    }
}
