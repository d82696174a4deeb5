//! `run`: runs a process.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::failure::{Failure, with_output};
use super::identity;
use super::options::{Options, cancel_on_interrupt, prepared};
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::pipeline::{Refusal, Secrets};
use crate::process::ProcessFile;

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The process file
    file: PathBuf,
    /// Cancel what is not done after this many seconds
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
}

pub(super) fn run(arguments: &RunArguments, options: &Options) -> Result<ExitCode, Failure> {
    let cancellation = match arguments.deadline {
        Some(seconds) => Cancellation::with_deadline(Duration::from_secs(seconds)),
        None => Cancellation::new(),
    };
    cancel_on_interrupt(&cancellation)?;
    let file = ProcessFile::read(&arguments.file);
    let identity = file.process().as_ref().map(identity::of).unwrap_or_default();
    let reporter = options.reporter(identity, file.last_step());
    let connectors = options.connectors(&reporter);
    let (prepared, warnings) = prepared(file, &connectors, &cancellation, Secrets::Required)?;
    if !options.quiet {
        warnings.print();
    }
    let outcome = prepared
        .run(&reporter, &cancellation)
        .map_err(|e| Failure::of(&arguments.file, Refusal::Process(e)))?;
    Ok(with_output(Ok(outcome.exit_code), reporter.finish()))
}
