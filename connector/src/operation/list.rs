//! List: one JSON document for each entry that the filter selects, as the listing arrives.

use host_sdk::{Error, InputDocument, Properties, SmallResult, Status};
use serde::Serialize;

use super::run::Run;
use super::walk::{Next, Seen, walk};
use crate::config::ListSettings;

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
    let mut selected = 0;
    let mut batch = Vec::with_capacity(BATCH);
    let mut told = false;
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
    let mut backoff = run.backoff()?;
    loop {
        let session = run.session()?;
        let walked = walk(session, &directory, &settings.walk, &mut |seen| {
            let verdict = settings.filter.verdict(&seen.entry, seen.zone, seen.is_exact);
            if verdict == Some(true) {
                selected += 1;
                batch.push(document(&seen)?);
                if batch.len() >= BATCH {
                    told = true;
                    flush(&mut batch)?;
                }
            }
            Ok(match verdict {
                None => Next::Exactly(seen.entry),
                Some(_) if selected >= maximum => Next::Enough,
                Some(_) => Next::More,
            })
        });
        match walked {
            Ok(()) => break,
            // What was told cannot be taken back, and would be told twice.
            Err(e) if told => return Err(e),
            Err(e) => run.wait(&mut backoff, e)?,
        }
        selected = 0;
        batch.clear();
    }
    flush(&mut batch)
}

fn document(seen: &Seen<'_>) -> Result<Vec<u8>, Error> {
    let Seen { directory, entry, zone, .. } = seen;
    // A name that is none would lead whoever believes it out of the directory.
    directory.entry(&entry.name)?;
    let listed = Listed {
        file_name: &entry.name,
        file_type: entry.kind.as_str(),
        link_path: entry.link_target.as_deref(),
        remote_directory: directory.as_str(),
        timestamp: entry.modified.map(|modified| modified.text(zone)),
        size: entry.size,
        timestamp_utc: entry.modified.and_then(|modified| modified.utc_text(zone)),
        timestamp_precision: entry.modified.map(|modified| modified.precision.as_str()),
    };
    serde_json::to_vec(&listed).map_err(|e| Error::internal(format!("the listing's document: {e}")))
}
