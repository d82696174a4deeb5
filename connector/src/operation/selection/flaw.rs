//! What a walk could not use: it costs an error of its own, and nothing else.

use host_sdk::Properties;

use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use host_sdk::kit::text::printable;

/// How many of them are kept; one more ends the walk.
const MAXIMUM: usize = 1000;

/// An entry, or a directory, that cannot be used.
pub(in crate::operation) struct Flaw {
    properties: Properties,
    error: Failure,
}

/// The flaws of one walk.
pub(in crate::operation) struct Flaws {
    found: Vec<Flaw>,
    /// Whether the first one ends the walk.
    strict: bool,
}

impl Flaws {
    /// None so far.
    pub(in crate::operation) fn new(strict: bool) -> Self {
        Self { found: Vec::new(), strict }
    }

    /// Keeps `error`, which is about a line of the listing of `directory`: it costs what the line
    /// was to tell, and proves nothing about the bytes of the others.
    ///
    /// # Errors
    ///
    /// As [`Flaws::add`].
    pub(in crate::operation) fn add_line(
        &mut self,
        directory: &RemotePath,
        error: Failure,
    ) -> Result<(), Failure> {
        if self.strict || !error.is(Cause::Unproven) {
            return self.add(directory, None, error);
        }
        self.add(directory, None, error.with_cause(Cause::Nonsense))
    }

    /// Keeps `error`, which is about `name` in `directory` as far as a name is known.
    ///
    /// # Errors
    ///
    /// `error`, where everything or nothing is wanted, and where there are too many.
    pub(in crate::operation) fn add(
        &mut self,
        directory: &RemotePath,
        name: Option<&str>,
        error: Failure,
    ) -> Result<(), Failure> {
        let error = error.at(directory);
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
    pub(in crate::operation) fn answer(
        self,
        execution: &Execution,
        input: u64,
        as_application_errors: bool,
    ) -> Result<(), Failure> {
        for Flaw { properties, error } in self.found {
            let outcome = error.into_outcome(as_application_errors);
            let begun = execution.context.begin_result(input, &properties);
            let answered = begun.and_then(|mut sink| sink.finish(&outcome, &Properties::new()));
            match answered.map_err(Failure::of_host) {
                Err(e) if e.is(Cause::Host) => log::warn!("{e}: {outcome:?}"),
                other => other?,
            }
        }
        Ok(())
    }
}

/// The error of directories that are nested deeper than any walk goes.
pub(in crate::operation) fn too_deep(directory: &RemotePath, deepest: u64) -> Failure {
    Failure::new(
        Cause::Nonsense,
        format!("directories are nested deeper than {deepest} levels: {directory} is not read"),
    )
    .with_path(directory)
    .with_transient(false)
    .with_hint("lower recursive, or exclude the directory on the server")
}
