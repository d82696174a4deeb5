//! A host for tests: it loads the connector at a path, sends it a text and prints what comes back.

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "printing is what this program does")]

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use host_sdk::loader::load;
use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, Error, HostServices, LoadedConnector, LogRecord, Properties};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::json;

/// Prints records: those of the connector, which come through its services, and its own.
struct Printer;

impl HostServices for Printer {
    fn max_level(&self) -> LevelFilter {
        LevelFilter::Info
    }

    fn log(&self, record: &LogRecord<'_>) {
        println!("connector {}: {}", record.level, record.message);
    }
}

impl Log for Printer {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        println!("host {}: {}", record.level(), record.args());
    }

    fn flush(&self) {}
}

fn main() -> ExitCode {
    log::set_max_level(LevelFilter::Info);
    // Nothing was set before; a second logger could only be a mistake.
    _ = log::set_logger(&Printer);
    let Some(path) = std::env::args_os().nth(1) else {
        println!("usage: echo_host LIBRARY");
        return ExitCode::FAILURE;
    };
    let loaded = match load(Path::new(&path), Arc::new(Printer)) {
        Ok(loaded) => loaded,
        Err(refusal) => {
            println!("refused: {refusal}");
            return ExitCode::FAILURE;
        }
    };
    println!("loaded {} {}", loaded.manifest().id, loaded.manifest().interface);
    match echo(&loaded) {
        Ok(text) => {
            println!("echo: {text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            println!("failed: {error}");
            ExitCode::FAILURE
        }
    }
}

fn echo(connector: &LoadedConnector) -> Result<String, Error> {
    let connection = connector.connect(&json!({}), MemoryHost::new().context())?;
    let settings = json!({"operation": "echo", "options": {"resume": "the greeting"}});
    let operation = connection.operation(&settings)?;
    let host = MemoryHost::new().keeping("the greeting", "hel");
    host.add_document(Properties::new(), "hello");
    host.execute(operation.as_ref())?;
    connection.close()?;
    let bodies: Vec<u8> = host.results().into_iter().flat_map(|result| result.body).collect();
    Ok(String::from_utf8_lossy(&bodies).into_owned())
}
