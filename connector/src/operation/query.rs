//! Query: every file of a directory that the filter selects.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use host_sdk::{Error, ErrorKind, ExecutionScope, InputDocument, Outcome, Properties};

use super::fetch::{RemoteFile, deliver};
use super::flaw::Flaws;
use super::is_refusal;
use super::run::Run;
use super::select::{Selected, select};
use crate::config::{QuerySettings, Removal};
use crate::file::path::RemotePath;
use crate::file::time::zone::ServerTimeZone;
use crate::listing::Kind;
use host_sdk::kit::text::printable;

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &QuerySettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let directory = run.directory(&input.header().properties)?;
    let (files, flaws) = files(run, settings, &directory)?;
    flaws.answer(run, input.id(), settings.return_application_errors)?;
    let zone = run.session()?.zone().clone();
    let sizes = files.iter().filter_map(|file| file.entry.told_size());
    run.meter.expect(sizes.fold(0, u64::saturating_add));
    let transfers = settings.parallel_transfers.min(files.len());
    let queue = Queue {
        files,
        zone,
        next: AtomicUsize::new(0),
        was_cut: AtomicBool::new(false),
        failure: Mutex::default(),
        untaken: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 1..transfers {
            let Some(mut sibling) = run.sibling() else { break };
            let (queue, id) = (&queue, input.id());
            let thread = std::thread::Builder::new().name("ftp transfer".to_owned());
            let spawned = thread.spawn_scoped(scope, move || {
                let _records = ExecutionScope::enter(sibling.context.execution_id());
                queue.work(&mut sibling, settings, id);
            });
            if let Err(e) = spawned {
                log::warn!("one transfer less at a time: no thread can be started: {e}");
                break;
            }
        }
        queue.work(run, settings, input.id());
        // Whoever comes after may be waiting for a session while the siblings go on.
        run.release();
    });
    queue.result()
}

/// The files of one query, shared by the threads that read them.
struct Queue {
    files: Vec<Selected>,
    /// The zone of the server's clock.
    zone: ServerTimeZone,
    next: AtomicUsize,
    /// Whether the last file was lost to the network, for all its attempts.
    was_cut: AtomicBool,
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
            let Selected { entry, .. } = file;
            let answered = file.path().and_then(|path| {
                let reading = guarded(|| {
                    let file =
                        run.document(|run| RemoteFile::of_entry(run, path, entry, &self.zone));
                    file.and_then(|file| read(run, settings, input, &file))
                });
                // A session that a panic left in mid-command is dropped with the lease.
                reading.unwrap_or_else(|e| {
                    run.release_poisoned();
                    self.fail(run, settings, input, file, e)
                })
            });
            match answered {
                Ok(()) => self.was_cut.store(false, Ordering::Relaxed),
                // The host has answered for this document itself, and may take the others.
                Err(e) if e.kind() == ErrorKind::Host => {
                    log::warn!("{} was not taken: {e}", entry.name);
                    lock(&self.untaken).get_or_insert(e);
                }
                // It may be this file that ends the session each time: the next one shows.
                Err(e) if self.may_be_its_own(&e) => {
                    if let Err(e) = self.fail(run, settings, input, file, e) {
                        lock(&self.failure).get_or_insert(e);
                        return;
                    }
                }
                Err(e) => {
                    lock(&self.failure).get_or_insert(e);
                    return;
                }
            }
        }
    }

    /// Answers for a file of which nothing is known but what its listing tells.
    fn fail(
        &self,
        run: &Run,
        settings: &QuerySettings,
        input: u64,
        file: &Selected,
        error: Error,
    ) -> Result<(), Error> {
        let entry = &file.entry;
        let shown = RemoteFile::new(file.path()?, entry.size, entry.modified, &self.zone);
        answer_one(run, input, &shown, settings, error)
    }

    /// Whether `error`, which all attempts at a file have come to, may be about that file alone: it
    /// is the first one in a row, and there is another file to try.
    fn may_be_its_own(&self, error: &Error) -> bool {
        let is_lost = matches!(error.kind(), ErrorKind::Connection | ErrorKind::Timeout);
        let has_next = self.next.load(Ordering::Relaxed) < self.files.len();
        is_lost && has_next && !self.was_cut.swap(true, Ordering::Relaxed)
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

/// Does `work`; a panic in it is an error of kind `internal`.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Error::internal(format!("a panic while a file was read: {}", printable(said)))
    })
}

/// Reads one file; an error is one that ends the query, or the host's.
fn read(
    run: &mut Run,
    settings: &QuerySettings,
    input: u64,
    file: &RemoteFile,
) -> Result<(), Error> {
    let delivered = run.document(|run| match file.size {
        Some(_) => deliver(run, input, file, &settings.reading),
        // The listing told none, or a rounded one: what arrives is to be proven all the same.
        None => {
            let size = run.repeat(|session| session.known_size(&file.path))?;
            deliver(run, input, &RemoteFile { size, ..file.clone() }, &settings.reading)
        }
    });
    match delivered {
        Ok(()) => Ok(()),
        // Between the listing and now somebody else took it: nothing is left to read.
        Err(e) if e.kind() == ErrorKind::NotFound => {
            log::warn!("{} was listed and is gone: {e}", file.path);
            Ok(())
        }
        Err(e) if is_refusal(&e) || e.kind() == ErrorKind::Integrity || run.is_answered(&e) => {
            answer_one(run, input, file, settings, e)
        }
        Err(e) => Err(e),
    }
}

/// The files to read. The control connection lists or reads, never both, so they are known
/// before the first one is read. There may be a great many of them: what its document tells is
/// made when it is read.
fn files(
    run: &mut Run,
    settings: &QuerySettings,
    directory: &RemotePath,
) -> Result<(Vec<Selected>, Flaws), Error> {
    // Where files are moved to: what lies there has been read already.
    let mut destinations = HashSet::new();
    destinations.extend(destination(settings, directory));
    select(run, &settings.selection, directory, &mut |directory, entry| {
        if entry.kind == Kind::Directory {
            let below = directory.entry(&entry.name)?;
            destinations.extend(destination(settings, &below));
        }
        // Nothing of a file's document tells it, and there may be a great many.
        entry.unique = None;
        // What is told without a type is tried: a file that is left out would be lost.
        let may_be_file = matches!(entry.kind, Kind::RegularFile | Kind::Untold);
        Ok(may_be_file && !destinations.contains(directory))
    })
}

/// Where the files of `directory` are moved to, if they are.
fn destination(settings: &QuerySettings, directory: &RemotePath) -> Option<RemotePath> {
    let Removal::Move(destination) = &settings.reading.after.removal else { return None };
    directory.join(destination).ok().filter(|destination| destination != directory)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_an_internal_error() {
        for (work, said) in [
            ((|| panic!("at {}", 7)) as fn(), "at 7"),
            (|| panic!("in short"), "in short"),
            (|| std::panic::panic_any(7), "no message"),
        ] {
            let error = guarded(work).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal);
            assert!(error.message().contains(said), "{error}");
        }
        assert_eq!(guarded(|| 7).unwrap(), 7);
    }
}
