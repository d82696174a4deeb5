//! Renaming, and putting back: where the reply is lost, a look decides whether it was done.

use std::ops::RangeInclusive;
use std::time::Instant;

use super::lock::Held;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;
use crate::session::Session;
use host_sdk::kit::Backoff;

impl Execution {
    /// Tries once to rename a file, and pauses where it failed for now.
    /// Answers whether it was done; if not, whatever the caller looked at before is to be looked at
    /// again. Where the reply is lost, it was done if the old name is gone and the new one has one
    /// of `sizes`: a name alone may be that of another upload's file.
    ///
    /// # Errors
    ///
    /// Those of [`Session::rename`] that do not pass, or once `backoff` is used up; the outcome is
    /// unknown where neither can be proven.
    pub(in crate::operation) fn try_rename(
        &mut self,
        backoff: &mut Backoff,
        held: Option<&mut Held>,
        from: &RemotePath,
        to: &RemotePath,
        sizes: Option<&RangeInclusive<u64>>,
    ) -> Result<bool, Failure> {
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

    /// As [`Execution::try_rename`], where `is_done` is the look and RNTO may be sent until `expires`.
    fn try_rename_by(
        &mut self,
        backoff: &mut Backoff,
        from: &RemotePath,
        to: &RemotePath,
        expires: Option<Instant>,
        is_done: impl FnMut(&mut Session) -> Result<bool, Failure>,
    ) -> Result<bool, Failure> {
        let error = match self.session()?.rename_by(from, to, expires) {
            Ok(()) => return Ok(true),
            Err(e) => e,
        };
        let was_sent = error.is_outcome_unknown();
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
    pub(in crate::operation) fn rename_aside(
        &mut self,
        from: &RemotePath,
        to: &RemotePath,
    ) -> Result<(), Failure> {
        let mut backoff = self.backoff()?;
        // The old name may have been written again by then; no other client makes up the new one.
        let is_done = |session: &mut Session| session.exists(to);
        while !self.try_rename_by(&mut backoff, from, to, None, is_done)? {}
        Ok(())
    }

    /// Renames a file whose name nobody else uses to one that may be taken; `sizes` as for
    /// [`Execution::try_rename`].
    ///
    /// # Errors
    ///
    /// As [`Execution::try_rename`], after the retries that are configured.
    pub(in crate::operation) fn rename_over(
        &mut self,
        from: &RemotePath,
        to: &RemotePath,
        sizes: Option<&RangeInclusive<u64>>,
    ) -> Result<(), Failure> {
        let mut backoff = self.backoff()?;
        while !self.try_rename(&mut backoff, None, from, to, sizes)? {}
        Ok(())
    }

    /// Renames `aside` to `path`, where it came from, even if the execution is cancelled by now.
    ///
    /// # Errors
    ///
    /// What a command can fail with; its hint tells where the file is.
    pub(in crate::operation) fn restore(
        &mut self,
        aside: &RemotePath,
        path: &RemotePath,
    ) -> Result<(), Failure> {
        let restore = self.run_after_cancel(|session| {
            if !session.exists(aside)? {
                return Ok(());
            }
            require_free(session, path)?;
            session.rename(aside, path)
        });
        restore.map_err(|e| e.with_hint(format!("the file lies under {aside} now")))
    }
}

/// Whether `from`, whose name no other client uses, is `to` now.
fn is_renamed(
    session: &mut Session,
    from: &RemotePath,
    to: &RemotePath,
    sizes: Option<&RangeInclusive<u64>>,
) -> Result<bool, Failure> {
    if session.exists(from)? {
        return Ok(false);
    }
    let size = session.size_or_missing(to)?;
    match size.zip(sizes) {
        Some((size, sizes)) if sizes.contains(&size) => Ok(true),
        _ => Err(Failure::new(
            Cause::Unproven,
            format!("{from} is gone, and {to} is not proven to be that file"),
        )
        .with_path(to)
        .with_hint("compare the file on the server with the document before sending it again")),
    }
}

/// Refuses where somebody has written `path` anew: neither of the two may be lost.
///
/// A file that was read is one whose size the server tells, so that a refused SIZE is enough: a
/// listing for each file would cost as many lines as there are files.
fn require_free(session: &mut Session, path: &RemotePath) -> Result<(), Failure> {
    let is_taken = match session.size(path) {
        Ok(Some(_)) => true,
        Ok(None) => session.exists(path)?,
        Err(e) if e.is(Cause::Missing) => false,
        Err(e) => return Err(e),
    };
    if is_taken {
        return Err(Failure::new(Cause::Taken, format!("{path} exists again")).with_path(path));
    }
    Ok(())
}
