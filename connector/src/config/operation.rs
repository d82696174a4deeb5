//! The settings of an operation, as types.

use host_sdk::{Error, Filter, Settings};
use serde::Deserialize;
use serde_json::Value;

use super::filter::EntryFilter;
use super::selection::{SelectionSettings, selection};
use super::transfer::{Checksum, ReadingSettings, TransferFormat, checksum, reading};
use crate::descriptor::{self, CREATE, DELETE, GET, LIST, QUERY};
use crate::file::temporary_name::TemporaryName;

/// One configured operation.
#[derive(Debug)]
pub(crate) enum OperationSettings {
    /// Writes one file for each document.
    Create(CreateSettings),
    /// Reads every file that matches.
    Query(QuerySettings),
    /// Reads one file.
    Get(GetSettings),
    /// Lists a directory.
    List(ListSettings),
    /// Deletes one file.
    Delete(DeleteSettings),
}

/// What happens when the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FileExists {
    /// Another name is found.
    CreateUniqueName,
    /// The file is replaced.
    Overwrite,
    /// The document is added at the file's end.
    Append,
    /// The document is refused.
    GenerateError,
}

/// The name that an upload has until it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum UploadName {
    /// One that nobody looks for; the file is renamed then.
    Temporary,
    /// The one that the file is to have.
    Final,
}

/// Settings of Create.
#[derive(Debug)]
pub(crate) struct CreateSettings {
    pub(crate) format: TransferFormat,
    pub(crate) file_exists: FileExists,
    pub(crate) staging_directory: Option<String>,
    pub(crate) temporary_extension: Option<String>,
    pub(crate) upload_name: UploadName,
    pub(crate) temporary_name: Option<TemporaryName>,
    pub(crate) create_directories: bool,
    pub(crate) preserve_timestamp: bool,
    pub(crate) checksum: Checksum,
    /// Whether the server has to have as many bytes as were sent.
    pub(crate) verify: bool,
    /// Octal digits.
    pub(crate) permissions: Option<String>,
    pub(crate) all_metadata: bool,
    pub(crate) parallel_transfers: usize,
    pub(crate) return_application_errors: bool,
}

/// Settings of Query.
#[derive(Debug)]
pub(crate) struct QuerySettings {
    pub(crate) reading: ReadingSettings,
    pub(crate) selection: SelectionSettings,
    pub(crate) parallel_transfers: usize,
    pub(crate) return_application_errors: bool,
}

/// Settings of Get.
#[derive(Debug)]
pub(crate) struct GetSettings {
    pub(crate) reading: ReadingSettings,
    pub(crate) all_metadata: bool,
    pub(crate) parallel_transfers: usize,
    pub(crate) return_application_errors: bool,
}

/// Settings of List.
#[derive(Debug)]
pub(crate) struct ListSettings {
    pub(crate) selection: SelectionSettings,
    pub(crate) return_application_errors: bool,
}

/// Settings of Delete.
#[derive(Debug)]
pub(crate) struct DeleteSettings {
    pub(crate) parallel_transfers: usize,
    pub(crate) return_application_errors: bool,
}

impl OperationSettings {
    /// How many inputs are worked on at once. A query reads several files of one input instead.
    pub(crate) fn inputs_at_once(&self) -> usize {
        match self {
            Self::Create(settings) => settings.parallel_transfers,
            Self::Get(settings) => settings.parallel_transfers,
            Self::Delete(settings) => settings.parallel_transfers,
            Self::Query(_) | Self::List(_) => 1,
        }
    }

    /// Checks raw settings: `{"operation": …, "options": {…}, "filter": …}`.
    ///
    /// # Errors
    ///
    /// `configuration` with the path of the setting.
    pub(crate) fn parse(raw: &Value) -> Result<Self, Error> {
        let absent = Value::Null;
        let part = |key: &str| raw.get(key).unwrap_or(&absent);
        let id = part("operation").as_str().unwrap_or_default();
        let Some(declared) = descriptor::operation(id) else {
            let known = [CREATE, QUERY, GET, LIST, DELETE].into_iter();
            let expected = host_sdk::expected_one_of(id, known);
            return Err(Error::configuration(
                "operation",
                format!("unknown operation \"{id}\"; {expected}"),
            ));
        };
        let keys = raw.as_object().into_iter().flat_map(|object| object.keys());
        let known = ["operation", "options", "filter"];
        if let Some(key) = keys.into_iter().find(|key| !known.contains(&key.as_str())) {
            let expected = host_sdk::expected_one_of(key, known.into_iter());
            return Err(Error::configuration(key, format!("unknown field \"{key}\"; {expected}")));
        }
        let options =
            Settings::check(&declared.fields, part("options")).map_err(|e| e.under("options"))?;
        let filter = match &declared.filter {
            Some(offered) => {
                Filter::check(offered, part("filter")).map_err(|e| e.under("filter"))?
            }
            None if part("filter").is_null() => None,
            None => {
                return Err(Error::configuration("filter", format!("{id} has no filter")));
            }
        };
        let filter = EntryFilter::compile(filter).map_err(|e| e.under("filter"))?;
        Self::from_checked(id, &options, filter).map_err(|e| e.under("options"))
    }

