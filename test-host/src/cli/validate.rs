//! `validate`: checks processes without sending anything.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::failure::Failure;
use super::options::{Options, Output, prepare, results};
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub(super) struct ValidateArguments {
    /// The process files
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

pub(super) fn validate(
    arguments: &ValidateArguments,
    options: &Options,
) -> Result<ExitCode, Failure> {
    let connectors = options.connectors(&options.log_reporter());
    let cancellation = Cancellation::new();
    let mut output = results();
    let mut code = ExitCode::Success;
    for file in &arguments.files {
        let refused = prepare(file, &connectors, &cancellation).err();
        let shown = file.display().to_string();
        match (&refused, options.output) {
            (None, Output::Json) => writeln!(output, "{}", json!({"file": shown, "valid": true}))?,
            (None, Output::Text) if options.quiet => {}
            (None, Output::Text) => writeln!(output, "{shown}: valid")?,
            (Some(failure), Output::Json) => {
                let message = failure.to_string();
                let error = failure.error();
                let line =
                    json!({"file": shown, "valid": false, "message": message, "error": error});
                writeln!(output, "{line}")?;
            }
            (Some(failure), Output::Text) => failure.print(),
        }
        if let (Some(failure), ExitCode::Success) = (&refused, code) {
            code = failure.exit_code();
        }
    }
    Ok(code)
}
