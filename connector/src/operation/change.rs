//! What changes the server and must not be repeated blindly: deleting, renaming, putting back.

use std::ops::RangeInclusive;
use std::time::Instant;

use host_sdk::{Error, ErrorKind};

use super::lock::Held;
use super::run::Run;
use super::watch::rewritten;
use crate::file::path::RemotePath;
use crate::session::Session;
use host_sdk::kit::Backoff;

impl Run {
    /// Deletes a file. Before that is tried again, `is_same` has to say that the file is still the
    /// one to delete. Where the answer got lost, that tells whether it was done: it was where nothing
    /// is there any more, and where another file is, which somebody has written since.
    ///
    /// # Errors
    ///
    /// Those of [`Session::delete`], after the retries that are configured; `integrity` where it is
    /// another file by now.
    pub(super) fn delete(
        &mut self,
        path: &RemotePath,
        is_same: &mut dyn FnMut(&mut Self) -> Result<bool, Error>,
    ) -> Result<(), Error> {
        let mut backoff = self.backoff()?;
        let mut was_sent = false;
        loop {
            let error = match self.session()?.delete(path) {
                Ok(()) => return Ok(()),
                Err(e) if was_sent && e.kind() == ErrorKind::NotFound => return Ok(()),
                Err(e) => e,
            };
            was_sent |= error.report().outcome_unknown;
            self.wait(&mut backoff, error)?;
            match is_same(self) {
                Ok(true) => {}
                Ok(false) if was_sent => return Ok(()),
                Ok(false) => return Err(rewritten(path)),
                Err(e) if was_sent && e.kind() == ErrorKind::NotFound => return Ok(()),
                Err(e) if was_sent => return Err(e.with_outcome_unknown()),
                Err(e) => return Err(e),
            }
        }
    }

    /// Deletes what has this name, whatever it is by now.
    ///
    /// # Errors
    ///
    /// As [`Run::delete`].
    pub(super) fn delete_named(&mut self, path: &RemotePath) -> Result<(), Error> {
        self.delete(path, &mut |run| run.repeat(|session| session.known_size(path)).map(|_| true))
    }

    /// Tries once to rename a file to a name that is free, and pauses where it failed for now.
    /// Answers whether it was done; if not, whatever the caller looked at before is to be looked at
    /// again. Where the reply is lost, it was done if the old name is gone and the new one has one
    /// of `sizes`: a name alone may be that of another upload's file.
    ///
    /// # Errors
    ///
    /// Those of [`Session::rename`] that do not pass, or once `backoff` is used up; the outcome is
    /// unknown where neither can be proven.
    pub(super) fn try_rename(
        &mut self,
        backoff: &mut Backoff,
        held: Option<&mut Held>,
        from: &RemotePath,
        to: &RemotePath,
        sizes: Option<&RangeInclusive<u64>>,
    ) -> Result<bool, Error> {
        let expires = match held {
            Some(held) => {
                held.renew(self)?;
                Some(held.expires())
            }
            None => None,
        };
        let is_done = |session: &mut Session| is_renamed(session, from, to, sizes);
        self.try_rename_by(backoff, from, to, expires, is_done)
    }

    /// As [`Run::try_rename`], where `is_done` is the look and RNTO may be sent until `expires`.
    fn try_rename_by(
        &mut self,
        backoff: &mut Backoff,
        from: &RemotePath,
        to: &RemotePath,
        expires: Option<Instant>,
        is_done: impl FnMut(&mut Session) -> Result<bool, Error>,
    ) -> Result<bool, Error> {
        let error = match self.session()?.rename_by(from, to, expires) {
            Ok(()) => return Ok(true),
            Err(e) => e,
        };
        let was_sent = error.report().outcome_unknown;
        self.wait(backoff, error)?;
        if !was_sent {
            return Ok(false);
        }
        self.repeat(is_done).map_err(|e| e.with_outcome_unknown())
    }

