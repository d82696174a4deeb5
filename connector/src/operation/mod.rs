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

use host_sdk::{Context, Error, ErrorKind, InputDocument, Operation, Outcome, Summary};

use self::run::Run;
use crate::config::OperationSettings;
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

    fn answer(&self, run: &mut Run, input: &mut dyn InputDocument) -> Result<(), Error> {
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
            let answer = run.document(|run| self.answer(run, input.as_mut()));
            let outcome = match answer {
                Ok(()) => Outcome::Success,
                Err(e) if is_refusal(&e) && self.returns_application_errors() => {
                    run.deliver_refusal(id, e)
                }
                Err(e) if is_refusal(&e) => Outcome::ApplicationError(e),
                Err(e) => Outcome::Failure(e),
            };
            run.context.input_done(id, &outcome)?;
            run.meter.answered();
            if let Outcome::Failure(e) = outcome
                && ends_operation(&e)
            {
                return Err(e);
            }
        }
        Ok(run.meter.summary())
    }
}

/// The path that the parameter `id` of an input names.
fn path_of_id(run: &mut Run, input: &dyn InputDocument) -> Result<RemotePath, Error> {
    let id = input.header().parameter("id").unwrap_or_default();
    if id.trim().is_empty() {
        return Err(Error::new(ErrorKind::Document, "the ID is blank")
            .with_hint("set the step's parameter \"id\" to the file's name"));
    }
    let directory = run.directory(&input.header().properties)?;
    let path = directory.join(id)?;
    if names_directory(id) || path.is_top() {
        return Err(Error::new(ErrorKind::Document, format!("the ID {path} names a directory")));
    }
    Ok(path)
}

/// Whether `path` cannot be the name of a file, whatever is there: it ends with a slash, `.` or
/// `..`.
fn names_directory(path: &str) -> bool {
    matches!(path.rsplit('/').next(), None | Some("" | "." | ".."))
}

/// Whether `error` is about one document: the others may well succeed.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Document
            | ErrorKind::Permission
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::Unavailable
            | ErrorKind::Quota
            | ErrorKind::Unsupported
    )
}

/// Whether after `error` no other document can be better off.
fn ends_operation(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Authentication
            | ErrorKind::Busy
            | ErrorKind::Cancelled
            | ErrorKind::Connection
            | ErrorKind::Tls
            | ErrorKind::Timeout
    )
}
