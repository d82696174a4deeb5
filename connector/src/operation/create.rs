//! Create: one file for each document.

use host_sdk::{InputDocument, Outcome, Properties};
use serde::Serialize;

use super::execution::Execution;
use super::write::plan::plan;
use super::write::publish::publish;
use crate::config::{CreateSettings, FileExists};
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::file::time::zone::ServerTimeZone;

/// The document that tells what was created.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    file_name: &'a str,
    remote_directory: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_utc: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp_precision: Option<&'static str>,
}

/// Answers one input.
pub(super) fn answer(
    execution: &mut Execution,
    settings: &CreateSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Failure> {
    let plan = plan(execution, settings, &input.header().properties)?;
    if settings.file_exists == FileExists::Overwrite {
        execution.namesakes.note(&plan.target);
    }
    let path = publish(execution, settings, &plan, input)?;
    let told = if settings.all_metadata { time_of(execution, &path) } else { None };
    let directory = path.parent();
    let created = Created {
        file_name: path.file_name(),
        remote_directory: directory.as_str(),
        timestamp: told.as_ref().map(|(modified, zone)| modified.text(zone)),
        timestamp_utc: told.as_ref().and_then(|(modified, zone)| modified.utc_text(zone)),
        timestamp_precision: told.as_ref().map(|(modified, _)| modified.precision.as_str()),
    };
    let body = serde_json::to_vec(&created)
        .map_err(|e| Failure::internal(format!("the document of what was created: {e}")))?;
    let mut sink =
        execution.context.begin_result(input.id(), &Properties::new()).map_err(Failure::of_host)?;
    sink.write(&body).map_err(Failure::of_host)?;
    sink.finish(&Outcome::Success, &Properties::new()).map_err(Failure::of_host)?;
    execution.progress.delivered(1);
    Ok(())
}

/// The time of what was created. The file is there whatever becomes of this question.
fn time_of(execution: &mut Execution, path: &RemotePath) -> Option<(Modified, ServerTimeZone)> {
    let told = execution.repeat(|session| {
        let modified = session.modified_and_zone(path)?;
        Ok(modified.map(|modified| (modified, session.zone().clone())))
    });
    told.unwrap_or_else(|e| {
        log::warn!("{path} was created, but its time is not known: {e}");
        None
    })
}
