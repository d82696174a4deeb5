//! Create: one file for each document.

use host_sdk::{InputDocument, Outcome, Properties};
use jiff::civil::DateTime;
use serde::Serialize;

use super::names_directory;
use super::publish::{Plan, publish};
use super::run::Run;
use crate::config::{CreateSettings, FileExists};
use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::file::time::text::parse_text;
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
    run: &mut Run,
    settings: &CreateSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Failure> {
    let plan = plan(run, settings, &input.header().properties)?;
    if settings.file_exists == FileExists::Overwrite {
        run.namesakes.note(&plan.target);
    }
    let path = publish(run, settings, &plan, input)?;
    let told = if settings.all_metadata { time_of(run, &path) } else { None };
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
    let mut sink = run.context.begin_result(input.id(), &Properties::new())?;
    sink.write(&body)?;
    sink.finish(&Outcome::Success, &Properties::new())?;
    run.meter.delivered(1);
    Ok(())
}

/// The time of what was created. The file is there whatever becomes of this question.
fn time_of(run: &mut Run, path: &RemotePath) -> Option<(Modified, ServerTimeZone)> {
    let told = run.repeat(|session| {
        let modified = session.modified_and_zone(path)?;
        Ok(modified.map(|modified| (modified, session.zone().clone())))
    });
    told.unwrap_or_else(|e| {
        log::warn!("{path} was created, but its time is not known: {e}");
        None
    })
}

/// Where the document goes and how it gets there.
fn plan(
    run: &mut Run,
    settings: &CreateSettings,
    properties: &Properties,
) -> Result<Plan, Failure> {
    let Some(name) = properties.get(property::FILE_NAME) else {
        return Err(Failure::new(Cause::Unsendable, "the document has no File Name")
            .with_hint("set the property \"fileName\", for example with a setProperties step"));
    };
    let directory = run.directory(properties)?;
    let target = directory.join(name)?;
    if names_directory(name) || target.is_top() {
        return Err(Failure::new(
            Cause::Unsendable,
            format!("the File Name {target} names a directory"),
        ));
    }
    let pick = |id: &str, configured: &Option<String>| {
        properties.get(id).map(str::to_owned).or_else(|| configured.clone())
    };
    let appends = settings.file_exists == FileExists::Append;
    let staging = match pick(property::STAGING_DIRECTORY, &settings.staging_directory) {
        Some(text) if !appends => Some(run.session()?.login_directory().join(&text)?),
        _ => None,
    };
    let extension = match pick(property::TEMPORARY_EXTENSION, &settings.temporary_extension) {
        Some(text) if !appends => Some(extension(&text)?),
        _ => None,
    };
    let modified = match properties.get(property::TIMESTAMP) {
        Some(text) if settings.preserve_timestamp => Some(time(run, &target, text)?),
        _ => None,
    };
    let permissions = settings.permissions.clone();
    Ok(Plan { target, staging, extension, modified, permissions })
}

/// The time that a document's property tells, in UTC. A server whose zone is not configured is
/// asked for it by the files beside the new one.
fn time(run: &mut Run, target: &RemotePath, text: &str) -> Result<DateTime, Failure> {
    let at = parse_text(text).ok_or_else(|| {
        Failure::new(
            Cause::Unsendable,
            format!("the Timestamp \"{text}\" is not in the form yyyy-MM-dd HH:mm:ss.SSS"),
        )
    })?;
    let zone = run.repeat(|session| session.zone_beside(target))?;
    Ok(zone.to_utc(at))
}

/// `.tmp` and `tmp` mean the same.
fn extension(text: &str) -> Result<String, Failure> {
    let bare = text.trim().trim_start_matches('.');
    if bare.is_empty() || RemotePath::root().entry(bare).is_err() {
        return Err(Failure::new(
            Cause::Unsendable,
            "the Temporary Extension is no part of a file name",
        ));
    }
    Ok(bare.to_owned())
}
