//! The arguments of the program, and the command that they name.

use std::io::{self, Write};

use clap::{Parser, Subcommand};

#[cfg(feature = "demo")]
use super::demo;
use super::failure::with_output;
#[cfg(not(feature = "demo"))]
use super::no_demo as demo;
use super::options::Options;
use super::{
    browse, check, completions, connectors, describe, explain, init, remote, run, schema, validate,
};
use crate::exit_code::ExitCode;

/// Runs processes written in JSON through connectors that it loads at run time.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    options: Options,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 success; 1 internal; 2 usage, invalid process or \
configuration; 3 connection, TLS or login; 4 remote path not found; 5 temporary, retry is \
sensible; 6 some documents failed; 7 a connector could not be loaded; 8 integrity; \
130 interrupted

Results that cannot be written, because the disk is full or their reader closed the pipe, stop \
nothing that is under way; a command that was done then ends with 1, not with 0.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Download 200 files from a server of its own into a database, and prove every row
    Demo(demo::DemoArguments),
    /// Write a process to begin with
    Init(init::InitArguments),
    /// Run a process
    Run(run::RunArguments),
    /// List a directory of a server
    Ls(remote::LsArguments),
    /// Download one file of a server
    Get(remote::GetArguments),
    /// Upload one file to a server
    Put(remote::PutArguments),
    /// Delete one file of a server
    Rm(remote::RmArguments),
    /// Check processes without sending anything
    Validate(validate::ValidateArguments),
    /// Show what a connector takes and offers
    Describe(describe::DescribeArguments),
    /// Try the connections of a process out
    Check(check::CheckArguments),
    /// Show the object types of an operation and their profiles
    Browse(browse::BrowseArguments),
    /// Say what a kind of error means, and what helps
    Explain(explain::ExplainArguments),
    /// Print the JSON Schemas for editors
    Schema(schema::SchemaArguments),
    /// List the connectors that are found
    Connectors,
    /// Write a completion script for a shell
    Completions(completions::CompletionsArguments),
}

/// Does what the program's arguments ask for.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are results; wrong usage is not.
            let code = if error.use_stderr() { ExitCode::Configuration } else { ExitCode::Success };
            let printed = error.print().and_then(|()| io::stdout().flush());
            return with_output(Ok(code), printed);
        }
    };
    let options = &arguments.options;
    let done = match &arguments.command {
        Command::Demo(arguments) => demo::demo(arguments, options),
        Command::Run(arguments) => run::run(arguments, options),
        Command::Validate(arguments) => validate::validate(arguments, options),
        Command::Describe(arguments) => describe::describe(arguments, options),
        Command::Check(arguments) => check::check(arguments, options),
        Command::Browse(arguments) => browse::browse(arguments, options),
        Command::Ls(arguments) => remote::ls(arguments, options),
        Command::Get(arguments) => remote::get(arguments, options),
        Command::Put(arguments) => remote::put(arguments, options),
        Command::Rm(arguments) => remote::rm(arguments, options),
        Command::Init(arguments) => init::init(arguments, options),
        Command::Explain(arguments) => explain::explain(arguments, options),
        Command::Schema(arguments) => schema::schema(arguments),
        Command::Connectors => connectors::connectors(options),
        Command::Completions(arguments) => completions::completions::<Arguments>(arguments),
    };
    with_output(done, io::stdout().flush())
}
