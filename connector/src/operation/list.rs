//! List: one JSON document for each entry that the filter selects, as the listing arrives.

use host_sdk::{Error, InputDocument, Properties, SmallResult, Status};
use serde::Serialize;

use super::Run;
use super::walk::walk;
use crate::config::ListSettings;
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
    let context = run.context.clone();
    let maximum = settings.maximum.unwrap_or(u64::MAX);
    let meter = run.meter.clone();
    let session = run.session()?;
    let zone = session.settings().zone.clone();
    let mut selected = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let flush = |batch: &mut Vec<Vec<u8>>| {
        let properties = Properties::new();
        let results: Vec<SmallResult<'_>> = batch
            .iter()
            .map(|payload| SmallResult {
                input: input.id(),
                status: Status::Success,
                properties: &properties,
                payload,
            })
            .collect();
        if !results.is_empty() {
            context.add_results(&results)?;
            meter.delivered(results.len() as u64);
        }
        batch.clear();
        Ok(())
    };
    walk(session, &directory, &settings.walk, &mut |directory, entry| {
        if settings.filter.selects(&entry, &zone) {
            selected += 1;
            batch.push(document(&entry, directory, &zone)?);
            if batch.len() >= BATCH {
                flush(&mut batch)?;
            }
        }
        Ok(selected < maximum)
    })?;
    flush(&mut batch)
}

fn document(
    entry: &Entry,
    directory: &RemotePath,
    zone: &ServerTimeZone,
) -> Result<Vec<u8>, Error> {
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
