//! `validate`: checks processes without sending anything.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use host_sdk::kit::text::printable;
use serde_json::{Value, json};

use super::failure::Failure;
use super::options::{Options, Output, Warnings, prepared, results};
use super::problems;
use crate::cancellation::Cancellation;
use crate::exit_code::ExitCode;
use crate::process::{Problems, ProcessFile, Secrets};

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
    for path in &arguments.files {
        let file = options.process_file(path, Secrets::Optional)?;
        let shown = path.display().to_string();
        let (refused, line) = match prepared(file, &connectors, &cancellation) {
            Ok((_, warnings)) => {
                let Warnings { file, problems } = &warnings;
                if options.output == Output::Text && !options.quiet {
                    warnings.print();
                    writeln!(output, "{}", printable(&format!("{shown}: valid")))?;
                }
                let problems = of_file(file, problems);
                (None, json!({"file": shown, "valid": true, "problems": problems}))
            }
            Err(failure) => {
                let problems = match &failure {
                    Failure::Refused(refused) => of_file(&refused.file, &refused.problems),
                    _ => json!([]),
                };
                let line = json!({
                    "file": shown,
                    "valid": false,
                    "message": failure.to_string(),
                    "error": failure.error(),
                    "problems": problems,
                });
                (Some(failure), line)
            }
        };
        match (options.output, &refused) {
            (Output::Json, _) => writeln!(output, "{line}")?,
            (Output::Text, Some(failure)) => failure.print(),
            (Output::Text, None) => {}
        }
        if let (Some(failure), ExitCode::Success) = (&refused, code) {
            code = failure.exit_code();
        }
    }
    Ok(code)
}

/// The problems of a file, in its order.
fn of_file(file: &ProcessFile, problems: &Problems) -> Value {
    problems::sorted(file, problems)
        .into_iter()
        .map(|problem| problems::json(file, problem))
        .collect()
}
