//! A small host: it loads `notes_connector`, writes a note and reads it.
//!
//! ```text
//! cargo build -p host-sdk --example notes_connector
//! cargo run -p host-sdk --example notes_host
//! ```

#![forbid(unsafe_code)]
#![expect(clippy::print_stdout, reason = "printing is what this program does")]

use std::sync::Arc;

use host_sdk::testing::MemoryHost;
use host_sdk::{Connector, Error, HostServices, LogRecord, Outcome, Properties, SearchPath};
use log::LevelFilter;
use serde_json::json;

/// What a host offers to a connector for as long as it is loaded.
struct Services;

impl HostServices for Services {
    fn max_level(&self) -> LevelFilter {
        LevelFilter::Info
    }

    fn log(&self, record: &LogRecord<'_>) {
        println!("{} {}: {}", record.level, record.target, record.message);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The library of the connector with the id `notes`, beside this program.
    let programs = std::env::current_exe()?.parent().ok_or("no folder")?.to_owned();
    let connector = SearchPath::new(vec![programs]).load("notes", Arc::new(Services))?;
    println!("{} {}", connector.manifest().label, connector.manifest().version);
    let folder = std::env::temp_dir().join(format!("notes-{}", std::process::id()));
    std::fs::create_dir(&folder)?;

    // MemoryHost is a host of tests; a real one implements `ExecutionContext` itself.
    let context = MemoryHost::new().context();
    let connection = connector.connect(&json!({"folder": &folder}), context)?;

    let write = connection.operation(&json!({"operation": "write"}))?;
    let host = MemoryHost::new();
    let input = host.add_document(Properties::new().with("fileName", "hello.txt"), "Hello!");
    host.execute(write.as_ref())?;
    succeeded(host.answer(input))?;

    let read = connection.operation(&json!({"operation": "read"}))?;
    let host = MemoryHost::new();
    let input = host.add_request(&[("id", "hello.txt")]);
    let summary = host.execute(read.as_ref())?;
    succeeded(host.answer(input))?;
    for result in host.results() {
        println!("{}", String::from_utf8_lossy(&result.body));
    }
    println!("{} result of {} bytes", summary.results, summary.bytes);
    connection.close()?;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}

/// An execution ends well also if its inputs do not: each has an answer of its own.
fn succeeded(answer: Option<Outcome>) -> Result<(), Error> {
    match answer {
        Some(Outcome::Success) => Ok(()),
        Some(Outcome::ApplicationError(error) | Outcome::Failure(error)) => Err(error),
        None => Err(Error::internal("the connector left the input unanswered")),
    }
}
