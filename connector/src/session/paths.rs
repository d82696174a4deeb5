//! Commands about paths: how a path is called where the session is, and whose refusal it is.

use std::borrow::Cow;

use super::session::Session;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::{Repeated, Reply};
use crate::protocol::verb::{Command, Verb};

impl Session {
    pub(super) fn path_command(&mut self, verb: Verb, path: &RemotePath) -> Result<Reply, Failure> {
        let command = self.path_line(verb, path)?;
        self.command(command).map_err(|e| e.with_path(path))
    }

    /// The command `verb` about `path`, as the server understands it in the directory where the
    /// session is from now on.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(crate) fn path_line(&mut self, verb: Verb, path: &RemotePath) -> Result<Command, Failure> {
        Ok(Command::new(verb, self.path_text(path)?))
    }

    /// The text of `path` for a command; errors as [`Session::path_line`].
    pub(super) fn path_text(&mut self, path: &RemotePath) -> Result<String, Failure> {
        self.reach(&[path])?;
        Ok(self.spelled(path).unwrap_or_else(|| path.as_str().into()).into_owned())
    }

    /// Goes where the server understands all of `paths`. A path that counts from the directory
    /// after login has no name in another directory, and no command leads back to one whose name is
    /// not known: only a new login does.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(super) fn reach(&mut self, paths: &[&RemotePath]) -> Result<(), Failure> {
        if paths.iter().all(|path| self.spelled(path).is_some()) {
            return Ok(());
        }
        self.renew_at_login(self.transfer_limit())
    }

    /// How `path` is called where the session is, if it has a name there.
    pub(super) fn spelled<'p>(&self, path: &'p RemotePath) -> Option<Cow<'p, str>> {
        if path.is_absolute() {
            return Some(path.as_str().into());
        }
        if self.login_directory.is_absolute() {
            // An earlier session was not told.
            let absolute = self.login_directory.join(path.as_str()).ok()?;
            return Some(absolute.as_str().to_owned().into());
        }
        path.seen_from(self.current_directory.as_ref()?).map(Cow::Borrowed)
    }

    /// As [`Session::path_command`], for a command that changes something: once it was sent, an
    /// error leaves its outcome unknown.
    pub(super) fn path_change(&mut self, verb: Verb, path: &RemotePath) -> Result<Reply, Failure> {
        self.check_quiet()?;
        self.path_command(verb, path).map_err(|e| {
            // It could not be sent as it is.
            if e.is(Cause::Unsendable) { e } else { e.with_outcome_unknown() }
        })
    }

    /// The error of a refusal about `path`.
    pub(super) fn path_refusal(&mut self, reply: &Reply, verb: Verb, path: &RemotePath) -> Failure {
        self.refusal(reply, Phase::Path, verb, &format!("{verb} {path}")).with_path(path)
    }

    /// For answers that nothing depends on: only the end of the session is an error.
    pub(super) fn ignore_refusal(
        &mut self,
        reply: &Reply,
        verb: Verb,
        path: &RemotePath,
    ) -> Result<(), Failure> {
        let error = self.path_refusal(reply, verb, path);
        if self.poisoned { Err(error) } else { Ok(()) }
    }

    /// Whether a refusal says about `path` itself that nothing is there.
    pub(super) fn says_missing(&self, reply: &Reply, path: &RemotePath) -> bool {
        reply.says_missing(self.repeated(path))
    }

    pub(super) fn repeated<'p>(&self, path: &'p RemotePath) -> Repeated<'p> {
        Repeated { path: path.as_str(), encoding: self.shared.settings.encoding }
    }
}
