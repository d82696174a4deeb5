//! What every command takes, and what commands share of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ArgAction, Args, ValueEnum};
use host_sdk::Error;

use super::failure::{Failure, Refused};
use super::problems;
use crate::cancellation::Cancellation;
use crate::connectors::{Connectors, search_path};
use crate::exit_code::ExitCode;
use crate::pipeline::{Examined, Prepared};
use crate::process::{Problems, ProcessFile, Secrets, Variables};
use crate::report::{JsonLines, LogForwarder, Reporter, RunIdentity, Text, Verbosity};
use host_sdk::kit::shortage;

/// What every command takes.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Look for connectors in this directory, not in $CONNECTOR_PATH or beside the program;
    /// repeatable
    #[arg(long, global = true, value_name = "DIR")]
    connector_path: Vec<PathBuf>,
    /// Take connections that a process does not have from this file, not from connections.json
    /// beside it
    #[arg(long, global = true, value_name = "FILE")]
    connections: Option<PathBuf>,
    /// The value of ${NAME} in process files; repeatable
    #[arg(long, global = true, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
    /// Print more; repeat for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Print errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// Brief lines for people
    Text,
    /// One JSON object a line
    Json,
}

/// Writes to standard output in lines, for results.
pub(super) fn results() -> io::LineWriter<io::Stdout> {
    io::LineWriter::new(io::stdout())
}

impl Options {
    pub(super) fn verbosity(&self) -> Verbosity {
        Verbosity { quiet: self.quiet, verbose: self.verbose }
    }

    /// Reads the process file at `path`.
    ///
    /// # Errors
    ///
    /// `configuration` where `--set` is not used as it should be.
    pub(super) fn process_file(&self, path: &Path, secrets: Secrets) -> Result<ProcessFile, Error> {
        let mut variables = Variables { secrets, ..Variables::default() };
        for given in &self.set {
            let (name, value) = given.split_once('=').ok_or_else(|| {
                Error::configuration("", format!("--set takes NAME=VALUE, not \"{given}\""))
            })?;
            variables.values.insert(name.to_owned(), value.to_owned());
        }
        Ok(ProcessFile::read(path, &variables, self.connections.as_deref()))
    }

    /// Where the events of a run go.
    pub(super) fn reporter(&self, identity: RunIdentity, last_step: &str) -> Arc<dyn Reporter> {
        let verbosity = self.verbosity();
        match self.output {
            Output::Json => Arc::new(JsonLines::new(results(), verbosity).of_run(identity)),
            Output::Text => Arc::new(Text::new(results(), verbosity, last_step).of_run(identity)),
        }
    }

    pub(super) fn connectors(&self, reporter: &Arc<dyn Reporter>) -> Connectors {
        let services = LogForwarder::new(Arc::clone(reporter), self.verbosity());
        Connectors::new(search_path(&self.connector_path), services)
    }

    /// The reporter of a command that runs nothing: the connectors' log as text.
    pub(super) fn log_reporter(&self) -> Arc<dyn Reporter> {
        Arc::new(Text::new(io::sink(), self.verbosity(), ""))
    }
}

/// Reads and prepares the process in `file`. Warnings are printed.
pub(super) fn prepare(
    file: &Path,
    connectors: &Connectors,
    cancellation: &Arc<Cancellation>,
    options: &Options,
) -> Result<Prepared, Failure> {
    let file = options.process_file(file, Secrets::Required)?;
    let (prepared, warnings) = prepared(file, connectors, cancellation)?;
    if !options.quiet {
        warnings.print();
    }
    Ok(prepared)
}

/// A file that is not refused, with what it is warned of.
pub(super) struct Warnings {
    pub(super) file: ProcessFile,
    pub(super) problems: Problems,
}

impl Warnings {
    pub(super) fn print(&self) {
        problems::print(&self.file, &self.problems);
    }
}

/// Prepares the process of `file`.
pub(super) fn prepared(
    file: ProcessFile,
    connectors: &Connectors,
    cancellation: &Arc<Cancellation>,
) -> Result<(Prepared, Warnings), Failure> {
    let Examined { problems, prepared, refused } =
        Prepared::of_file(&file, connectors, cancellation);
    match prepared {
        Some(prepared) => Ok((prepared, Warnings { file, problems })),
        None => Err(Failure::Refused(Box::new(Refused { file, problems, library: refused }))),
    }
}

/// Makes Ctrl-C cancel. A second one ends the program at once.
pub(super) fn cancel_on_interrupt(cancellation: &Arc<Cancellation>) -> Result<(), Error> {
    let cancellation = Arc::clone(cancellation);
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::AcqRel) {
            std::process::exit(i32::from(ExitCode::Interrupted.number()));
        }
        cancellation.cancel();
    })
    .map_err(|e| match e {
        ctrlc::Error::System(e) => shortage::of_threads("interruptions", &e),
        other => Error::internal(format!("interruptions cannot be caught: {other}")),
    })
}