    /// Renames a file to a name that nobody else uses.
    ///
    /// # Errors
    ///
    /// Those of [`Session::rename`], after the retries that are configured.
    pub(super) fn rename_aside(&mut self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let mut backoff = self.backoff()?;
        // The old name may have been written again by then; no other client makes up the new one.
        let is_done = |session: &mut Session| session.exists(to);
        while !self.try_rename_by(&mut backoff, from, to, None, is_done)? {}
        Ok(())
    }

    /// Renames a file whose name nobody else uses to one that may be taken; `sizes` as for
    /// [`Run::try_rename`].
    ///
    /// # Errors
    ///
    /// As [`Run::try_rename`], after the retries that are configured.
    pub(super) fn rename_over(
        &mut self,
        from: &RemotePath,
        to: &RemotePath,
        sizes: Option<&RangeInclusive<u64>>,
    ) -> Result<(), Error> {
        let mut backoff = self.backoff()?;
        while !self.try_rename(&mut backoff, None, from, to, sizes)? {}
        Ok(())
    }

    /// Releases a lock, even if the execution is cancelled by now.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(super) fn unlock(&mut self, lock: &RemotePath) -> Result<(), Error> {
        match self.try_unlock(lock) {
            Err(e) if e.kind() == ErrorKind::Cancelled => {
                self.rescue(|session| session.remove_directory(lock))
            }
            other => other,
        }
    }

    fn try_unlock(&mut self, lock: &RemotePath) -> Result<(), Error> {
        let mut backoff = self.backoff()?;
        loop {
            match self.session()?.remove_directory(lock) {
                Ok(()) => return Ok(()),
                // What stands there now may be another's.
                Err(e) if e.report().outcome_unknown && e.kind() != ErrorKind::Cancelled => {
                    let is_there = self.repeat(|session| session.has_directory(lock))?;
                    return if is_there { Err(e) } else { Ok(()) };
                }
                Err(e) => self.wait(&mut backoff, e)?,
            }
        }
    }

    /// Renames `aside` to `path`, where it came from, even if the execution is cancelled by now.
    ///
    /// # Errors
    ///
    /// What a command can fail with; its hint tells where the file is.
    pub(super) fn put_back(&mut self, aside: &RemotePath, path: &RemotePath) -> Result<(), Error> {
        let put_back = self.rescue(|session| {
            if !session.exists(aside)? {
                return Ok(());
            }
            require_free(session, path)?;
            session.rename(aside, path)
        });
        put_back.map_err(|e| e.with_hint(format!("the file lies under {aside} now")))
    }
}

/// Whether `from`, whose name no other client uses, is `to` now.
fn is_renamed(
    session: &mut Session,
    from: &RemotePath,
    to: &RemotePath,
    sizes: Option<&RangeInclusive<u64>>,
) -> Result<bool, Error> {
    if session.exists(from)? {
        return Ok(false);
    }
    let size = session.known_size(to)?;
    match size.zip(sizes) {
        Some((size, sizes)) if sizes.contains(&size) => Ok(true),
        _ => Err(Error::new(
            ErrorKind::Integrity,
            format!("{from} is gone, and {to} is not proven to be that file"),
        )
        .with_path(to.to_string())
        .with_hint("compare the file on the server with the document before sending it again")),
    }
}

/// Refuses where somebody has written `path` anew: neither of the two may be lost.
///
/// A file that was read is one whose size the server tells, so that a refused SIZE is enough: a
/// listing for each file would cost as many lines as there are files.
fn require_free(session: &mut Session, path: &RemotePath) -> Result<(), Error> {
    let is_taken = match session.size(path) {
        Ok(Some(_)) => true,
        Ok(None) => session.exists(path)?,
        Err(e) if e.kind() == ErrorKind::NotFound => false,
        Err(e) => return Err(e),
    };
    if is_taken {
        return Err(Error::new(ErrorKind::AlreadyExists, format!("{path} exists again"))
            .with_path(path.to_string()));
    }
    Ok(())
}
