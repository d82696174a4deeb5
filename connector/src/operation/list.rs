//! List: one JSON document for each entry that the filter selects, as the listing arrives.

use host_sdk::{Context, InputDocument, Properties, SmallResult};
use serde::Serialize;

use super::execution::Execution;
use super::progress::ExecutionProgress;
use super::selection::flaw::Flaws;
use super::selection::select::{filter_entry, select};
use super::selection::selected::Selected;
use super::selection::walk::{VisitedEntry, walk};
use crate::config::{ListSettings, SelectionSettings};
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::Entry;

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
    timestamp_utc: Option<String>,
    timestamp_precision: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    size_is_rounded: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    permissions: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    perm: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unique: Option<&'a str>,
}

/// Answers one input.
pub(super) fn answer(
    execution: &mut Execution,
    settings: &ListSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Failure> {
    let directory = execution.directory(&input.header().properties)?;
    let mut batch = Batch {
        context: execution.context.clone(),
        progress: execution.progress.clone(),
        input: input.id(),
        documents: Vec::with_capacity(BATCH),
        told: false,
    };
    let flaws = if settings.selection.can_stream() {
        stream(execution, &settings.selection, &directory, &mut batch)?
    } else {
        let limit = settings.selection.limit();
        let (selected, flaws) =
            select(execution, &settings.selection, &directory, limit, &mut |_, _| Ok(true))?;
        let zone = execution.session()?.zone().clone();
        for Selected { directory, entry } in selected {
            batch.add(document(&directory, &entry, &zone)?)?;
        }
        flaws
    };
    batch.flush()?;
    flaws.answer(execution, input.id(), settings.return_application_errors)
}

/// Tells entries while the listing arrives.
fn stream(
    execution: &mut Execution,
    settings: &SelectionSettings,
    directory: &RemotePath,
    batch: &mut Batch,
) -> Result<Flaws, Failure> {
    let limit = settings.limit();
    let mut backoff = execution.backoff()?;
    loop {
        let mut selected = 0;
        let session = execution.session()?;
        let walked = walk(session, directory, &settings.walk, &mut |seen| {
            filter_entry(settings, seen, &mut |VisitedEntry { directory, entry, zone, .. }| {
                selected += 1;
                batch.add(document(directory, &entry, zone)?)?;
                Ok(selected < limit)
            })
        });
        match walked {
            Ok(flaws) => return Ok(flaws),
            // What was told cannot be taken back, and would be told twice.
            Err(e) if batch.told => return Err(e),
            Err(e) => execution.wait(&mut backoff, e)?,
        }
        batch.documents.clear();
    }
}

/// Documents on their way to the host, many in one call.
struct Batch {
    context: Context,
    progress: ExecutionProgress,
    input: u64,
    documents: Vec<Vec<u8>>,
    /// Whether the host has got any.
    told: bool,
}

impl Batch {
    fn add(&mut self, document: Vec<u8>) -> Result<(), Failure> {
        self.documents.push(document);
        if self.documents.len() < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let properties = Properties::new();
        let results: Vec<SmallResult<'_>> = self
            .documents
            .iter()
            .map(|payload| SmallResult { input: self.input, properties: &properties, payload })
            .collect();
        if !results.is_empty() {
            self.told = true;
            self.context.add_results(&results).map_err(Failure::of_host)?;
            self.progress.delivered(results.len() as u64);
        }
        self.documents.clear();
        Ok(())
    }
}

fn document(
    directory: &RemotePath,
    entry: &Entry,
    zone: &ServerTimeZone,
) -> Result<Vec<u8>, Failure> {
    let listed = Listed {
        file_name: &entry.name,
        file_type: entry.kind.as_str(),
        link_path: entry.link_target.as_deref(),
        remote_directory: directory.as_str(),
        timestamp: entry.modified.map(|modified| modified.text(zone)),
        size: entry.approximate_size(),
        timestamp_utc: entry.modified.and_then(|modified| modified.utc_text(zone)),
        timestamp_precision: entry.modified.map(|modified| modified.precision.as_str()),
        size_is_rounded: entry.rounded_size.is_some(),
        permissions: entry.mode.map(|mode| format!("{mode:04o}")),
        perm: entry.perm.map(|perm| perm.to_string()),
        unique: entry.unique.as_deref(),
    };
    // Enough for most entries, so that the document does not move while it grows.
    let mut document = Vec::with_capacity(384);
    serde_json::to_writer(&mut document, &listed)
        .map_err(|e| Failure::internal(format!("the listing's document: {e}")))?;
    Ok(document)
}
