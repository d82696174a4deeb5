//! `browse`: shows the object types of an operation and their profiles.

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use host_sdk::{BrowseRequest, Context};
use serde_json::json;

use super::check::unknown_connection;
use super::failure::Failure;
use super::options::{Options, Output, cancel_on_interrupt, prepare, results};
use crate::cancellation::Cancellation;
use crate::engine::execution::NoExecution;
use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub(super) struct BrowseArguments {
    /// The process file
    file: PathBuf,
    /// The connection's name
    connection: String,
    /// The operation's id
    operation: String,
}

pub(super) fn browse(arguments: &BrowseArguments, options: &Options) -> Result<ExitCode, Failure> {
    let cancellation = Cancellation::new();
    cancel_on_interrupt(&cancellation)?;
    let connectors = options.connectors(&options.log_reporter());
    let prepared = prepare(&arguments.file, &connectors, &cancellation, options)?;
    let connection = prepared
        .connection(&arguments.connection)
        .ok_or_else(|| unknown_connection(&prepared, &arguments.connection))?;
    let ask = |object_type: Option<String>| {
        let context: Context = Arc::new(NoExecution::new(&cancellation));
        let request = BrowseRequest { operation: arguments.operation.clone(), object_type };
        connection.browse(&request, context)
    };
    let mut output = results();
    for object_type in ask(None)?.object_types {
        let answer = ask(Some(object_type.id.clone()))?;
        match options.output {
            Output::Json => {
                let line = json!({
                    "id": object_type.id,
                    "label": object_type.label,
                    "inputProfile": answer.input_profile,
                    "outputProfile": answer.output_profile,
                });
                writeln!(output, "{line}")?;
            }
            Output::Text => {
                writeln!(output, "{} ({})", object_type.id, object_type.label)?;
                let profiles = [("input", answer.input_profile), ("output", answer.output_profile)];
                for (direction, profile) in profiles {
                    match profile {
                        Some(profile) => writeln!(output, "{direction} profile:\n{profile:#}")?,
                        None => writeln!(output, "{direction} profile: none")?,
                    }
                }
            }
        }
    }
    // The answer is complete. A failed close does not change it.
    let _ = connection.close();
    Ok(ExitCode::Success)
}
