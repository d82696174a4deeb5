//! The file to read, and whether it is still the version that was read: only that one is removed.

use host_sdk::Properties;

use crate::descriptor::property;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Perm};
use crate::operation::execution::Execution;

/// A file to read.
#[derive(Clone)]
pub(in crate::operation) struct RemoteFile {
    pub(in crate::operation) path: RemotePath,
    /// What the listing or SIZE said.
    pub(in crate::operation) size: Option<u64>,
    /// The time that MLSD told, to be compared with what MLST tells later.
    pub(in crate::operation) listed: Option<Modified>,
    /// The time that MDTM told.
    pub(in crate::operation) stated: Option<Modified>,
    /// What the user may do with it, where MLSD told.
    pub(in crate::operation) perm: Option<Perm>,
    pub(in crate::operation) properties: Properties,
}

impl RemoteFile {
    /// A file whose document tells its name, its directory and, as far as it is to be told, when
    /// it was modified.
    pub(in crate::operation) fn new(
        path: RemotePath,
        size: Option<u64>,
        modified: Option<Modified>,
        zone: &ServerTimeZone,
    ) -> Self {
        let mut properties = Properties::new()
            .with(property::FILE_NAME, path.file_name())
            .with(property::REMOTE_DIRECTORY, path.parent().as_str());
        // The time of its last use says nothing about what the file holds.
        if let Some(modified) = modified.filter(|modified| !modified.is_reference) {
            properties.insert(property::TIMESTAMP, modified.text(zone));
            properties.insert(property::TIMESTAMP_PRECISION, modified.precision.as_str());
            if let Some(utc) = modified.utc_text(zone) {
                properties.insert(property::TIMESTAMP_UTC, utc);
            }
        }
        Self { path, size, listed: None, stated: None, perm: None, properties }
    }

    /// The file that a listing shows as `entry`. A time that is told to the minute is asked for once
    /// more (MDTM): a file that was written again within that minute is another one.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(in crate::operation) fn of_entry(
        execution: &mut Execution,
        path: RemotePath,
        entry: &Entry,
        zone: &ServerTimeZone,
    ) -> Result<Self, Failure> {
        let is_exact = |told: Modified| told.precision >= Precision::Second && !told.is_reference;
        let stated = match entry.modified.is_some_and(is_exact) {
            true => None,
            false => execution.stated_time(&path)?,
        };
        let modified = match (entry.modified, stated) {
            (Some(listed), Some(exact)) => Some(listed.refined(&exact, zone)),
            (listed, exact) => listed.or(exact),
        };
        let file = Self { stated, ..Self::new(path, entry.size, modified, zone) };
        Ok(file.listed(entry))
    }

    /// The same file, of which MLSD told `entry`.
    fn listed(self, entry: &Entry) -> Self {
        let is_exact =
            |told: &Modified| told.zone == Zone::Utc && told.precision >= Precision::Second;
        Self { listed: entry.modified.filter(is_exact), perm: entry.perm, ..self }
    }
}

/// When a file that is to be removed was last modified before it was read.
#[derive(Clone, Copy)]
pub(in crate::operation) struct FileVersion {
    modified: Option<Modified>,
    /// Whether that is a fact of MLSD's, which MLST tells together with the size.
    by_facts: bool,
}

impl FileVersion {
    /// Asks for the time of `file`, unless its listing told.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(in crate::operation) fn read(
        execution: &mut Execution,
        file: &RemoteFile,
    ) -> Result<Self, Failure> {
        if file.listed.is_some() && execution.session()?.features().mlst {
            return Ok(Self { modified: file.listed, by_facts: true });
        }
        let modified = match file.stated {
            None => execution.repeat(|session| session.modified(&file.path))?,
            stated => stated,
        };
        Ok(Self { modified, by_facts: false })
    }

    /// Whether the file is another one than the one of `size` that was read.
    ///
    /// # Errors
    ///
    /// `notFound` when it is gone; what a command can fail with.
    pub(in crate::operation) fn has_changed(
        &self,
        execution: &mut Execution,
        path: &RemotePath,
        size: Option<u64>,
    ) -> Result<bool, Failure> {
        let (size_now, modified_now) = execution.repeat(|session| {
            if self.by_facts
                && let Some(entry) = session.facts(path)?
            {
                let size = match entry.size {
                    None => session.size_or_missing(path)?,
                    told => told,
                };
                return Ok((size, entry.modified));
            }
            let size = session.size_or_missing(path)?;
            // A time told by MDTM says nothing about one that MLSD told.
            let modified = if self.by_facts { None } else { session.modified(path)? };
            Ok((size, modified))
        })?;
        Ok(size.zip(size_now).is_some_and(|(then, now)| then != now)
            || self.modified.zip(modified_now).is_some_and(|(then, now)| !then.agrees(&now)))
    }
}
