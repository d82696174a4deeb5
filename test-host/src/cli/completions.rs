//! `completions`: writes a completion script for a shell.

use std::io;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::failure::Failure;
use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(super) fn completions<C: CommandFactory>(
    arguments: &CompletionsArguments,
) -> Result<ExitCode, Failure> {
    let mut command = C::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, name, &mut script);
    io::Write::write_all(&mut io::stdout().lock(), &script)?;
    Ok(ExitCode::Success)
}
