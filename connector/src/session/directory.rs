//! Commands about directories: CWD, MKD, RMD (RFC 959 §4.1).

use std::time::Instant;

use super::route::{MOST_ROUTES, Route, Start};
use super::session::Session;
use super::spelling::LoginName;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};
use host_sdk::kit::Deadline;
use host_sdk::kit::text::printable;

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

    /// Enters `directory`, unless the session is there already; the reply where that is refused.
    pub(super) fn enter(&mut self, directory: &RemotePath) -> Result<Option<Reply>, Failure> {
        if self.current_directory.as_ref() == Some(directory) && self.is_directory_proven {
            return Ok(None);
        }
        let mut refusal = None;
        for tried in 0..MOST_ROUTES {
            let Some(route) = self.route_to(directory, tried) else { break };
            let refused = self.follow(&route, directory)?;
            self.note_route(&route, directory, refused.is_none());
            let Some(reply) = refused else {
                self.closed.remove(directory);
                return Ok(None);
            };
            let is_final = reply.closes_session() || !reply.is_permanent_refusal();
            refusal = Some(reply);
            if is_final {
                break;
            }
        }
        Ok(refusal)
    }

    /// Goes along `route` to `directory`; the reply where a step of it is refused.
    fn follow(&mut self, route: &Route, directory: &RemotePath) -> Result<Option<Reply>, Failure> {
        let login = self.login_directory.clone();
        if route.start != Start::Here && self.current_directory.as_ref() != Some(&login) {
            let is_named = route.start == Start::Login && !login.as_str().is_empty();
            let refused = if is_named { self.step(login.base_text())? } else { None };
            if let Some(reply) = &refused
                && (reply.closes_session() || !reply.is_permanent_refusal())
            {
                return Ok(refused);
            }
            if refused.is_some() {
                log::info!("the server does not know {login}, where the login leads, by that name");
                self.shared.server.spelling.note_login_name(LoginName::Useless);
            }
            if refused.is_some() || !is_named {
                self.renew_at_login(self.transfer_limit())?;
            }
            self.current_directory = Some(login);
        }
        for step in &route.steps {
            if let Some(reply) = self.step(step)? {
                return Ok(Some(reply));
            }
        }
        self.arrive(directory.clone());
        Ok(None)
    }

    /// Sends CWD; the reply where it is refused. A server that refuses stays where it is.
    fn step(&mut self, text: &str) -> Result<Option<Reply>, Failure> {
        let ends_in_slash = self.shared.server.spelling.ends_in_slash();
        let slash = if ends_in_slash && !text.ends_with('/') { "/" } else { "" };
        let before = self.current_directory.take();
        let sent = self.command(Command::new(Verb::Cwd, format_args!("{text}{slash}")));
        let reply = sent.map_err(|e| e.with_path(printable(text)))?;
        if reply.is_done() {
            return Ok(None);
        }
        self.current_directory = before;
        Ok(Some(reply))
    }

    /// Notes where the session is.
    fn arrive(&mut self, directory: RemotePath) {
        self.current_directory = Some(directory);
        self.is_directory_proven = true;
        self.is_stale = false;
        self.entered_at = Instant::now();
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
        if is_login || directory.as_str() == "/" || self.has_directory(directory)? {
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
