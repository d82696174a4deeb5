//! The five operations: inputs in, one answer each.

mod change;
mod create;
mod crew;
mod delete;
mod execution;
mod get;
mod line_ends;
mod list;
mod namesakes;
mod numbered_names;
mod progress;
mod query;
mod read;
mod receive_buffer;
mod selection;
mod target;
mod upload_window;
mod verify;
mod write;

use std::sync::Arc;

use host_sdk::{Context, Error, InputDocument, Operation, Outcome, Summary};

use self::crew::answer_all;
use self::execution::Execution;
use self::upload_window::UploadWindow;
use crate::config::OperationSettings;
use crate::failure::Failure;
use crate::file::temporary_name::TemporaryName;
use crate::pool::Pool;

/// One configured operation over a connection.
pub(crate) struct FtpOperation {
    pool: Arc<Pool>,
    settings: OperationSettings,
}

impl FtpOperation {
    /// Ties checked settings to the sessions they use.
    pub(crate) fn new(pool: Arc<Pool>, settings: OperationSettings) -> Self {
        pool.add_operation();
        if let OperationSettings::Create(create) = &settings {
            let extension = create.temporary_extension.as_deref();
            let by_extension = extension
                .map(|text| TemporaryName::with_extension(text.trim().trim_start_matches('.')));
            let names = create.temporary_name.clone().or(by_extension);
            names.into_iter().for_each(|name| pool.shared().server.note_temporary_name(name));
        }
        Self { pool, settings }
    }

    fn answer(
        &self,
        execution: &mut Execution,
        input: &mut dyn InputDocument,
    ) -> Result<(), Failure> {
        match &self.settings {
            OperationSettings::Create(settings) => create::answer(execution, settings, input),
            OperationSettings::Query(settings) => query::answer(execution, settings, input),
            OperationSettings::Get(settings) => get::answer(execution, settings, input),
            OperationSettings::List(settings) => list::answer(execution, settings, input),
            OperationSettings::Delete(_) => delete::answer(execution, input),
        }
    }

    /// Answers `input`. An error ends the execution.
    fn answer_once(
        &self,
        execution: &mut Execution,
        input: &mut dyn InputDocument,
    ) -> Result<(), Error> {
        let id = input.id();
        let mut ended = false;
        let answer = execution.document(|execution| self.answer(execution, input));
        let outcome = match answer {
            Ok(()) => Outcome::Success,
            Err(e) if e.is_about_document() && self.returns_application_errors() => {
                execution.deliver_refusal(id, e)
            }
            Err(e) => {
                ended = e.ends_operation();
                e.into_outcome(true)
            }
        };
        execution.context.input_done(id, &outcome)?;
        execution.progress.answered();
        match outcome {
            Outcome::Failure(e) if ended => Err(e),
            _ => Ok(()),
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
        self.pool.remove_operation();
    }
}

impl Operation for FtpOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        let mut execution = Execution::new(Arc::clone(&self.pool), context);
        let threads = self.settings.inputs_at_once();
        execution.upload_window = UploadWindow::of_each(threads);
        answer_all(&mut execution, threads, &|execution, input| {
            self.answer_once(execution, input)
        })?;
        Ok(execution.progress.summary())
    }
}
