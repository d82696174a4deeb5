//! `schema`: prints the JSON Schemas that editors check process files with.

use std::io::Write;

use clap::Args;
use host_sdk::{Error, expected_one_of};

use super::failure::Failure;
use super::options::results;
use crate::exit_code::ExitCode;

/// Every schema by its name. The program has them with it.
pub(super) const SCHEMAS: [(&str, &str); 5] = [
    ("process", include_str!("../../../schemas/process.schema.json")),
    ("connection", include_str!("../../../schemas/connection.schema.json")),
    ("operation", include_str!("../../../schemas/operation.schema.json")),
    ("event", include_str!("../../../schemas/event.schema.json")),
    ("descriptor", include_str!("../../../schemas/descriptor.schema.json")),
];

#[derive(Debug, Args)]
pub(super) struct SchemaArguments {
    /// Which one; their names without it
    name: Option<String>,
}

pub(super) fn schema(arguments: &SchemaArguments) -> Result<ExitCode, Failure> {
    let mut output = results();
    let names = || SCHEMAS.iter().map(|(name, _)| *name);
    match &arguments.name {
        None => {
            for name in names() {
                writeln!(output, "{name}")?;
            }
        }
        Some(wanted) => {
            let Some((_, text)) = SCHEMAS.iter().find(|(name, _)| name == wanted) else {
                let known = expected_one_of(wanted, names());
                let message = format!("no schema is \"{wanted}\"; {known}");
                return Err(Error::configuration("", message).into());
            };
            output.write_all(text.as_bytes())?;
        }
    }
    Ok(ExitCode::Success)
}
