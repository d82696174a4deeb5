//! Deleting: where the reply is lost, a look decides whether it was done.

use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::operation::execution::Execution;

impl Execution {
    /// Deletes a file. Before that is tried again, `is_same` has to say that the file is still the
    /// one to delete. Where the answer got lost, that tells whether it was done: it was where nothing
    /// is there any more, and where another file is, which somebody has written since.
    ///
    /// # Errors
    ///
    /// Those of [`Session::delete`], after the retries that are configured; `integrity` where it is
    /// another file by now.
    pub(in crate::operation) fn delete(
        &mut self,
        path: &RemotePath,
        is_same: &mut dyn FnMut(&mut Self) -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut backoff = self.backoff()?;
        let mut was_sent = false;
        loop {
            let error = match self.session()?.delete(path) {
                Ok(()) => return Ok(()),
                Err(e) if was_sent && e.is(Cause::Missing) => return Ok(()),
                Err(e) => e,
            };
            was_sent |= error.is_outcome_unknown();
            self.wait(&mut backoff, error)?;
            match is_same(self) {
                Ok(true) => {}
                Ok(false) if was_sent => return Ok(()),
                Ok(false) => return Err(changed_after_reading(path)),
                Err(e) if was_sent && e.is(Cause::Missing) => return Ok(()),
                Err(e) if was_sent => return Err(e.with_outcome_unknown()),
                Err(e) => return Err(e),
            }
        }
    }

    /// Deletes what has this name, whatever it is by now.
    ///
    /// # Errors
    ///
    /// As [`Execution::delete`].
    pub(in crate::operation) fn delete_named(&mut self, path: &RemotePath) -> Result<(), Failure> {
        self.delete(path, &mut |execution| {
            execution.repeat(|session| session.size_or_missing(path)).map(|_| true)
        })
    }
}

/// The error about a file that is another one by now.
pub(in crate::operation) fn changed_after_reading(path: &RemotePath) -> Failure {
    Failure::new(
        Cause::Unproven,
        format!("{path} was written to after it had been read, so it is kept"),
    )
    .with_path(path)
    .with_hint("set minimumAge, so that files are read only when they are complete")
}
