//! Where a document goes, under which names, and with which attributes.

use host_sdk::Properties;
use jiff::civil::DateTime;

use crate::config::{CreateSettings, FileExists, UploadName};
use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::temporary_name::TemporaryName;
use crate::file::time::text::parse_text;
use crate::operation::execution::Execution;
use crate::operation::target::names_directory;

/// Where a document goes and how it gets there.
pub(in crate::operation) struct Plan {
    pub(in crate::operation) target: RemotePath,
    /// Where it lies until it is complete, if not beside its name.
    pub(in crate::operation) staging: Option<RemotePath>,
    /// The name that it has until it is complete.
    pub(in crate::operation) naming: Naming,
    /// The time it gets, in UTC.
    pub(in crate::operation) modified: Option<DateTime>,
    /// The permission bits it gets, in octal digits.
    pub(in crate::operation) permissions: Option<String>,
}

/// The name that an upload has until it is complete.
pub(in crate::operation) enum Naming {
    /// The one that the file is to have.
    Final,
    /// One that ends in this extension.
    Extension(String),
    /// One that follows a pattern.
    Pattern(TemporaryName),
}

/// The extension of uploads for which none is set.
const USUAL_EXTENSION: &str = "part";

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
    let own_extension = properties.get(property::TEMPORARY_EXTENSION);
    let extension = own_extension.or(settings.temporary_extension.as_deref());
    let naming = match (settings.upload_name, &settings.temporary_name, own_extension) {
        (UploadName::Final, _, None) if staging.is_none() => Naming::Final,
        (UploadName::Final, _, _) if !appends => {
            return Err(Failure::new(
                Cause::Unsendable,
                "the document asks for another name or place until it is complete, and uploadName \
                 is final",
            )
            .with_hint("leave stagingDirectory and temporaryExtension out of its properties"));
        }
        (UploadName::Temporary, Some(pattern), None) => Naming::Pattern(pattern.clone()),
        _ => Naming::Extension(match extension {
            Some(text) if !appends => self::extension(text)?,
            _ => USUAL_EXTENSION.to_owned(),
        }),
    };
    let modified = match properties.get(property::TIMESTAMP) {
        Some(text) if settings.preserve_timestamp => Some(time(execution, &target, text)?),
        _ => None,
    };
    let permissions = settings.permissions.clone();
    Ok(Plan { target, staging, naming, modified, permissions })
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

impl Plan {
    /// A path that no other upload has, beside the target or in the staging directory; `None` for an
    /// upload under its final name.
    ///
    /// # Errors
    ///
    /// As [`RemotePath::entry`].
    pub(in crate::operation) fn temporary(&self) -> Result<Option<RemotePath>, Failure> {
        let name = self.target.file_name();
        let name = match &self.naming {
            Naming::Final => return Ok(None),
            Naming::Extension(extension) => TemporaryName::with_extension(extension).make(name),
            Naming::Pattern(pattern) => pattern.make(name),
        };
        let directory = self.staging.clone().unwrap_or_else(|| self.target.parent());
        Ok(Some(directory.entry(&name)?))
    }
}
