//! `run`: runs a process.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;

use super::failure::{Failure, with_output};
use super::identity;
use super::options::{Options, cancel_on_interrupt, prepared};
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::pipeline::Refusal;
use crate::process::Secrets;

#[derive(Debug, Args)]
pub(super) struct RunArguments {
    /// The process files, run one after the other; `-` is standard input
    #[arg(required = true)]
    files: Vec<PathBuf>,
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
    let mut code = ExitCode::Success;
    for file in &arguments.files {
        let done = run_one(file, options, &cancellation);
        if let [_] = &arguments.files[..] {
            return done;
        }
        // The first code that is no success is that of all.
        let of_file = with_output(done, Ok(()));
        if code == ExitCode::Success {
            code = of_file;
        }
        if cancellation.is_cancelled() {
            break;
        }
    }
    Ok(code)
}

fn run_one(
    path: &Path,
    options: &Options,
    cancellation: &Arc<Cancellation>,
) -> Result<ExitCode, Failure> {
    let file = options.process_file(path, Secrets::Required)?;
    let identity = file.process().as_ref().map(identity::of).unwrap_or_default();
    let reporter = options.reporter(identity, file.last_step());
    let connectors = options.connectors(&reporter);
    let (prepared, warnings) = prepared(file, &connectors, cancellation)?;
    if !options.quiet {
        warnings.print();
    }
    let outcome = prepared
        .run(&reporter, cancellation)
        .map_err(|e| Failure::of(path, Refusal::Process(e)))?;
    Ok(with_output(Ok(outcome.exit_code), reporter.finish()))
}
