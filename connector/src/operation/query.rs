//! Query: every file of a directory that the filter selects.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use host_sdk::{Error, ErrorKind, ExecutionScope, InputDocument, Outcome, Properties};
use jiff::Timestamp;

use super::fetch::{RemoteFile, deliver};
use super::is_refusal;
use super::run::Run;
use super::walk::walk;
use crate::config::{QuerySettings, Removal, SortBy};
use crate::descriptor::property;
use crate::remote_path::RemotePath;
use crate::session::Session;
use crate::session::listing::Kind;
use crate::timestamp::{Modified, ServerTimeZone};

/// A file that the filter selected, with what it is sorted by.
struct Selected {
    file: RemoteFile,
    modified: Option<Modified>,
}

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &QuerySettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let directory = run.directory(&input.header().properties)?;
    let files = select(run, settings, &directory)?;
    let sizes = files.iter().filter_map(|file| file.size);
    run.meter.expect(sizes.fold(0, u64::saturating_add));
    let transfers = settings.parallel_transfers.min(files.len());
    let queue = Queue {
        files,
        next: AtomicUsize::new(0),
        failure: Mutex::default(),
        untaken: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 1..transfers {
            let Some(mut sibling) = run.sibling() else { break };
            let (queue, id) = (&queue, input.id());
            scope.spawn(move || {
                let _records = ExecutionScope::enter(sibling.context.execution_id());
                queue.work(&mut sibling, settings, id);
            });
        }
        queue.work(run, settings, input.id());
        // Whoever comes after may be waiting for a session while the siblings go on.
        run.release();
    });
    queue.result()
}

/// The files of one query, shared by the threads that read them.
struct Queue {
    files: Vec<RemoteFile>,
    next: AtomicUsize,
    /// What ended the query before its last file.
    failure: Mutex<Option<Error>>,
    /// The first document that the host did not take.
    untaken: Mutex<Option<Error>>,
}

