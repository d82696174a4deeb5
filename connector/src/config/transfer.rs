//! How the contents of files travel, and what becomes of files that were read.

use host_sdk::{Error, Settings};
use serde::Deserialize;

use crate::file::checksum::Algorithm;
use crate::file::path::RemotePath;

/// How file contents travel (RFC 959 §3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TransferFormat {
    /// As they are.
    Binary,
    /// As text, with line ends converted.
    Ascii,
}

/// What becomes of a file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Removal {
    /// It stays.
    Keep,
    /// It is deleted.
    Delete,
    /// It is moved to this directory, which counts from the file's own.
    Move(String),
}

/// What happens once a document is durable.
#[derive(Debug)]
pub(crate) struct AfterReading {
    pub(crate) removal: Removal,
    /// Whether a failure is an error; otherwise it is a warning.
    pub(crate) must_succeed: bool,
}

/// What is compared with checksums of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Nothing.
    None,
    /// Binary transfers, where the server computes any.
    Auto,
    /// Every transfer, with this algorithm.
    Only(Algorithm),
}

/// How files are read.
#[derive(Debug)]
pub(crate) struct ReadingSettings {
    pub(crate) format: TransferFormat,
    pub(crate) checksum: Checksum,
    /// Whether the size that the server states has to have arrived.
    pub(crate) verify: bool,
    pub(crate) after: AfterReading,
}

pub(super) fn reading(options: &Settings) -> Result<ReadingSettings, Error> {
    Ok(ReadingSettings {
        format: options.require("transferFormat")?,
        checksum: checksum(options)?,
        verify: options.is("verify"),
        after: after_reading(options)?,
    })
}

pub(super) fn checksum(options: &Settings) -> Result<Checksum, Error> {
    let is_text = options.require::<TransferFormat>("transferFormat")? == TransferFormat::Ascii;
    match options.text("checksum") {
        Some("auto") if is_text => Ok(Checksum::None),
        Some("auto") => Ok(Checksum::Auto),
        Some("none") | None => Ok(Checksum::None),
        Some(_) if is_text => Err(Error::configuration(
            "checksum",
            "text is converted on its way, so that its checksums differ: \
             set \"transferFormat\" to \"binary\"",
        )),
        Some(_) => Ok(Checksum::Only(options.require("checksum")?)),
    }
}

fn after_reading(options: &Settings) -> Result<AfterReading, Error> {
    let directory: Option<String> = options.get("moveAfterReading")?;
    if let Some(directory) = &directory {
        RemotePath::root()
            .join(directory)
            .map_err(|e| Error::configuration("moveAfterReading", e.message().to_owned()))?;
    }
    let removal = match (options.is("deleteAfterReading"), directory) {
        (false, None) => Removal::Keep,
        (true, None) => Removal::Delete,
        (false, Some(directory)) => Removal::Move(directory),
        (true, Some(_)) => {
            return Err(Error::configuration(
                "moveAfterReading",
                "a file is either moved or deleted after reading: leave one of them out",
            ));
        }
    };
    Ok(AfterReading { removal, must_succeed: options.is("failIfUnableToDelete") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::OperationSettings;

    #[test]
    fn checksums_are_for_bytes_as_they_are() {
        let parse = |options| {
            OperationSettings::parse(&json!({"operation": "get", "options": options})).map(
                |parsed| match parsed {
                    OperationSettings::Get(get) => get.reading.checksum,
                    other => panic!("not a get: {other:?}"),
                },
            )
        };
        assert_eq!(parse(json!({})), Ok(Checksum::None));
        assert_eq!(parse(json!({"checksum": "auto"})), Ok(Checksum::Auto));
        assert_eq!(parse(json!({"checksum": "crc32"})), Ok(Checksum::Only(Algorithm::Crc32)));
        let text = parse(json!({"checksum": "auto", "transferFormat": "ascii"}));
        assert_eq!(text, Ok(Checksum::None));
        let error = parse(json!({"checksum": "md5", "transferFormat": "ascii"})).unwrap_err();
        assert_eq!(error.report().path.as_deref(), Some("options.checksum"));
    }
}
