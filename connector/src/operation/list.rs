//! List: one JSON document for each entry that the filter selects, as the listing arrives.

use host_sdk::{Context, Error, InputDocument, Properties, SmallResult, Status};
use serde::Serialize;

use super::meter::Meter;
use super::run::Run;
use super::select::select;
use super::walk::walk;
use crate::config::{ListSettings, SelectionSettings};
use crate::remote_path::RemotePath;
use crate::session::listing::Entry;
use crate::timestamp::ServerTimeZone;

/// Entries that cross to the host in one call.
const BATCH: usize = 64;

/// The document that describes an entry.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Listed<'a> {
    file_name: &'a str,
    file_type: &'a str,
    link_path: Option<&'a str>,
    remote_directory: &'a str,
    timestamp: Option<String>,
    size: Option<u64>,
}

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &ListSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let directory = run.directory(&input.header().properties)?;
    let zone = run.session()?.settings().zone.clone();
    let mut batch = Batch {
        context: run.context.clone(),
        meter: run.meter.clone(),
        input: input.id(),
        documents: Vec::with_capacity(BATCH),
        told: false,
    };
    if settings.selection.decides_at_once() {
        stream(run, &settings.selection, &directory, &zone, &mut batch)?;
    } else {
        for entry in select(run, &settings.selection, &directory, &mut |_, _| Ok(true))? {
            batch.add(document(&entry.entry, &entry.path.parent(), &zone)?)?;
        }
    }
    batch.flush()
}

/// Tells entries while the listing arrives.
fn stream(
    run: &mut Run,
    settings: &SelectionSettings,
    directory: &RemotePath,
    zone: &ServerTimeZone,
    batch: &mut Batch,
) -> Result<(), Error> {
    let limit = settings.limit();
    let mut backoff = run.backoff()?;
    loop {
        let mut selected = 0;
        let session = run.session()?;
        let walked = walk(session, directory, &settings.walk, &mut |directory, entry| {
            if settings.filter.selects(&entry, zone) {
                selected += 1;
                batch.add(document(&entry, directory, zone)?)?;
            }
            Ok(selected < limit)
        });
        match walked {
            Ok(()) => return Ok(()),
            // What was told cannot be taken back, and would be told twice.
            Err(e) if batch.told => return Err(e),
            Err(e) => run.wait(&mut backoff, e)?,
        }
        batch.documents.clear();
    }
}

/// Documents on their way to the host, many in one call.
struct Batch {
    context: Context,
    meter: Meter,
    input: u64,
    documents: Vec<Vec<u8>>,
    /// Whether the host has got any.
    told: bool,
}

impl Batch {
    fn add(&mut self, document: Vec<u8>) -> Result<(), Error> {
        self.documents.push(document);
        if self.documents.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let properties = Properties::new();
        let results: Vec<SmallResult<'_>> = self
            .documents
            .iter()
            .map(|payload| SmallResult {
                input: self.input,
                status: Status::Success,
                properties: &properties,
                payload,
            })
            .collect();
        if !results.is_empty() {
            self.told = true;
            self.context.add_results(&results)?;
            self.meter.delivered(results.len() as u64);
        }
        self.documents.clear();
        Ok(())
    }
}

fn document(
    entry: &Entry,
    directory: &RemotePath,
    zone: &ServerTimeZone,
) -> Result<Vec<u8>, Error> {
    // A name that is none would lead whoever believes it out of the directory.
    directory.entry(&entry.name)?;
    let listed = Listed {
        file_name: &entry.name,
        file_type: entry.kind.as_str(),
        link_path: entry.link_target.as_deref(),
        remote_directory: directory.as_str(),
        timestamp: entry.modified.as_ref().map(|modified| modified.text(zone)),
        size: entry.size,
    };
    serde_json::to_vec(&listed).map_err(|e| Error::internal(format!("the listing's document: {e}")))
}
