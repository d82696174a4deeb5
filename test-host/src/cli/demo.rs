//! `demo`: downloads 200 files from its own server into a database, and compares every row.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use demo_server::{DemoServer, StartError, make_files};
use host_sdk::Error;

use super::failure::{Failure, print_note, with_output};
use super::options::{Options, Output, cancel_on_interrupt, results};
use crate::cancellation::Cancellation;
use crate::demo::{TABLE, compare, discard_earlier, process};
use crate::exit_code::ExitCode;
use crate::pipeline::{Prepared, Refusal};
use crate::report::progress::human_size;
use crate::report::{Reporter, RunIdentity, Text};
use host_sdk::kit::shortage;

#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// Where the database is kept
    #[arg(long, value_name = "FILE", default_value = "demo.db")]
    database: PathBuf,
}

pub(super) fn demo(arguments: &DemoArguments, options: &Options) -> Result<ExitCode, Failure> {
    let cancellation = Cancellation::new();
    cancel_on_interrupt(&cancellation)?;
    let database = std::path::absolute(&arguments.database)?;
    let failed = |e: io::Error| Error::internal(format!("the files cannot be made: {e}"));
    let root = tempfile::tempdir().map_err(failed)?;
    let files = make_files(root.path()).map_err(failed)?;
    let total: u64 = files.iter().map(|file| file.size).sum();
    let server = DemoServer::start(root.path()).map_err(|e| match e {
        StartError::Thread(e) => shortage::of_threads("the server", &e),
        failed => Error::internal(failed.to_string()),
    })?;
    // The address is a template.
    let address = format!("sqlite:{}", database.display()).replace('{', "{{").replace('}', "}}");
    let process = process(server.port(), &address)?;
    discard_earlier(&database, &process.process)?;
    if !options.quiet {
        let (count, size, port) = (files.len(), human_size(total), server.port());
        print_note(&format!("serving {count} files, {size}, on 127.0.0.1:{port}"));
    }
    // The table below is the result. Documents only move the bars.
    let reporter: Arc<dyn Reporter> = match options.output {
        Output::Json => options.reporter(RunIdentity::new(&process.process), ""),
        Output::Text => Arc::new(Text::new(io::sink(), options.verbosity(), "store")),
    };
    let connectors = options.connectors(&reporter);
    let file = PathBuf::from("demo");
    let outcome = Prepared::new(process, &connectors, &cancellation)
        .and_then(|prepared| Ok(prepared.run(&reporter, &cancellation)?))
        .map_err(|refusal: Refusal| Failure::of(&file, refusal))?;
    let code = with_output(Ok(outcome.exit_code), reporter.finish());
    if code != ExitCode::Success {
        return Ok(code);
    }
    let comparison = compare(&database, &files)?;
    for line in &comparison.wrong {
        print_note(&format!("wrong: {line}"));
    }
    if options.output == Output::Text && !options.quiet {
        let seconds = outcome.summary.seconds;
        let mut output = results();
        writeln!(
            output,
            "files    {} of {} proven by size and SHA-256",
            comparison.right,
            files.len()
        )?;
        writeln!(output, "bytes    {}", comparison.bytes)?;
        writeln!(output, "seconds  {seconds:.2}")?;
        writeln!(
            output,
            "MB/s     {:.1}",
            comparison.bytes as f64 / 1e6 / seconds.max(f64::EPSILON)
        )?;
        writeln!(output, "database {}", database.display())?;
        writeln!(
            output,
            "look     sqlite3 \"{}\" \"SELECT file_name, size, sha256, timestamp FROM {TABLE} LIMIT 10\"",
            database.display()
        )?;
    }
    Ok(if comparison.wrong.is_empty() { ExitCode::Success } else { ExitCode::Integrity })
}
