//! Stores each document as a row, and passes it on.

use std::io::{self, Write};
use std::sync::Arc;

use host_sdk::{Error, ErrorKind, Properties};

use crate::engine::document::StepIdentity;
use crate::engine::document::{Document, End};
use crate::engine::run::Run;
use crate::engine::step_input::{Acknowledgement, BodySink, StepInput};
use crate::ledger::{Batches, NewRow, RowBody, Stored, Ticket};
use crate::report::events::LogLevel;

/// The largest body that is buffered in memory before it is stored.
const IN_MEMORY: usize = 1024 * 1024;

/// The step database.
pub(crate) struct Database {
    pub(crate) run: Arc<Run>,
    pub(crate) step: Arc<StepIdentity>,
    pub(crate) batches: Arc<Batches>,
    /// True if no step follows: the acknowledgement of many documents can then be one commit.
    pub(crate) is_last: bool,
    /// True if documents that a service refused in an earlier step are stored.
    pub(crate) store_errors: bool,
    pub(crate) next: Arc<dyn StepInput>,
}

/// The step, shared with the documents in flight.
pub(crate) struct DatabaseInput(pub(crate) Arc<Database>);

impl StepInput for DatabaseInput {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        if let Some(size) = document.size {
            self.0.batches.ledger().check_size(size)?;
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

impl BodySink for RowWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        self.database.batches.ledger().check_size(self.size)?;
        if let RowBody::Memory(memory) = &mut self.body
            && memory.len() + bytes.len() > IN_MEMORY
        {
            let memory = std::mem::take(memory);
            let directory = self.database.batches.ledger().directory();
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
        let file_name = properties.get("fileName").unwrap_or_default().to_owned();
        let ticket = database.batches.add(NewRow {
            process: database.run.process().to_owned(),
            step: Arc::clone(&database.step.name),
            source: Arc::clone(&document.source),
            properties,
            size: end.bytes,
            sha256: Arc::clone(&end.sha256),
            body,
        });
        let row = PendingRow { database, number: document.number(), file_name, ticket };
        if row.database.is_last {
            return Ok(Box::new(PendingDocument { row, next: next.close(end)? }));
        }
        // What comes next is done only for a document that is stored.
        row.wait()?;
        next.close(end)
    }
}

/// A document that is stored with the next commit.
struct PendingRow {
    database: Arc<Database>,
    number: u64,
    file_name: String,
    ticket: Ticket,
}

impl PendingRow {
    fn wait(self) -> Result<(), Error> {
        let Self { database, number, file_name, ticket } = self;
        if ticket.wait()? == Stored::Already {
            database.run.add_work(|work| work.unchanged += 1);
            let message = format!("document {number} ({file_name}) is stored already");
            database.run.log(LogLevel::Info, &database.step, message);
        }
        Ok(())
    }
}

/// The acknowledgement of the last step: the commit.
struct PendingDocument {
    row: PendingRow,
    next: Box<dyn Acknowledgement>,
}

impl Acknowledgement for PendingDocument {
    fn wait(self: Box<Self>) -> Result<(), Error> {
        let Self { row, next } = *self;
        row.wait()?;
        next.wait()
    }
}

fn spool_error(error: &io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("the body could not be kept beside the database: {error}"))
}
