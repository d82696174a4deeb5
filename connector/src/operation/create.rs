//! Create: one file for each document.

use host_sdk::{Error, ErrorKind, InputDocument, Outcome, Properties};
use jiff::civil::DateTime;
use serde::Serialize;

use super::Run;
use super::publish::{Plan, publish};
use crate::config::{CreateSettings, FileExists};
use crate::descriptor::property;
use crate::remote_path::RemotePath;
use crate::timestamp;

/// The document that tells what was created.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created<'a> {
    file_name: &'a str,
    remote_directory: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
}

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &CreateSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let plan = plan(run, settings, &input.header().properties)?;
    let path = publish(run, settings, &plan, input)?;
    let session = run.session()?;
    let timestamp = if settings.all_metadata { session.modified(&path)? } else { None };
    let zone = session.settings().zone.clone();
    let directory = path.parent();
    let created = Created {
        file_name: path.file_name(),
        remote_directory: directory.as_str(),
        timestamp: timestamp.map(|modified| modified.text(&zone)),
    };
    let body = serde_json::to_vec(&created)
        .map_err(|e| Error::internal(format!("the document of what was created: {e}")))?;
    let mut sink = run.context.begin_result(input.id(), &Properties::new())?;
    sink.write(&body)?;
    sink.finish(&Outcome::Success, &Properties::new())?;
    run.meter.delivered(1);
    Ok(())
}

/// Where the document goes and how it gets there.
fn plan(run: &mut Run, settings: &CreateSettings, properties: &Properties) -> Result<Plan, Error> {
    let Some(name) = properties.get(property::FILE_NAME) else {
        return Err(Error::new(ErrorKind::Document, "the document has no File Name")
            .with_hint("set the property \"fileName\", for example with a setProperties step"));
    };
    let directory = run.directory(properties)?;
    let target = directory.join(name)?;
    if name.ends_with('/') || name.ends_with("/.") || name.ends_with("/..") || target.is_root() {
        return Err(Error::new(
            ErrorKind::Document,
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
        Some(text) if settings.preserve_timestamp => Some(time(run, text)?),
        _ => None,
    };
    let permissions = settings.permissions.clone();
    Ok(Plan { target, staging, extension, modified, permissions })
}

/// The time that a document's property tells, in UTC.
fn time(run: &mut Run, text: &str) -> Result<DateTime, Error> {
    let at = timestamp::parse_text(text).ok_or_else(|| {
        Error::new(
            ErrorKind::Document,
            format!("the Timestamp \"{text}\" is not in the form yyyy-MM-dd HH:mm:ss.SSS"),
        )
    })?;
    Ok(run.session()?.settings().zone.to_utc(at))
}

/// `.tmp` and `tmp` mean the same.
fn extension(text: &str) -> Result<String, Error> {
    let bare = text.trim().trim_start_matches('.');
    if bare.is_empty() || RemotePath::root().entry(bare).is_err() {
        return Err(Error::new(
            ErrorKind::Document,
            "the Temporary Extension is no part of a file name",
        ));
    }
    Ok(bare.to_owned())
}
