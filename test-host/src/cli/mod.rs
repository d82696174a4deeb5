//! The command line.

mod browse;
mod check;
mod completions;
mod connectors;
mod demo;
mod describe;
mod descriptor_xml;
mod run;
mod validate;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use host_sdk::{Error, LoadError};

use crate::cancellation::Cancellation;
use crate::connectors::{Connectors, search_path};
use crate::exit_code::ExitCode;
use crate::pipeline::{Prepared, Refusal};
use crate::process::Process;
use crate::report::{JsonLines, Records, Reporter, Text, Verbosity, printable};
use crate::shortage;

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

/// What every command takes.
#[derive(Debug, Args)]
struct Options {
    /// Look for connectors in this directory, not in $CONNECTOR_PATH or beside the program;
    /// repeatable
    #[arg(long, global = true, value_name = "DIR")]
    connector_path: Vec<PathBuf>,
    /// How results are written
    #[arg(long, global = true, value_enum, default_value_t = Output::Text)]
    output: Output,
    /// Tell more; repeat for still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    verbose: u8,
    /// Tell errors only
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// Brief lines for people
    Text,
    /// One JSON object a line
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Download 200 files from a server of its own into a database, and prove every row
    Demo(demo::DemoArguments),
    /// Run a process
    Run(run::RunArguments),
    /// Check processes without sending anything
    Validate(validate::ValidateArguments),
    /// Show what a connector takes and offers
    Describe(describe::DescribeArguments),
    /// Try the connections of a process out
    Check(check::CheckArguments),
    /// Show the object types of an operation and their profiles
    Browse(browse::BrowseArguments),
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
        Command::Connectors => connectors::connectors(options),
        Command::Completions(arguments) => completions::completions::<Arguments>(arguments),
    };
    with_output(done, io::stdout().flush())
}

/// The code of a command that is `done` and whose results were `written`, after its failures were
/// told.
fn with_output(done: Result<ExitCode, Failure>, written: io::Result<()>) -> ExitCode {
    let done = done.unwrap_or_else(|failure| failure.told());
    match written {
        Err(error) => {
            let failed = Failure::Output(error).told();
            // What was not done weighs more than what was not said.
            if done == ExitCode::Success { failed } else { done }
        }
        Ok(()) => done,
    }
}

/// Why a command did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// A process file was refused.
    #[error("{}: {}", file.display(), Placed(error))]
    Process { file: PathBuf, error: Error },
    /// Something else of the connectors' or the host's.
    #[error("{}", Placed(.0))]
    Other(#[from] Error),
    /// A connector's library was refused.
    #[error(transparent)]
    Connector(#[from] LoadError),
    /// Results could not be written.
    #[error("the results could not be written: {0}")]
    Output(#[from] io::Error),
}

/// An error with the path of the setting in front of it.
struct Placed<'a>(&'a Error);

impl std::fmt::Display for Placed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.report().path.as_deref() {
            Some(path) if path.starts_with('$') => write!(f, "{path}: {}", self.0),
            _ => write!(f, "{}", self.0),
        }
    }
}

impl Failure {
    fn of(file: &Path, refusal: Refusal) -> Self {
        match refusal.rooted() {
            Refusal::Process(error) => Self::Process { file: file.to_owned(), error },
            Refusal::Connector(error) => Self::Connector(error),
        }
    }

    fn error(&self) -> Option<&Error> {
        match self {
            Self::Process { error, .. } | Self::Other(error) => Some(error),
            Self::Connector(_) | Self::Output(_) => None,
        }
    }

    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Process { error, .. } | Self::Other(error) => ExitCode::of(error.kind()),
            Self::Connector(_) => ExitCode::Loader,
            Self::Output(_) => ExitCode::Internal,
        }
    }

    /// Tells it, for its exit code.
    fn told(&self) -> ExitCode {
        self.tell();
        self.exit_code()
    }

    fn tell(&self) {
        // Whoever closed the program's output wants no more of it, and no panic either.
        if matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            return;
        }
        tell(&format!("error: {self}"));
        if let Some(hint) = self.error().and_then(|error| error.report().hint.as_deref()) {
            tell(&format!("  {hint}"));
        }
    }
}

/// Writes a line for people to standard error.
fn tell(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", printable(line));
}

/// Writes to standard output in lines, for results.
fn results() -> io::LineWriter<io::Stdout> {
    io::LineWriter::new(io::stdout())
}

impl Options {
    fn verbosity(&self) -> Verbosity {
        Verbosity { quiet: self.quiet, verbose: self.verbose }
    }

    /// Where the events of a run go.
    fn reporter(&self, last_step: &str) -> Arc<dyn Reporter> {
        match self.output {
            Output::Json => Arc::new(JsonLines::new(results(), self.verbosity())),
            Output::Text => Arc::new(Text::new(results(), self.verbosity(), last_step)),
        }
    }

    fn connectors(&self, reporter: &Arc<dyn Reporter>) -> Connectors {
        let services = Records::new(Arc::clone(reporter), self.verbosity());
        Connectors::new(search_path(&self.connector_path), services)
    }

    /// Where a command that runs nothing tells its connectors' log: always as text.
    fn log_reporter(&self) -> Arc<dyn Reporter> {
        Arc::new(Text::new(io::sink(), self.verbosity(), ""))
    }
}

/// Reads and prepares the process in `file`.
fn prepare(
    file: &Path,
    connectors: &Connectors,
    cancellation: &Arc<Cancellation>,
) -> Result<Prepared, Failure> {
    Process::read(file)
        .map_err(Refusal::from)
        .and_then(|process| Prepared::new(process, connectors, cancellation))
        .map_err(|refusal| Failure::of(file, refusal))
}

/// Lets Ctrl-C cancel; a second one ends the program at once.
fn cancel_on_interrupt(cancellation: &Arc<Cancellation>) -> Result<(), Error> {
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
