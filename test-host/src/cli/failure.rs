//! Why a command failed, as text and as an exit code.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use host_sdk::{Error, LoadError};

use super::problems;
use crate::exit_code::ExitCode;
use crate::pipeline::Refusal;
use crate::process::{Problems, ProcessFile, Severity};
use host_sdk::kit::text::printable;

/// The exit code of a command that is `done` and whose results were `written`. A failure is printed
/// first.
pub(super) fn with_output(done: Result<ExitCode, Failure>, written: io::Result<()>) -> ExitCode {
    let done = done.unwrap_or_else(|failure| failure.report());
    match written {
        Err(error) => {
            let failed = Failure::Output(error).report();
            // A failure of the command itself comes before that of its output.
            if done == ExitCode::Success { failed } else { done }
        }
        Ok(()) => done,
    }
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    /// A process file was refused.
    #[error("{}", .0.lines())]
    Refused(Box<Refused>),
    /// A process could not be run.
    #[error("{}: {}", file.display(), Placed(error))]
    Process { file: PathBuf, error: Error },
    /// Another error of a connector or of the host.
    #[error("{}", Placed(.0))]
    Other(#[from] Error),
    /// A connector's library was refused.
    #[error(transparent)]
    Connector(#[from] LoadError),
    /// Results could not be written.
    #[error("the results could not be written: {0}")]
    Output(#[from] io::Error),
}

/// A process file that was refused, with everything that is wrong in it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) file: ProcessFile,
    pub(super) problems: Problems,
    /// The library of a connector that was refused, too.
    pub(super) library: Option<LoadError>,
}

impl Refused {
    /// The errors, one a line.
    pub(super) fn lines(&self) -> String {
        let sorted = problems::sorted(&self.file, &self.problems);
        let errors = sorted.into_iter().filter(|problem| problem.severity == Severity::Error);
        let mut lines: Vec<String> =
            errors.map(|problem| problems::line(&self.file, problem)).collect();
        lines.extend(self.library.as_ref().map(ToString::to_string));
        lines.join("\n")
    }

    fn first(&self) -> Option<&Error> {
        self.problems.errors().next().map(|problem| &problem.error)
    }
}

/// An error with the path of the setting in front of it.
struct Placed<'a>(&'a Error);

impl std::fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.report().path.as_deref() {
            Some(path) if path.starts_with('$') => write!(f, "{path}: {}", self.0),
            _ => write!(f, "{}", self.0),
        }
    }
}

impl Failure {
    pub(super) fn of(file: &Path, refusal: Refusal) -> Self {
        match refusal.rooted() {
            Refusal::Process(error) => Self::Process { file: file.to_owned(), error },
            Refusal::Connector(error) => Self::Connector(error),
        }
    }

    pub(super) fn error(&self) -> Option<&Error> {
        match self {
            Self::Process { error, .. } | Self::Other(error) => Some(error),
            Self::Refused(refused) => refused.first(),
            Self::Connector(_) | Self::Output(_) => None,
        }
    }

    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Process { error, .. } | Self::Other(error) => ExitCode::of(error.kind()),
            Self::Refused(refused) => {
                refused.first().map_or(ExitCode::Loader, |error| ExitCode::of(error.kind()))
            }
            Self::Connector(_) => ExitCode::Loader,
            Self::Output(_) => ExitCode::Internal,
        }
    }

    /// Prints it, and returns its exit code.
    pub(super) fn report(&self) -> ExitCode {
        self.print();
        self.exit_code()
    }

    pub(super) fn print(&self) {
        // If the reader closed the output, it wants no message, and a panic would be wrong.
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return;
        }
        if let Self::Refused(refused) = self {
            problems::print(&refused.file, &refused.problems);
            if let Some(library) = &refused.library {
                print_note(&format!("error: {library}"));
            }
            return;
        }
        print_note(&format!("error: {self}"));
        if let Some(hint) = self.error().and_then(|error| error.report().hint.as_deref()) {
            print_note(&format!("  {hint}"));
        }
    }
}

/// Writes a line to standard error.
pub(super) fn print_note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}
