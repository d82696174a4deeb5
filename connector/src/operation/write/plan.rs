//! Where a document goes, under which names, and with which attributes.

use host_sdk::Properties;
use jiff::civil::DateTime;

use crate::config::{CreateSettings, FileExists};
use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::text::parse_text;
use crate::operation::execution::Execution;
use crate::operation::target::names_directory;

/// Where a document goes and how it gets there.
pub(in crate::operation) struct Plan {
    pub(in crate::operation) target: RemotePath,
    /// Where it lies until it is complete, if not beside its name.
    pub(in crate::operation) staging: Option<RemotePath>,
    /// What its name ends in until it is complete.
    pub(in crate::operation) extension: Option<String>,
    /// The time it gets, in UTC.
    pub(in crate::operation) modified: Option<DateTime>,
    /// The permission bits it gets, in octal digits.
    pub(in crate::operation) permissions: Option<String>,
}

/// Where the document goes and how it gets there.
pub(in crate::operation) fn plan(
    execution: &mut Execution,
    settings: &CreateSettings,
    properties: &Properties,
) -> Result<Plan, Failure> {
    let Some(name) = properties.get(property::FILE_NAME) else {
        return Err(Failure::new(Cause::Unsendable, "the document has no File Name")
            .with_hint("set the property \"fileName\", for example with a setProperties step"));
    };
    let directory = execution.directory(properties)?;
    let target = execution.session()?.login_directory().file(&directory, name)?;
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
        Some(text) if !appends => Some(execution.session()?.directory_of(&text)?),
        _ => None,
    };
    let extension = match pick(property::TEMPORARY_EXTENSION, &settings.temporary_extension) {
        Some(text) if !appends => Some(extension(&text)?),
        _ => None,
    };
    let modified = match properties.get(property::TIMESTAMP) {
        Some(text) if settings.preserve_timestamp => Some(time(execution, &target, text)?),
        _ => None,
    };
    let permissions = settings.permissions.clone();
    Ok(Plan { target, staging, extension, modified, permissions })
}

/// The time that a document's property tells, in UTC. A server whose zone is not configured is
/// asked for it by the files beside the new one.
fn time(execution: &mut Execution, target: &RemotePath, text: &str) -> Result<DateTime, Failure> {
    let at = parse_text(text).ok_or_else(|| {
        Failure::new(
            Cause::Unsendable,
            format!("the Timestamp \"{text}\" is not in the form yyyy-MM-dd HH:mm:ss.SSS"),
        )
    })?;
    let zone = execution.repeat(|session| session.measure_zone_near(target))?;
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

/// A name that no other upload has: beside the target, or in the staging directory.
pub(in crate::operation) fn temporary(plan: &Plan, extension: &str) -> Result<RemotePath, Failure> {
    let beside_target = plan.target.unique_sibling(extension)?;
    match &plan.staging {
        Some(staging) => Ok(staging.entry(beside_target.file_name())?),
        None => Ok(beside_target),
    }
}