    fn from_checked(id: &str, options: &Settings, filter: EntryFilter) -> Result<Self, Error> {
        let return_application_errors = options.is("returnApplicationErrors");
        Ok(match id {
            CREATE => Self::Create(CreateSettings {
                format: options.require("transferFormat")?,
                file_exists: options.require("actionIfFileExists")?,
                staging_directory: options.get("stagingDirectory")?,
                temporary_extension: options.get("temporaryExtension")?,
                upload_name: options.require("uploadName")?,
                temporary_name: temporary_name(options)?,
                create_directories: options.is("createDirectories"),
                preserve_timestamp: options.is("preserveTimestamp"),
                checksum: checksum(options)?,
                verify: options.is("verify"),
                permissions: permissions(options)?,
                all_metadata: options.is("includeAllMetadata"),
                parallel_transfers: uploads_at_once(options)?,
                return_application_errors,
            }),
            QUERY => Self::Query(QuerySettings {
                reading: reading(options)?,
                selection: selection(options, filter, "maximumFiles")?,
                parallel_transfers: options.require("parallelTransfers")?,
                return_application_errors,
            }),
            GET => Self::Get(GetSettings {
                reading: reading(options)?,
                all_metadata: options.is("includeAllMetadata"),
                parallel_transfers: options.require("parallelTransfers")?,
                return_application_errors,
            }),
            LIST => Self::List(ListSettings {
                selection: selection(options, filter, "maximumResults")?,
                return_application_errors,
            }),
            _ => Self::Delete(DeleteSettings {
                parallel_transfers: options.require("parallelTransfers")?,
                return_application_errors,
            }),
        })
    }
}

fn temporary_name(options: &Settings) -> Result<Option<TemporaryName>, Error> {
    let pattern = options.text("temporaryName").map(TemporaryName::parse).transpose();
    pattern.map_err(|reason| Error::configuration("temporaryName", reason))
}

fn uploads_at_once(options: &Settings) -> Result<usize, Error> {
    let uploads = options.require("parallelTransfers")?;
    if uploads > 1 && options.require::<FileExists>("actionIfFileExists")? == FileExists::Append {
        return Err(Error::configuration(
            "parallelTransfers",
            "documents are added to a file one after the other: leave it at 1",
        ));
    }
    Ok(uploads)
}

fn permissions(options: &Settings) -> Result<Option<String>, Error> {
    let Some(text) = options.text("permissions") else { return Ok(None) };
    let octal = text.chars().all(|digit| ('0'..='7').contains(&digit));
    if !octal || !matches!(text.len(), 3 | 4) {
        return Err(Error::configuration(
            "permissions",
            "expected three or four octal digits: 640",
        ));
    }
    Ok(Some(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::Removal;

    #[test]
    fn misfits_are_refused_where_they_are() {
        let cases = [
            (json!({}), "operation"),
            (json!({"operation": "qeury"}), "operation"),
            (json!({"operation": "query", "option": {}}), "option"),
            (json!({"operation": "query", "options": {"maximumFiles": 0}}), "options.maximumFiles"),
            (
                json!({"operation": "list", "options": {"maximumResults": 0}}),
                "options.maximumResults",
            ),
            (
                json!({"operation": "create", "options": {"parallelTransfers": 2,
                    "actionIfFileExists": "append"}}),
                "options.parallelTransfers",
            ),
            (json!({"operation": "list", "options": {"maximumFiles": 1}}), "options.maximumFiles"),
            (json!({"operation": "get", "filter": {"and": []}}), "filter"),
            (
                json!({"operation": "query", "filter": {"and": [
                    {"property": "timestamp", "operator": "lessThan", "value": "01.11.2026"}
                ]}}),
                "filter.and[0].value",
            ),
            (
                json!({"operation": "query", "filter":
                    {"property": "fileName", "operator": "regex", "value": "a("}}),
                "filter.value",
            ),
            (
                json!({"operation": "query", "filter":
                    {"property": "fileType", "operator": "equals", "value": "directory"}}),
                "filter.property",
            ),
        ];
        let create = |options: Value| json!({"operation": "create", "options": options});
        let contradictions = [
            (create(json!({"uploadName": "final", "stagingDirectory": "s"})), "options.uploadName"),
            (
                create(json!({"uploadName": "final", "temporaryExtension": "tmp"})),
                "options.uploadName",
            ),
            (
                create(json!({"uploadName": "final", "temporaryName": "{random}"})),
                "options.uploadName",
            ),
            (
                create(json!({"temporaryName": "{random}", "temporaryExtension": "tmp"})),
                "options.temporaryName",
            ),
            (create(json!({"temporaryName": "{name}.part"})), "options.temporaryName"),
        ];
        for (raw, path) in cases.into_iter().chain(contradictions) {
            let error = OperationSettings::parse(&raw).unwrap_err();
            assert_eq!(error.report().path.as_deref(), Some(path), "{raw}: {error}");
        }
    }

    #[test]
    fn minus_one_is_all() {
        let raw = json!({"operation": "query", "options": {"maximumFiles": -1}});
        let OperationSettings::Query(query) = OperationSettings::parse(&raw).unwrap() else {
            panic!("not a query");
        };
        assert_eq!(query.selection.maximum, None);
        assert_eq!(query.reading.after.removal, Removal::Keep);
        assert_eq!(query.selection.walk.depth, Some(0));
    }
}
