//! What a walk could not use: it costs an error of its own, and nothing else.

use host_sdk::{Error, ErrorKind, Outcome, Properties};

use super::is_refusal;
use super::run::Run;
use crate::descriptor::property;
use crate::file::path::RemotePath;
use host_sdk::kit::text::printable;

/// How many of them are kept; one more ends the walk.
const MAXIMUM: usize = 1000;

/// An entry, or a directory, that cannot be used.
pub(super) struct Flaw {
    properties: Properties,
    error: Error,
}

/// The flaws of one walk.
pub(super) struct Flaws {
    found: Vec<Flaw>,
    /// Whether the first one ends the walk.
    strict: bool,
}

impl Flaws {
    /// None so far.
    pub(super) fn new(strict: bool) -> Self {
        Self { found: Vec::new(), strict }
    }

    /// Keeps `error`, which is about a line of the listing of `directory`: it costs what the line
    /// was to tell, and proves nothing about the bytes of the others.
    ///
    /// # Errors
    ///
    /// As [`Flaws::add`].
    pub(super) fn add_line(&mut self, directory: &RemotePath, error: Error) -> Result<(), Error> {
        if self.strict || error.kind() != ErrorKind::Integrity {
            return self.add(directory, None, error);
        }
        let mut report = error.report().clone();
        report.kind = ErrorKind::Protocol;
        self.add(directory, None, report.into())
    }

    /// Keeps `error`, which is about `name` in `directory` as far as a name is known.
    ///
    /// # Errors
    ///
    /// `error`, where everything or nothing is wanted, and where there are too many.
    pub(super) fn add(
        &mut self,
        directory: &RemotePath,
        name: Option<&str>,
        error: Error,
    ) -> Result<(), Error> {
        let error = match error.report().path {
            Some(_) => error,
            None => error.with_path(directory.to_string()),
        };
        if self.strict || self.found.len() >= MAXIMUM {
            return Err(error);
        }
        log::warn!("{directory} is not read as a whole: {error}");
        let mut properties = Properties::new().with(property::REMOTE_DIRECTORY, directory.as_str());
        // Never a name that leads anywhere or steers a terminal: the message tells it.
        if let Some(name) = name.filter(|name| directory.entry(name).is_ok()) {
            properties.insert(property::FILE_NAME, printable(name));
        }
        self.found.push(Flaw { properties, error });
        Ok(())
    }

    /// Answers for each of them by a failed result of `input`; one that the host does not take is
    /// logged, and costs the others nothing.
    ///
    /// # Errors
    ///
    /// `cancelled`.
    pub(super) fn answer(
        self,
        run: &Run,
        input: u64,
        as_application_errors: bool,
    ) -> Result<(), Error> {
        for Flaw { properties, error } in self.found {
            let outcome = if as_application_errors && is_refusal(&error) {
                Outcome::ApplicationError(error)
            } else {
                Outcome::Failure(error)
            };
            let begun = run.context.begin_result(input, &properties);
            let answered = begun.and_then(|mut sink| sink.finish(&outcome, &Properties::new()));
            match answered {
                Err(e) if e.kind() == ErrorKind::Host => log::warn!("{e}: {outcome:?}"),
                other => other?,
            }
        }
        Ok(())
    }
}

/// The error of directories that are nested deeper than any walk goes.
pub(super) fn too_deep(directory: &RemotePath, deepest: u64) -> Error {
    Error::new(
        ErrorKind::Protocol,
        format!("directories are nested deeper than {deepest} levels: {directory} is not read"),
    )
    .with_path(directory.to_string())
    .with_retryable(false)
    .with_hint("lower recursive, or exclude the directory on the server")
}
