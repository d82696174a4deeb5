//! The working directory: where the session is, and going elsewhere by CWD (RFC 959 §4.1.1).

use std::time::Instant;

use super::route::{MOST_ROUTES, Route, Start};
use super::session::Session;
use super::spelling::LoginName;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};
use host_sdk::kit::text::printable;

impl Session {
    /// Whether the session is in `directory`, and was not left alone for so long that the directory
    /// may have been renamed since.
    pub(super) fn is_in(&self, directory: &RemotePath) -> bool {
        let is_login = *directory == self.login_directory;
        self.current_directory.as_ref() == Some(directory) && (is_login || !self.is_stale)
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
        if route.start != Start::Here {
            let refused = self.return_to_login(route.start == Start::Login)?;
            if refused.is_some() {
                return Ok(refused);
            }
        }
        for step in &route.steps {
            if let Some(reply) = self.step(step)? {
                return Ok(Some(reply));
            }
        }
        self.arrive(directory.clone());
        Ok(None)
    }

    /// Goes back to the directory after login: by its name if that `is_named`, and where that leads
    /// nowhere by a new login; the reply where the name is refused for now.
    pub(super) fn return_to_login(&mut self, is_named: bool) -> Result<Option<Reply>, Failure> {
        let login = self.login_directory.clone();
        if self.current_directory.as_ref() == Some(&login) {
            return Ok(None);
        }
        let has_name = is_named && !login.base_text().is_empty();
        if has_name {
            match self.step(login.base_text())? {
                None => {
                    self.arrive(login);
                    return Ok(None);
                }
                Some(reply) if reply.closes_session() || !reply.is_permanent_refusal() => {
                    return Ok(Some(reply));
                }
                Some(_) => {}
            }
            log::info!("the server does not know {login}, where the login leads, by that name");
            self.shared.server.spelling.note_login_name(LoginName::Useless);
        }
        self.renew_at_login(self.transfer_limit())?;
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
}
