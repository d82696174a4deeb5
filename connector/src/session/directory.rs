//! Commands about directories: CWD, MKD, RMD (RFC 959 §4.1).

use super::session::Session;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::verb::Verb;
use host_sdk::kit::Deadline;

impl Session {
    /// Goes to `directory` (CWD), unless that is where the session is.
    ///
    /// # Errors
    ///
    /// `notFound` or `permission` as far as the server tells; what a command can fail with.
    pub(crate) fn change_directory(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        let Some(reply) = self.enter(directory)? else { return Ok(()) };
        let error = self.path_refusal(&reply, Verb::Cwd, directory);
        self.ignore_refusal(&reply, Verb::Cwd, directory)?;
        Err(if self.says_missing(&reply, directory) { error.into_missing() } else { error })
    }

    /// Whether `directory` can be entered. `false` does not prove that it is missing.
    ///
    /// # Errors
    ///
    /// `unavailable` for a refusal that may pass (4yz); what a command can fail with.
    pub(crate) fn has_directory(&mut self, directory: &RemotePath) -> Result<bool, Failure> {
        let Some(reply) = self.enter(directory)? else { return Ok(true) };
        let error = self.path_refusal(&reply, Verb::Cwd, directory);
        if reply.may_mean_missing() && !self.poisoned { Ok(false) } else { Err(error) }
    }

    /// Makes `directory` and what is missing above it (MKD).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn make_directories(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        let is_login = *directory == self.login_directory && directory.is_top();
        // One in the server's own words may have to be entered by way of the login.
        let is_here = directory.is_own() && self.is_in(directory);
        if is_login || is_here || directory.as_str() == "/" || self.has_directory(directory)? {
            return Ok(());
        }
        if !directory.is_top() {
            self.make_directories(&directory.parent())?;
        }
        match self.make_directory(directory) {
            // Somebody else may have made it in the meantime.
            Err(e) if !self.poisoned && !self.has_directory(directory)? => Err(e),
            Err(e) if self.poisoned => Err(e),
            _ => Ok(()),
        }
    }

    /// Makes `directory` (MKD); a name that is taken is refused, atomically.
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn make_directory(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        let reply = self.path_command(Verb::Mkd, directory)?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, Verb::Mkd, directory))
    }

    /// Removes an empty directory (RMD).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn remove_directory(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        if self.current_directory.as_ref() == Some(directory) {
            // Some servers do not remove the directory they are in.
            self.change_directory(&directory.parent())?;
        }
        let reply = self.path_change(Verb::Rmd, directory)?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, Verb::Rmd, directory))
    }

    /// Where `directory` really is, whatever links lead there: the same for all of its paths, on
    /// servers that tell (PWD).
    ///
    /// # Errors
    ///
    /// As [`Session::change_directory`].
    pub(crate) fn real_path(&mut self, directory: &RemotePath) -> Result<RemotePath, Failure> {
        self.change_directory(directory)?;
        Ok(self.working_directory()?.unwrap_or_else(|| directory.clone()))
    }

    /// Logs in anew where the session is of no use any more, for work that must not fail because
    /// of what came before it.
    ///
    /// # Errors
    ///
    /// As [`Session::open_with_retry`]; those of going back to the directory.
    pub(super) fn renew_if_lost(&mut self) -> Result<(), Failure> {
        if self.is_usable() { Ok(()) } else { self.renew(self.transfer_limit()) }
    }

    /// Puts a new session in the place of this one, in the same directory and format.
    ///
    /// # Errors
    ///
    /// As [`Session::open_with_retry`]; those of going back to the directory.
    pub(super) fn renew(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let directory = self.current_directory.clone();
        self.renew_at_login(deadline)?;
        match directory {
            Some(directory) => self.change_directory(&directory),
            None => Ok(()),
        }
    }
}
