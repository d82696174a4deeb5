//! What the suite found.

use std::fmt;

/// How one check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As promised.
    Passed,
    /// Not as promised, for this reason.
    Failed(String),
    /// Not examined, for this reason.
    Skipped(String),
}

/// One check of the suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was examined: a sentence, after the name of the case it was examined with.
    pub name: String,
    /// How it ended.
    pub verdict: Verdict,
}

/// What [`run`](crate::conformance::run) found; `Display` is one line a check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The checks in the order they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// The checks that failed.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.verdict, Verdict::Failed(_)))
    }

    /// The names of the checks that were skipped.
    pub fn skipped(&self) -> impl Iterator<Item = &str> {
        self.checks
            .iter()
            .filter(|check| matches!(check.verdict, Verdict::Skipped(_)))
            .map(|check| check.name.as_str())
    }

    /// Makes sure that nothing failed and that exactly `expected` was skipped: a suite that skips
    /// what it should examine is green for nothing.
    ///
    /// # Panics
    ///
    /// With the whole report, where that is not so.
    pub fn assert_passed(&self, expected: &[&str]) {
        assert!(self.failures().next().is_none(), "not as promised:\n{self}");
        let skipped: Vec<&str> = self.skipped().collect();
        assert!(skipped == expected, "skipped {skipped:#?}, expected {expected:#?}:\n{self}");
    }

    pub(super) fn add(&mut self, name: impl Into<String>, finding: CheckOutcome) {
        let verdict = match finding {
            Ok(()) => Verdict::Passed,
            Err(CheckFailure::Failed(words)) => Verdict::Failed(words),
            Err(CheckFailure::Skipped(reason)) => Verdict::Skipped(reason),
        };
        self.checks.push(Check { name: name.into(), verdict });
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Check { name, verdict } in &self.checks {
            match verdict {
                Verdict::Passed => writeln!(f, "passed   {name}")?,
                Verdict::Failed(words) => writeln!(f, "FAILED   {name}: {words}")?,
                Verdict::Skipped(reason) => writeln!(f, "skipped  {name}: {reason}")?,
            }
        }
        Ok(())
    }
}

/// Why a check did not pass.
#[derive(Debug)]
pub(super) enum CheckFailure {
    Failed(String),
    Skipped(String),
}

pub(super) type CheckOutcome<T = ()> = Result<T, CheckFailure>;

pub(super) fn failed<T>(words: impl Into<String>) -> CheckOutcome<T> {
    Err(CheckFailure::Failed(words.into()))
}

pub(super) fn skipped<T>(reason: impl Into<String>) -> CheckOutcome<T> {
    Err(CheckFailure::Skipped(reason.into()))
}

/// Fails with `words` unless `holds`.
pub(super) fn ensure(holds: bool, words: impl FnOnce() -> String) -> CheckOutcome {
    if holds { Ok(()) } else { failed(words()) }
}

/// Fails with all `problems`, if there are any.
pub(super) fn ensure_none(problems: &[String]) -> CheckOutcome {
    ensure(problems.is_empty(), || problems.join("; "))
}
