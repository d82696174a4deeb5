//! Stores each document as a row, and passes it on.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::sync::Arc;

use host_sdk::{Error, ErrorKind, Properties};

use crate::engine::document::StepIdentity;
use crate::engine::document::{Document, End};
use crate::engine::run::Run;
use crate::engine::stage::{Acknowledgement, BodySink, Stage};
use crate::ledger::{Ledger, Row, Stored};
use crate::report::events::LogLevel;

/// The largest body that is buffered in memory before it is stored.
const IN_MEMORY: usize = 1024 * 1024;

/// The step database.
pub(crate) struct Database {
    pub(crate) run: Arc<Run>,
    pub(crate) step: Arc<StepIdentity>,
    pub(crate) ledger: Box<dyn Ledger>,
    /// True if documents that a service refused in an earlier step are stored.
    pub(crate) store_errors: bool,
    pub(crate) next: Arc<dyn Stage>,
}

/// The step, shared with the documents in flight.
pub(crate) struct DatabaseStage(pub(crate) Arc<Database>);

impl Stage for DatabaseStage {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        if let Some(size) = document.size {
            self.0.ledger.check_size(size)?;
        }
        Ok(Box::new(RowWriter {
            database: Arc::clone(&self.0),
            document: document.clone(),
            body: RowBody::Memory(Vec::new()),
            size: 0,
            next: self.0.next.begin(document)?,
        }))
    }
}

struct RowWriter {
    database: Arc<Database>,
    document: Document,
    body: RowBody,
    size: u64,
    next: Box<dyn BodySink>,
}

/// A body before it is stored: the size of a row's blob must be known before its first byte.
enum RowBody {
    Memory(Vec<u8>),
    Spooled(File),
}

impl BodySink for RowWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        self.database.ledger.check_size(self.size)?;
        if let RowBody::Memory(memory) = &mut self.body
            && memory.len() + bytes.len() > IN_MEMORY
        {
            let memory = std::mem::take(memory);
            let directory = self.database.ledger.directory();
            let mut file = tempfile::tempfile_in(directory).map_err(|e| spool_error(&e))?;
            file.write_all(&memory).map_err(|e| spool_error(&e))?;
            self.body = RowBody::Spooled(file);
        }
        match &mut self.body {
            RowBody::Memory(memory) => memory.extend_from_slice(bytes),
            RowBody::Spooled(file) => file.write_all(bytes).map_err(|e| spool_error(&e))?,
        }
        self.next.write(bytes)
    }

    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { database, document, body, next, .. } = *self;
        if end.refused.is_some() && !database.store_errors {
            return next.close(end);
        }
        let mut properties: Properties = document.properties.clone();
        properties.extend(&end.properties);
        let row = Row {
            process: database.run.process(),
            step: &database.step.name,
            source: &document.source,
            properties: &properties,
            size: end.bytes,
            sha256: &end.sha256,
        };
        let mut memory;
        let mut spooled;
        let body: &mut dyn Read = match body {
            RowBody::Memory(bytes) => {
                memory = io::Cursor::new(bytes);
                &mut memory
            }
            RowBody::Spooled(mut file) => {
                file.rewind().map_err(|e| spool_error(&e))?;
                spooled = file;
                &mut spooled
            }
        };
        if database.ledger.store(&row, body)? == Stored::Already {
            database.run.add_work(|work| work.unchanged += 1);
            let name = properties.get("fileName").unwrap_or_default();
            let number = document.number();
            database.run.log(
                LogLevel::Info,
                &database.step,
                format!("document {number} ({name}) is stored already"),
            );
        }
        next.close(end)
    }
}

fn spool_error(error: &io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("the body could not be kept beside the database: {error}"))
}
