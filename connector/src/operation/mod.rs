//! The five operations: inputs in, one answer each.

mod body;
mod change;
mod claim;
mod compare;
mod create;
mod delete;
mod fetch;
mod flaw;
mod get;
mod list;
mod lock;
mod meter;
mod names;
mod namesakes;
mod part;
mod place;
mod publish;
mod query;
mod run;
mod select;
mod sweep;
mod text;
mod walk;
mod watch;

use std::sync::Arc;

use host_sdk::{Context, Error, InputDocument, Operation, Outcome, Summary};

use self::run::Run;
use crate::config::OperationSettings;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::pool::Pool;

/// One configured operation over a connection.
pub(crate) struct FtpOperation {
    pool: Arc<Pool>,
    settings: OperationSettings,
}

impl FtpOperation {
    /// Ties checked settings to the sessions they use.
    pub(crate) fn new(pool: Arc<Pool>, settings: OperationSettings) -> Self {
        pool.join();
        Self { pool, settings }
    }

    fn answer(&self, run: &mut Run, input: &mut dyn InputDocument) -> Result<(), Failure> {
        match &self.settings {
            OperationSettings::Create(settings) => create::answer(run, settings, input),
            OperationSettings::Query(settings) => query::answer(run, settings, input),
            OperationSettings::Get(settings) => get::answer(run, settings, input),
            OperationSettings::List(settings) => list::answer(run, settings, input),
            OperationSettings::Delete(_) => delete::answer(run, input),
        }
    }

    fn returns_application_errors(&self) -> bool {
        match &self.settings {
            OperationSettings::Create(settings) => settings.return_application_errors,
            OperationSettings::Query(settings) => settings.return_application_errors,
            OperationSettings::Get(settings) => settings.return_application_errors,
            OperationSettings::List(settings) => settings.return_application_errors,
            OperationSettings::Delete(settings) => settings.return_application_errors,
        }
    }
}

impl Drop for FtpOperation {
    fn drop(&mut self) {
        self.pool.leave();
    }
}

impl Operation for FtpOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        let mut run = Run::new(Arc::clone(&self.pool), context);
        while let Some(mut input) = run.context.next_input()? {
            let id = input.id();
            let mut ended = false;
            let answer = run.document(|run| self.answer(run, input.as_mut()));
            let outcome = match answer {
                Ok(()) => Outcome::Success,
                Err(e) if e.is_about_document() && self.returns_application_errors() => {
                    run.deliver_refusal(id, e)
                }
                Err(e) => {
                    ended = e.ends_operation();
                    e.into_outcome(true)
                }
            };
            run.context.input_done(id, &outcome)?;
            run.meter.answered();
            if let Outcome::Failure(e) = outcome
                && ended
            {
                return Err(e);
            }
        }
        Ok(run.meter.summary())
    }
}

/// The path that the parameter `id` of an input names.
fn path_of_id(run: &mut Run, input: &dyn InputDocument) -> Result<RemotePath, Failure> {
    let id = input.header().parameter("id").unwrap_or_default();
    if id.trim().is_empty() {
        return Err(Failure::new(Cause::Unsendable, "the ID is blank")
            .with_hint("set the step's parameter \"id\" to the file's name"));
    }
    let directory = run.directory(&input.header().properties)?;
    let path = directory.join(id)?;
    if names_directory(id) || path.is_top() {
        return Err(Failure::new(Cause::Unsendable, format!("the ID {path} names a directory")));
    }
    Ok(path)
}

/// Whether `path` cannot be the name of a file, whatever is there: it ends with a slash, `.` or
/// `..`.
fn names_directory(path: &str) -> bool {
    matches!(path.rsplit('/').next(), None | Some("" | "." | ".."))
}
