//! Query: every file of a directory that the filter selects.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use host_sdk::{InputDocument, Properties};

use super::execution::Execution;
use super::read::deliver::deliver;
use super::read::remote_file::RemoteFile;
use super::receive_buffer::OVERLAP;
use super::selection::candidates::Candidates;
use super::selection::selected::Selected;
use crate::config::{Checksum, QuerySettings, Removal};
use crate::descriptor::property;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::zone::ServerTimeZone;
use crate::session::Session;
use host_sdk::kit::text::printable;

/// Answers one input. Where files are gone by the time they are to be read, others take their
/// places up to the maximum.
pub(super) fn answer(
    execution: &mut Execution,
    settings: &QuerySettings,
    input: &mut dyn InputDocument,
) -> Result<(), Failure> {
    let directory = execution.directory(&input.header().properties)?;
    let mut candidates = Candidates::new(settings);
    let mut limit = settings.selection.limit();
    let (files, flaws) = candidates.select(execution, &directory, limit)?;
    flaws.answer(execution, input.id(), settings.return_application_errors)?;
    let mut queue = read_all(execution, settings, input.id(), &directory, files)?;
    loop {
        queue.result()?;
        let Queue { files, gone, .. } = queue;
        let gone = gone.into_inner();
        if gone == 0 || files.len() < limit {
            return Ok(());
        }
        limit = gone;
        candidates.leave_out(&files)?;
        // Its flaws are those of the first one.
        let (files, _) = candidates.select(execution, &directory, limit)?;
        queue = read_all(execution, settings, input.id(), &directory, files)?;
    }
}

/// Reads `files`, as many at a time as is asked for and there are sessions.
fn read_all(
    execution: &mut Execution,
    settings: &QuerySettings,
    input: u64,
    root: &RemotePath,
    files: Vec<Selected>,
) -> Result<Queue, Failure> {
    let zone = execution.session()?.zone().clone();
    let sizes = files.iter().filter_map(|file| file.entry.approximate_size());
    execution.progress.set_expected(sizes.fold(0, u64::saturating_add));
    let transfers = settings.parallel_transfers.min(files.len());
    let queue = Queue {
        root: root.clone(),
        files,
        zone,
        next: AtomicUsize::new(0),
        gone: AtomicUsize::new(0),
        was_cut: AtomicBool::new(false),
        failure: Mutex::default(),
        rejected_by_host: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 1..transfers {
            let queue = &queue;
            let work = move |worker: &mut Execution| queue.work(worker, settings, input);
            if let Err(e) = execution.start_thread(scope, || queue.has_next(), work) {
                log::warn!("one transfer less at a time: no thread can be started: {e}");
                break;
            }
        }
        queue.work(execution, settings, input);
        // Whoever comes after may be waiting for a session while the other threads go on.
        execution.release();
    });
    Ok(queue)
}

/// The files of one query, shared by the threads that read them.
struct Queue {
    /// The directory that was queried.
    root: RemotePath,
    files: Vec<Selected>,
    /// The zone of the server's clock.
    zone: ServerTimeZone,
    next: AtomicUsize,
    /// How many files were gone when their turn came.
    gone: AtomicUsize,
    /// Whether the last file was lost to the network, for all its attempts.
    was_cut: AtomicBool,
    /// What ended the query before its last file.
    failure: Mutex<Option<Failure>>,
    /// The first document that the host did not take.
    rejected_by_host: Mutex<Option<Failure>>,
}

