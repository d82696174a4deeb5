//! The five operations: inputs in, one answer each.

mod body;
mod claim;
mod create;
mod delete;
mod fetch;
pub(crate) mod filter;
mod get;
mod list;
mod meter;
mod publish;
mod query;
mod text;
mod walk;

use std::sync::Arc;

use host_sdk::{Context, Error, ErrorKind, InputDocument, Operation, Outcome, Properties, Summary};

use self::meter::Meter;
use crate::cancel::CancelToken;
use crate::config::OperationSettings;
use crate::descriptor::property;
use crate::pool::{Lease, Pool};
use crate::remote_path::RemotePath;
use crate::session::Session;

/// One configured operation over a connection.
pub(crate) struct FtpOperation {
    pool: Arc<Pool>,
    settings: OperationSettings,
}

impl FtpOperation {
    /// Ties checked settings to the sessions they use.
    pub(crate) fn new(pool: Arc<Pool>, settings: OperationSettings) -> Self {
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

impl Operation for FtpOperation {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        let mut run = Run {
            cancel: CancelToken::of(&context),
            meter: Meter::new(context.clone()),
            context,
            pool: Arc::clone(&self.pool),
            lease: None,
        };
        while let Some(mut input) = run.context.next_input()? {
            let id = input.id();
            let answer = self.answer(&mut run, input.as_mut());
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

/// One thread of an execution: its session and what all threads count together.
pub(crate) struct Run {
    pub(crate) context: Context,
    pub(crate) cancel: CancelToken,
    pool: Arc<Pool>,
    lease: Option<Lease>,
    pub(crate) meter: Meter,
}

impl Run {
    /// The session of this execution: the one in hand while it is of use, else another.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(crate) fn session(&mut self) -> Result<&mut Session, Error> {
        let usable = match &mut self.lease {
            Some(lease) => lease.session()?.is_usable(),
            None => false,
        };
        if !usable {
            self.lease = None;
        }
        let lease = match self.lease.take() {
            Some(lease) => lease,
            None => self.pool.take(&self.cancel)?,
        };
        self.lease.insert(lease).session()
    }

    /// The directory that names of an input count from: its property if it has one, else the
    /// connection's, else the directory after login.
    ///
    /// # Errors
    ///
    /// `document` when the property is no path; what opening a session can fail with.
    pub(crate) fn directory(&mut self, properties: &Properties) -> Result<RemotePath, Error> {
        let session = self.session()?;
        let configured = session.settings().remote_directory.as_deref();
        let text = properties.get(property::REMOTE_DIRECTORY).or(configured).unwrap_or_default();
        session.login_directory().join(text)
    }

    /// The same execution on another thread, with a session of its own.
    fn sibling(&self) -> Self {
        Self {
            context: self.context.clone(),
            cancel: self.cancel.clone(),
            pool: Arc::clone(&self.pool),
            lease: None,
            meter: self.meter.clone(),
        }
    }

    /// Sends a refusal on as a document of its own.
    fn deliver_refusal(&mut self, input: u64, error: Error) -> Outcome {
        let properties = Properties::new();
        let delivered = self
            .context
            .begin_result(input, &properties)
            .and_then(|mut sink| sink.finish(&Outcome::ApplicationError(error), &properties));
        match delivered {
            Ok(()) => Outcome::Success,
            Err(e) => Outcome::Failure(e),
        }
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
    if id.ends_with('/') || path.is_root() {
        return Err(Error::new(ErrorKind::Document, format!("the ID {path} names a directory")));
    }
    Ok(path)
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

/// Whether a transfer was cut, so that going on where it stopped makes sense. A busy file is an
/// answer, and one for the next run.
fn is_interruption(error: &Error) -> bool {
    error.is_retryable() && !matches!(error.kind(), ErrorKind::Unavailable | ErrorKind::Busy)
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