impl Queue {
    /// Reads files until there are none left or one of them ended the query.
    fn work(&self, run: &mut Run, settings: &QuerySettings, input: u64) {
        while !self.has_failed() {
            let Some(file) = self.files.get(self.next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            match read(run, settings, input, file) {
                Ok(()) => {}
                // The host has answered for this document itself, and may take the others.
                Err(e) if e.kind() == ErrorKind::Host => {
                    log::warn!("{} was not taken: {e}", file.path);
                    lock(&self.untaken).get_or_insert(e);
                }
                Err(e) => {
                    lock(&self.failure).get_or_insert(e);
                    return;
                }
            }
        }
    }

    fn has_failed(&self) -> bool {
        lock(&self.failure).is_some()
    }

    /// A query whose documents were not all taken has not succeeded.
    fn result(&self) -> Result<(), Error> {
        lock(&self.failure).take().or_else(|| lock(&self.untaken).take()).map_or(Ok(()), Err)
    }
}

fn lock(error: &Mutex<Option<Error>>) -> MutexGuard<'_, Option<Error>> {
    error.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one file; an error is one that ends the query, or the host's.
fn read(
    run: &mut Run,
    settings: &QuerySettings,
    input: u64,
    file: &RemoteFile,
) -> Result<(), Error> {
    let read = |run: &mut Run| deliver(run, input, file, settings.format, &settings.after);
    match run.document(read) {
        Ok(()) => Ok(()),
        // Between the listing and now somebody else took it: nothing is left to read.
        Err(e) if e.kind() == ErrorKind::NotFound => {
            log::info!("{} is gone", file.path);
            Ok(())
        }
        Err(e) if is_refusal(&e) || e.kind() == ErrorKind::Integrity => {
            answer_one(run, input, file, settings, e)
        }
        Err(e) => Err(e),
    }
}

/// The files to read. The control connection lists or reads, never both, so they are known
/// before the first one is read.
fn select(
    run: &mut Run,
    settings: &QuerySettings,
    directory: &RemotePath,
) -> Result<Vec<RemoteFile>, Error> {
    let maximum = usize::try_from(settings.maximum.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    let zone = run.session()?.settings().zone.clone();
    // All of them have to be known before the first in order is.
    let stops_early = settings.sort_by == SortBy::None && settings.minimum_age.is_none();
    let mut selected = run.repeat(|session| {
        let mut selected = list(session, settings, directory, &zone, &|so_far: usize| {
            !(stops_early && so_far >= maximum)
        })?;
        if let Some(age) = settings.minimum_age {
            keep_settled(session, &mut selected, age, &zone)?;
        }
        Ok(selected)
    })?;
    sort(&mut selected, settings.sort_by, &zone);
    selected.truncate(maximum);
    Ok(selected.into_iter().map(|selected| selected.file).collect())
}

/// What the filter selects of a directory and, as far as is asked, of those below it.
fn list(
    session: &mut Session,
    settings: &QuerySettings,
    directory: &RemotePath,
    zone: &ServerTimeZone,
    wants_more: &dyn Fn(usize) -> bool,
) -> Result<Vec<Selected>, Error> {
    let mut selected = Vec::new();
    // Where files are moved to: what lies there has been read already.
    let mut destinations = HashSet::new();
    destinations.extend(destination(settings, directory));
    walk(session, directory, &settings.walk, &mut |directory, entry| {
        if entry.kind == Kind::Directory {
            let below = directory.entry(&entry.name)?;
            destinations.extend(destination(settings, &below));
        }
        let is_file = entry.kind == Kind::RegularFile && !destinations.contains(directory);
        if is_file && settings.filter.selects(&entry, zone) {
            let mut properties = Properties::new()
                .with(property::FILE_NAME, entry.name.as_str())
                .with(property::REMOTE_DIRECTORY, directory.as_str());
            if let Some(modified) = &entry.modified {
                properties.insert(property::TIMESTAMP, modified.text(zone));
            }
            let path = directory.entry(&entry.name)?;
            let file = RemoteFile { path, size: entry.size, properties };
            selected.push(Selected { file, modified: entry.modified });
        }
        Ok(wants_more(selected.len()))
    })?;
    Ok(selected)
}

/// Where the files of `directory` are moved to, if they are.
fn destination(settings: &QuerySettings, directory: &RemotePath) -> Option<RemotePath> {
    let Removal::Move(destination) = &settings.after.removal else { return None };
    directory.join(destination).ok().filter(|destination| destination != directory)
}

/// Leaves out files that are younger than `age`: somebody may still be writing them.
fn keep_settled(
    session: &mut Session,
    selected: &mut Vec<Selected>,
    age: std::time::Duration,
    zone: &ServerTimeZone,
) -> Result<(), Error> {
    let latest = Timestamp::now().checked_sub(age).unwrap_or(Timestamp::MIN);
    let mut settled = Vec::new();
    for candidate in selected.drain(..) {
        let listed = candidate.modified.and_then(|modified| end_of(&modified, zone));
        let end = match listed {
            Some(end) => Some(end),
            // A listing without a zone does not tell when; MDTM does.
            None => {
                session.modified(&candidate.file.path)?.and_then(|modified| end_of(&modified, zone))
            }
        };
        let Some(end) = end else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("the server does not tell how old {} is", candidate.file.path),
            )
            .with_hint("set serverTimeZone, so that the listing's times can be understood"));
        };
        if end <= latest {
            settled.push(candidate);
        }
    }
    *selected = settled;
    Ok(())
}

/// The last instant at which the file can have been modified, as exactly as that was told.
fn end_of(modified: &Modified, zone: &ServerTimeZone) -> Option<Timestamp> {
    modified.instant(zone)?.checked_add(modified.precision.span()).ok()
}

fn sort(selected: &mut [Selected], by: SortBy, zone: &ServerTimeZone) {
    match by {
        SortBy::None => {}
        SortBy::FileName => selected.sort_by(|a, b| a.file.path.cmp(&b.file.path)),
        SortBy::Size => selected.sort_by_key(|selected| selected.file.size),
        SortBy::Timestamp => selected
            .sort_by_key(|selected| selected.modified.map(|modified| modified.server_time(zone))),
    }
}

/// Answers for one file that could not be read; the others go on.
fn answer_one(
    run: &Run,
    input: u64,
    file: &RemoteFile,
    settings: &QuerySettings,
    error: Error,
) -> Result<(), Error> {
    let outcome = if settings.return_application_errors && is_refusal(&error) {
        Outcome::ApplicationError(error)
    } else {
        Outcome::Failure(error)
    };
    let mut sink = run.context.begin_result(input, &file.properties)?;
    sink.finish(&outcome, &Properties::new())
}
