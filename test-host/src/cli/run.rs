//! `run`: runs a process.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::failure::{Failure, with_output};
use super::options::{Options, cancel_on_interrupt};
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::pipeline::{Prepared, Refusal};
use crate::process::Process;

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
    let file = &arguments.file;
    let process = Process::read(file).map_err(|e| Failure::of(file, e.into()))?;
    let last = process.steps.last().map_or("", |step| step.name());
    let reporter = options.reporter(last);
    let connectors = options.connectors(&reporter);
    let prepared = Prepared::new(process, &connectors, &cancellation)
        .map_err(|refusal| Failure::of(file, refusal))?;
    let outcome = prepared
        .run(&reporter, &cancellation)
        .map_err(|e| Failure::of(file, Refusal::Process(e)))?;
    Ok(with_output(Ok(outcome.exit_code), reporter.finish()))
}