impl Queue {
    /// Reads files until there are none left or one of them ended the query.
    fn work(&self, execution: &mut Execution, settings: &QuerySettings, input: u64) {
        let mut claimed = None;
        while !self.has_failed() {
            let Some(file) = claimed.take().or_else(|| self.claim()) else { return };
            // No file waits for a long one that another thread could have read meanwhile.
            if is_short(file) {
                claimed = self.claim();
            }
            announce(execution, settings, file, claimed);
            let Selected { entry, .. } = file;
            let answered = file.path().and_then(|path| {
                let reading = guarded(|| {
                    let file = execution.document(|execution| {
                        RemoteFile::of_entry(execution, path, entry, &self.zone)
                    });
                    let is_there = read(execution, settings, input, self.placed(file?))?;
                    self.gone.fetch_add(usize::from(!is_there), Ordering::Relaxed);
                    Ok(())
                });
                // A session that a panic left in mid-command is dropped with the lease.
                reading.unwrap_or_else(|e| {
                    execution.release_poisoned();
                    self.fail(execution, settings, input, file, e)
                })
            });
            match answered {
                Ok(()) => self.was_cut.store(false, Ordering::Relaxed),
                // The host has answered for this document itself, and may take the others.
                Err(e) if e.is(Cause::Host) => {
                    log::warn!("{} was not taken: {e}", entry.name);
                    lock(&self.rejected_by_host).get_or_insert(e);
                }
                // It may be this file that ends the session each time: the next one shows.
                Err(e) if self.may_be_its_own(&e, claimed.is_some()) => {
                    if let Err(e) = self.fail(execution, settings, input, file, e) {
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

    /// `file` with its directory below the one that was queried.
    fn placed(&self, mut file: RemoteFile) -> RemoteFile {
        let directory = file.path.parent();
        if let Some(below) = directory.below(&self.root) {
            file.properties.insert(property::RELATIVE_DIRECTORY, below);
        }
        file
    }

    /// Answers for a file of which nothing is known but what its listing tells.
    fn fail(
        &self,
        execution: &Execution,
        settings: &QuerySettings,
        input: u64,
        file: &Selected,
        error: Failure,
    ) -> Result<(), Failure> {
        let entry = &file.entry;
        let shown = RemoteFile::new(file.path()?, entry.size, entry.modified, &self.zone);
        report_file(execution, input, &self.placed(shown), settings, error)
    }

    /// Whether `error`, which all attempts at a file have come to, may be about that file alone: it
    /// is the first one in a row, and there is another file to try.
    fn may_be_its_own(&self, error: &Failure, has_claimed: bool) -> bool {
        let is_lost = matches!(error.cause(), Cause::Lost | Cause::Late);
        is_lost && (has_claimed || self.has_next()) && !self.was_cut.swap(true, Ordering::Relaxed)
    }

    /// The next file that nobody reads yet.
    fn claim(&self) -> Option<&Selected> {
        self.files.get(self.next.fetch_add(1, Ordering::Relaxed))
    }

    fn has_next(&self) -> bool {
        self.next.load(Ordering::Relaxed) < self.files.len()
    }

    fn has_failed(&self) -> bool {
        lock(&self.failure).is_some()
    }

    /// A query whose documents were not all taken has not succeeded.
    fn result(&self) -> Result<(), Failure> {
        lock(&self.failure)
            .take()
            .or_else(|| lock(&self.rejected_by_host).take())
            .map_or(Ok(()), Err)
    }
}

/// How long a file may be whose thread has the next one already.
const SHORT: u64 = 1024 * 1024;

fn is_short(file: &Selected) -> bool {
    file.entry.size.is_some_and(|size| size <= SHORT)
}

/// Has the session ask about `next` with the end of `file`, where nothing else is asked between the
/// two.
fn announce(
    execution: &mut Execution,
    settings: &QuerySettings,
    file: &Selected,
    next: Option<&Selected>,
) {
    let Some(session) = execution.session_in_hand() else { return };
    // One that failed may have left its own.
    session.withdraw_announcement();
    let reading = &settings.reading;
    let is_kept = reading.after.removal == Removal::Keep && reading.checksum == Checksum::None;
    let is_proven = |file: &Selected| is_kept && file.entry.size.is_some();
    let Some(next) = next.filter(|next| is_proven(file) && is_proven(next)) else { return };
    let asks_time = RemoteFile::is_time_asked(&next.entry) || !is_short_of_resuming(next);
    if let Ok(path) = next.path() {
        session.announce_download(&path, asks_time);
    }
}

/// Whether `file` is read without a look at its time, since an interruption would not resume it.
fn is_short_of_resuming(file: &Selected) -> bool {
    file.entry.size.is_some_and(|size| size <= OVERLAP as u64)
}

fn lock(error: &Mutex<Option<Failure>>) -> MutexGuard<'_, Option<Failure>> {
    error.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work`; a panic in it is an error of kind `internal`.
fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Failure> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let said = panic.downcast_ref::<String>().map(String::as_str);
        let said = said.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message");
        Failure::internal(format!("a panic while a file was read: {}", printable(said)))
    })
}

/// Reads one file, and answers whether it was there; an error is one that ends the query, or the
/// host's.
fn read(
    execution: &mut Execution,
    settings: &QuerySettings,
    input: u64,
    file: RemoteFile,
) -> Result<bool, Failure> {
    let delivered = execution.document(|execution| match file.size {
        Some(_) => deliver(execution, input, &file, &settings.reading),
        // The listing told none, or a rounded one: what arrives is to be proven all the same.
        None => {
            let size = execution.repeat(|session| size_of_listed(session, &file.path))?;
            let file = RemoteFile { size, has_size_answer: size.is_some(), ..file.clone() };
            deliver(execution, input, &file, &settings.reading)
        }
    });
    match delivered {
        Ok(()) => Ok(true),
        // Between the listing and now somebody else took it: nothing is left to read.
        Err(e) if e.is(Cause::Missing) => {
            log::warn!("{} was listed and is gone: {e}", file.path);
            Ok(false)
        }
        Err(e)
            if e.is_about_document()
                || e.is(Cause::Unproven)
                || execution.is_lasting_refusal(&e) =>
        {
            report_file(execution, input, &file, settings, e).map(|()| true)
        }
        Err(e) => Err(e),
    }
}

/// The size of a file that is listed, in bytes. Whether it is there is not for SIZE to say.
fn size_of_listed(session: &mut Session, path: &RemotePath) -> Result<Option<u64>, Failure> {
    match session.size(path) {
        Err(e) if e.is(Cause::Missing) => Ok(None),
        other => other,
    }
}

/// Answers for one file that could not be read; the others go on.
fn report_file(
    execution: &Execution,
    input: u64,
    file: &RemoteFile,
    settings: &QuerySettings,
    error: Failure,
) -> Result<(), Failure> {
    let outcome = error.into_outcome(settings.return_application_errors);
    let mut sink =
        execution.context.begin_result(input, &file.properties).map_err(Failure::of_host)?;
    sink.finish(&outcome, &Properties::new()).map_err(Failure::of_host)?;
    Ok(())
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
            assert_eq!(host_sdk::Error::from(error.clone()).kind(), host_sdk::ErrorKind::Internal);
            assert!(error.message().contains(said), "{error}");
        }
        assert_eq!(guarded(|| 7).unwrap(), 7);
    }
}
