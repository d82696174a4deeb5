//! The file to read, and whether it is still the version that was read: only that one is removed.

use host_sdk::Properties;

use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Perm};
use crate::operation::execution::Execution;
use crate::session::{Presence, Session};

/// A file to read.
#[derive(Clone)]
pub(in crate::operation) struct RemoteFile {
    pub(in crate::operation) path: RemotePath,
    /// What the listing or SIZE states.
    pub(in crate::operation) size: Option<u64>,
    /// The time that MLSD told, to be compared with what MLST tells later.
    pub(in crate::operation) listed: Option<Modified>,
    /// The time that MDTM told.
    pub(in crate::operation) stated: Option<Modified>,
    /// Whether SIZE was answered for it.
    pub(in crate::operation) has_size_answer: bool,
    /// Whether a listing has shown it.
    pub(in crate::operation) is_listed: bool,
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
        Self {
            path,
            size,
            listed: None,
            stated: None,
            has_size_answer: false,
            is_listed: false,
            perm: None,
            properties,
        }
    }

    /// Whether the time of `entry` is asked for.
    pub(in crate::operation) fn is_time_asked(entry: &Entry) -> bool {
        let is_exact = |told: Modified| told.precision >= Precision::Second && !told.is_reference;
        !entry.modified.is_some_and(is_exact)
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
        let stated = match Self::is_time_asked(entry) {
            true => execution.stated_time(&path)?,
            false => None,
        };
        let modified = match (entry.modified, stated) {
            (Some(listed), Some(exact)) => Some(listed.refined(&exact, zone)),
            (listed, exact) => listed.or(exact),
        };
        let file = Self { stated, is_listed: true, ..Self::new(path, entry.size, modified, zone) };
        Ok(file.listed(entry))
    }

    /// The same file, of which MLSD told `entry`.
    fn listed(self, entry: &Entry) -> Self {
        let is_exact =
            |told: &Modified| told.zone == Zone::Utc && told.precision >= Precision::Second;
        Self { listed: entry.modified.filter(is_exact), perm: entry.perm, ..self }
    }
}

/// The version of a file that is to be removed, as it was stated before the file was read.
#[derive(Clone, Copy)]
pub(in crate::operation) struct FileVersion {
    modified: Option<Modified>,
    /// Whether that is a fact of MLSD's, which MLST tells together with the size.
    by_facts: bool,
    /// Whether SIZE was answered.
    has_size_answer: bool,
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
        let has_size_answer = file.has_size_answer;
        if file.listed.is_some() && execution.session()?.features().mlst {
            return Ok(Self { modified: file.listed, by_facts: true, has_size_answer });
        }
        let modified = match file.stated {
            None => execution.repeat(|session| session.modified(&file.path))?,
            stated => stated,
        };
        Ok(Self { modified, by_facts: false, has_size_answer })
    }

    /// Whether the file is another one than the one of `size` that was read. What was answered
    /// before the file was read has to be answered again: a time that is not stated any more, or a
    /// SIZE that is refused now, leaves the question open. Where SIZE was never answered, the time
    /// decides alone.
    ///
    /// # Errors
    ///
    /// `notFound` when the file is gone; `permission` when the question stays open; what a command
    /// can fail with.
    pub(in crate::operation) fn has_changed(
        &self,
        execution: &mut Execution,
        path: &RemotePath,
        size: Option<u64>,
    ) -> Result<bool, Failure> {
        execution.repeat(|session| {
            let (size_now, modified_now) = self.look(session, path, size)?;
            if size.zip(size_now).is_some_and(|(then, now)| then != now) {
                return Ok(true);
            }
            if let Some((then, now)) = self.modified.zip(modified_now)
                && !then.agrees(&now)
            {
                return Ok(true);
            }
            let lacks_time = self.modified.is_some() && modified_now.is_none();
            let lacks_size = self.has_size_answer && size_now.is_none();
            if !lacks_time && !lacks_size {
                return Ok(false);
            }
            match session.is_listed(path)? {
                Presence::Absent => Err(gone(path)),
                Presence::Present | Presence::Unknown(_) => Err(open_question(path, lacks_time)),
            }
        })
    }

    /// The size and the time of the file by now, from where the time was stated before.
    fn look(
        &self,
        session: &mut Session,
        path: &RemotePath,
        read: Option<u64>,
    ) -> Result<(Option<u64>, Option<Modified>), Failure> {
        if !self.by_facts {
            return Ok((session.size(path)?, session.modified(path)?));
        }
        let (stated, modified) =
            session.facts(path)?.map_or((None, None), |entry| (entry.size, entry.modified));
        let size = match stated {
            None => session.size(path)?,
            stated => stated,
        };
        // A time told by MDTM says nothing about one that MLSD told.
        if modified.is_some() || size.zip(read).is_some_and(|(now, read)| now != read) {
            return Ok((size, modified));
        }
        // Some servers have MLSD and no MLST.
        match session.listed_entry(path) {
            Ok(Some(entry)) => Ok((size.or(entry.size), entry.modified)),
            Ok(None) => Err(gone(path)),
            Err(e) if e.is_answer() && session.is_usable() => Ok((size, None)),
            Err(e) => Err(e),
        }
    }
}

fn gone(path: &RemotePath) -> Failure {
    Failure::new(Cause::Missing, format!("{path} does not exist any more")).with_path(path)
}

/// The error about a file of which the server does not state any more what it stated before.
fn open_question(path: &RemotePath, lacks_time: bool) -> Failure {
    let lacking = if lacks_time { "its time" } else { "its size" };
    Failure::new(
        Cause::Denied,
        format!(
            "whether {path} was written to after it had been read cannot be found out: the server \
             does not state {lacking} any more"
        ),
    )
    .with_path(path)
}
