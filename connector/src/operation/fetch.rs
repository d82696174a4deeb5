//! Reading one file, through interruptions, and taking it out of the way once the host has it.

use host_sdk::{Error, ErrorKind, Outcome, Properties, ResultSink};

use super::claim::rename_to_free;
use super::compare::Comparison;
use super::part::Part;
use super::run::{Run, refuses_restart};
use super::watch::{Watch, rewritten};
use crate::config::{ReadingSettings, Removal, TransferFormat};
use crate::descriptor::property;
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, Precision, Zone};
use crate::file::time::zone::ServerTimeZone;
use crate::listing::{Entry, Perm};
use crate::session::{Presence, missing};

/// A file to read.
#[derive(Clone)]
pub(super) struct RemoteFile {
    pub(super) path: RemotePath,
    /// What the listing or SIZE said.
    pub(super) size: Option<u64>,
    /// The time that MLSD told, to be compared with what MLST tells later.
    pub(super) listed: Option<Modified>,
    /// The time that MDTM told.
    pub(super) stated: Option<Modified>,
    /// What the user may do with it, where MLSD told.
    pub(super) perm: Option<Perm>,
    pub(super) properties: Properties,
}

impl RemoteFile {
    /// A file whose document tells its name, its directory and, as far as it is to be told, when
    /// it was modified.
    pub(super) fn new(
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
    pub(super) fn of_entry(
        run: &mut Run,
        path: RemotePath,
        entry: &Entry,
        zone: &ServerTimeZone,
    ) -> Result<Self, Error> {
        let is_exact = |told: Modified| told.precision >= Precision::Second && !told.is_reference;
        let stated = match entry.modified.is_some_and(is_exact) {
            true => None,
            false => run.stated_time(&path)?,
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

/// Reads `file` into a result of `input` and, once the host has acknowledged it, removes it from
/// the server if asked to.
///
/// # Errors
///
/// Those of the server, of the network after the retries that are configured, `integrity` when
/// the bytes cannot be proven, and `host` when the host did not take them.
pub(super) fn deliver(
    run: &mut Run,
    input: u64,
    file: &RemoteFile,
    settings: &ReadingSettings,
) -> Result<(), Error> {
    let after = &settings.after;
    if after.must_succeed && after.removal != Removal::Keep {
        check_removable(run, file, &after.removal)?;
        if let Removal::Move(directory) = &after.removal {
            let directory = file.path.parent().join(directory)?;
            run.repeat(|session| session.make_directories(&directory))?;
        }
    }
    let watch = match after.removal {
        Removal::Keep => None,
        _ => Some(Watch::begin(run, file)?),
    };
    let (mut sink, size) = receive(run, input, file, settings)?;
    sink.finish(&Outcome::Success, &Properties::new())?;
    drop(sink);
    run.meter.delivered(1);
    let Some(watch) = watch else { return Ok(()) };
    match remove(run, &file.path, size.or(file.size), watch, &after.removal) {
        Ok(()) => Ok(()),
        // Nothing else can be told, or done, by an execution that ends.
        Err(e) if run.cancel.is_cancelled() => Err(e),
        // A server may say so of a file that it lists.
        Err(e) if e.kind() == ErrorKind::NotFound && is_listed(run, &file.path) => {
            report_unremoved(run, input, file, e)
        }
        Err(e) if is_settled(&e, after.must_succeed) => {
            log::warn!("{} was read and is not removed: {e}", file.path);
            Ok(())
        }
        Err(e) => report_unremoved(run, input, file, e),
    }
}

/// Whether nothing is left to remove: somebody else took the file, or has written to it since, so
/// that the next query reads it as another one.
fn is_settled(error: &Error, must_succeed: bool) -> bool {
    error.kind() == ErrorKind::NotFound || (error.kind() == ErrorKind::Integrity && !must_succeed)
}

/// Refuses a file that the server says (the fact `perm`) cannot be taken out of the way. Nothing is
/// tried: a partner's file is not renamed for a test.
fn check_removable(run: &mut Run, file: &RemoteFile, removal: &Removal) -> Result<(), Error> {
    let perm = match file.perm {
        None if run.session()?.features().mlst => {
            run.repeat(|session| session.facts(&file.path))?.and_then(|entry| entry.perm)
        }
        told => told,
    };
    let denied = perm.filter(|perm| match removal {
        Removal::Keep => false,
        Removal::Delete => perm.denies_deleting(),
        Removal::Move(_) => perm.denies_renaming(),
    });
    let Some(perm) = denied else { return Ok(()) };
    let message = format!("{} may not be deleted or moved: the server says perm={perm}", file.path);
    Err(Error::new(ErrorKind::Permission, message).with_path(file.path.to_string()).with_hint(
        "ask for the right to delete, or set failIfUnableToDelete to false if the server is wrong",
    ))
}

/// Reports a file that was read and is still there, beside its document, which the host has
/// acknowledged. It is a failure also where refusals are documents: an empty document of the same
/// name would replace the one that was read.
fn report_unremoved(run: &Run, input: u64, file: &RemoteFile, error: Error) -> Result<(), Error> {
    log::warn!("{} was read but stays where it is: {error}", file.path);
    let mut sink = run.context.begin_result(input, &file.properties)?;
    let error = error.with_hint("the document was delivered; the file is read again next time");
    sink.finish(&Outcome::Failure(error), &Properties::new())
}

/// Takes a file that was read out of the way, unless it is another one by now: `size` is that of
/// what was read.
fn remove(
    run: &mut Run,
    path: &RemotePath,
    size: Option<u64>,
    watch: Watch,
    removal: &Removal,
) -> Result<(), Error> {
    let is_same = &mut |run: &mut Run| watch.sees_change(run, path, size).map(|changed| !changed);
    if !is_same(run)? {
        return Err(rewritten(path));
    }
    match removal {
        Removal::Keep => Ok(()),
        Removal::Delete => run.delete(path, is_same),
        Removal::Move(directory) => {
            let directory = path.parent().join(directory)?;
            run.repeat(|session| session.make_directories(&directory))?;
            let target = directory.entry(path.file_name())?;
            rename_to_free(run, path, &target, size.map(|size| size..=size), is_same).map(drop)
        }
    }
}

/// Reads the whole file into a sink that is not finished yet; with its size, where text was not
/// converted on the way.
fn receive(
    run: &mut Run,
    input: u64,
    file: &RemoteFile,
    settings: &ReadingSettings,
) -> Result<(Box<dyn ResultSink>, Option<u64>), Error> {
    let limit = run.session()?.transfer_limit();
    let mut backoff = run.backoff()?;
    let comparison = Comparison::new(run.session()?, settings.checksum)?;
    let meter = run.meter.clone();
    let mut part = Part::new(settings.format, file.size, comparison, limit, meter);
    loop {
        let result = part.attempt(run, input, file);
        backoff.progressed_to(part.received);
        let error = match result {
            Ok(()) => match part.sink.take() {
                Some(sink) => {
                    let is_exact = settings.format == TransferFormat::Binary;
                    return Ok((sink, is_exact.then_some(part.received)));
                }
                None => return Err(Error::internal("a file was read without a sink")),
            },
            // No attempt of its own: nothing was interrupted.
            Err(e) if part.restartable && refuses_restart(&e) => {
                part.restartable = false;
                continue;
            }
            // What was refused may be missing or out of reach: only a proof of the one counts.
            Err(e) if is_denied(&e) && is_absent(run, &file.path)? => {
                let error = missing(e);
                part.end(&error);
                return Err(error);
            }
            // Some servers agree to REST and refuse the RETR behind it.
            Err(e) if part.restartable && part.received > 0 && is_final_refusal(&e) => {
                log::info!("{} is read from its beginning: {e}", file.path);
                part.restartable = false;
                continue;
            }
            Err(e) => e.with_path(file.path.to_string()),
        };
        run.wait(&mut backoff, error).inspect_err(|e| part.end(e))?;
    }
}

/// Whether the server refused to read, and will again.
fn is_final_refusal(error: &Error) -> bool {
    let report = error.report();
    report.reply.is_some() && report.command.as_deref() == Some("RETR") && !report.retryable
}

/// Whether the server denied the file itself.
fn is_denied(error: &Error) -> bool {
    error.kind() == ErrorKind::Permission && error.report().reply.is_some()
}

/// Whether a file that is said to be missing is listed all the same.
fn is_listed(run: &mut Run, path: &RemotePath) -> bool {
    matches!(run.repeat(|session| session.is_listed(path)), Ok(Presence::Present))
}

/// Whether nothing of this name is there, and that is proven.
fn is_absent(run: &mut Run, path: &RemotePath) -> Result<bool, Error> {
    Ok(matches!(run.repeat(|session| session.presence(path))?, Presence::Absent))
}
