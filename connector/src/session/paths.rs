//! Commands about paths: how a path is called where the session is.
//!
//! A command about a file names it by its bare name, in the directory that the session goes to by CWD.
//! Every server takes that, whatever its paths look like. The full path is for a directory that may
//! not be entered, for a name that servers read otherwise when it stands alone, and for the second of
//! two directories, once a server has accepted one.

use std::time::Instant;

use super::session::Session;
use super::spelling::LoginName;
use crate::failure::{Cause, Failure};
use crate::file::path::{Base, RemotePath, is_ambiguous};
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};

impl Session {
    /// The directory that `text` names: as a person spells it, or as an output tells it.
    ///
    /// # Errors
    ///
    /// `document` where it is no path.
    pub(crate) fn directory_of(&self, text: &str) -> Result<RemotePath, Failure> {
        if text.len() > 1 && text.ends_with('/') {
            self.shared.server.spelling.note_slash();
        }
        Ok(self.login_directory.directory(text)?)
    }

    pub(super) fn path_command(&mut self, verb: Verb, path: &RemotePath) -> Result<Reply, Failure> {
        let text = self.path_text(path)?;
        self.text_command(verb, path, text)
    }

    /// Sends `verb` about `path`, which is called `text` where the session is.
    fn text_command(
        &mut self,
        verb: Verb,
        path: &RemotePath,
        text: String,
    ) -> Result<Reply, Failure> {
        let is_full = text.starts_with('/') && !self.is_in(&path.parent());
        let reply = self.command(Command::new(verb, text)).map_err(|e| e.with_path(path))?;
        if is_full && reply.is_done() {
            self.shared.server.spelling.note_full_path();
        }
        Ok(reply)
    }

    /// The command `verb` about `path`, as the server understands it in the directory where the
    /// session is from now on.
    ///
    /// # Errors
    ///
    /// What entering a directory or opening a session can fail with; a refusal is none of them.
    pub(crate) fn path_line(&mut self, verb: Verb, path: &RemotePath) -> Result<Command, Failure> {
        Ok(Command::new(verb, self.path_text(path)?))
    }

    /// The text of `path` for a command; errors as [`Session::path_line`].
    pub(super) fn path_text(&mut self, path: &RemotePath) -> Result<String, Failure> {
        if let Some(text) = self.text_here(path) {
            return Ok(text);
        }
        let directory = path.parent();
        if path.is_top() || directory == *path || path.counts_from_nowhere() {
            return self.full_text(path);
        }
        if !self.closed.contains_key(&directory) {
            let Some(reply) = self.enter(&directory)? else {
                return Ok(path.file_name().to_owned());
            };
            let error = self.path_refusal(&reply, Verb::Cwd, &directory);
            if self.poisoned {
                return Err(error);
            }
            log::debug!("{directory} is not entered: {error}");
            if reply.is_permanent_refusal() {
                self.closed.insert(directory, Instant::now());
            }
        }
        self.full_text(path)
    }

    /// How `path` is called where the session is, if that is known to be understood.
    pub(super) fn text_here(&self, path: &RemotePath) -> Option<String> {
        let has_full = path.is_unix() && !self.counts_from_useless_name(path);
        let full = || Some(path.as_str().to_owned()).filter(|_| has_full);
        if has_full && (is_ambiguous(path.file_name()) || self.is_in(path)) {
            return full();
        }
        if !path.is_top() && self.is_in(&path.parent()) {
            return Some(path.file_name().to_owned());
        }
        if self.shared.server.spelling.takes_full_paths() { full() } else { None }
    }

    /// Whether `path` counts from the directory after login, whose name leads nowhere.
    fn counts_from_useless_name(&self, path: &RemotePath) -> bool {
        let login = &self.login_directory;
        matches!(self.shared.server.spelling.login_name(), LoginName::Alone | LoginName::Useless)
            && (path.base() == Base::Login
                || (login.is_unix() && !login.is_top() && path.seen_from(login).is_some()))
    }

    /// The text of `path` that names its directory as well. A path that counts from the directory
    /// after login is sent from there.
    fn full_text(&mut self, path: &RemotePath) -> Result<String, Failure> {
        if self.is_found_anywhere(path) {
            return Ok(path.as_str().to_owned());
        }
        if let Some(text) = self.current_directory.as_ref().and_then(|here| path.seen_from(here)) {
            return Ok(text.to_owned());
        }
        if path.counts_from_nowhere() && self.login_directory.is_unix() {
            // An earlier session was not told.
            return Ok(self.login_directory.join(path.as_str())?.as_str().to_owned());
        }
        self.go_to_login(path)?;
        Ok(self.text_at_login(path))
    }

    /// Whether the server finds `path` from wherever the session is, as far as is known.
    fn is_found_anywhere(&self, path: &RemotePath) -> bool {
        path.is_rooted(&self.login_directory) && !self.counts_from_useless_name(path)
    }

    fn go_to_login(&mut self, path: &RemotePath) -> Result<(), Failure> {
        let is_named = self.shared.server.spelling.login_name() != LoginName::Useless;
        match self.return_to_login(is_named)? {
            None => Ok(()),
            Some(reply) => Err(self.path_refusal(&reply, Verb::Cwd, path)),
        }
    }

    /// How `path` is called in the directory after login.
    fn text_at_login(&self, path: &RemotePath) -> String {
        let below = path.seen_from(&self.login_directory);
        below.filter(|_| !self.is_found_anywhere(path)).unwrap_or(path.as_str()).to_owned()
    }

    /// How two paths are called in two commands that nothing may come between.
    pub(super) fn two_texts(
        &mut self,
        one: &RemotePath,
        other: &RemotePath,
    ) -> Result<(String, String), Failure> {
        if let (Some(one), Some(other)) = (self.text_here(one), self.text_here(other)) {
            return Ok((one, other));
        }
        let here = self.current_directory.as_ref();
        let text = |path: &RemotePath| Some(path.seen_from(here?)?.to_owned());
        if !self.is_found_anywhere(other) && one.parent() != other.parent() {
            if let (Some(one), Some(other)) = (text(one), text(other)) {
                return Ok((one, other));
            }
            self.go_to_login(one)?;
            return Ok((self.text_at_login(one), self.text_at_login(other)));
        }
        let first = self.path_text(one)?;
        // Only the server knows how it joins its own words and a name, unless it is there.
        let here = self.current_directory.as_ref().filter(|_| other.is_own());
        let below = here.and_then(|here| other.seen_from(here));
        let second = self.text_here(other).or_else(|| below.map(str::to_owned));
        Ok((first, second.unwrap_or_else(|| other.as_str().to_owned())))
    }

    /// As [`Session::path_command`], for a command that changes something: once it was sent, an
    /// error leaves its outcome unknown.
    pub(super) fn path_change(&mut self, verb: Verb, path: &RemotePath) -> Result<Reply, Failure> {
        self.check_quiet()?;
        let text = self.path_text(path)?;
        self.text_change(verb, path, text)
    }

    /// As [`Session::path_change`], for a path that is called `text` where the session is.
    pub(super) fn text_change(
        &mut self,
        verb: Verb,
        path: &RemotePath,
        text: String,
    ) -> Result<Reply, Failure> {
        self.check_quiet()?;
        self.text_command(verb, path, text).map_err(|e| {
            // It could not be sent as it is.
            if e.is(Cause::Unsendable) { e } else { e.with_outcome_unknown() }
        })
    }
}
