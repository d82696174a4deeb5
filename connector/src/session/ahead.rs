//! Commands that are sent before the reply to the one before them has come: on a line with a delay,
//! each reply that is waited for costs a round trip.
//!
//! Only questions go ahead, never a command that changes anything. Whoever gives one of them as a
//! command gets its reply; the replies to the others are read and dropped. The first sign that a
//! server does not take it ends it for all sessions of the connection.

use std::collections::VecDeque;
use std::time::Duration;

use super::session::Session;
use crate::config::DataMode;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};

/// How long the reply to a command that went ahead may take: the server has had the command for a
/// while, or has lost it.
const LIMIT: Duration = Duration::from_secs(5);

/// The commands of a session that go ahead.
#[derive(Default)]
pub(in crate::session) struct Ahead {
    /// They are sent at the end of the next download.
    announced: Vec<Command>,
    /// They were sent, and their replies are still to be read.
    sent: VecDeque<Command>,
}

impl Session {
    /// Announces that the file at `path` will be downloaded after the present one, and that its time
    /// is asked for before that (`asks_time`). What will be asked is sent with the end of the present
    /// download.
    pub(crate) fn announce_download(&mut self, path: &RemotePath, asks_time: bool) {
        let server = &self.shared.server;
        let is_passive = self.shared.settings.mode == DataMode::Passive && self.uses_epsv();
        if !server.may_send_ahead() || !is_passive {
            return;
        }
        if asks_time && self.features.mdtm && server.may_ask_times() {
            let Some(text) = self.text_here(path) else { return };
            let command = Command::new(Verb::Mdtm, text);
            self.ahead.announced.push(command);
        }
        self.ahead.announced.push(Verb::Epsv.into());
    }

    /// Forgets what is announced.
    pub(crate) fn withdraw_announcement(&mut self) {
        self.ahead.announced.clear();
    }

    /// Sends what was announced. A session that it cannot be sent over shows that with its next
    /// command.
    pub(in crate::session) fn send_announced(&mut self) {
        let commands = std::mem::take(&mut self.ahead.announced);
        if commands.is_empty() || !self.ahead.sent.is_empty() || self.poisoned {
            return;
        }
        let encoding = self.shared.settings.encoding;
        let lines: Result<Vec<_>, _> =
            commands.iter().map(|command| encoding.encode(command.line())).collect();
        let Ok(lines) = lines else { return };
        if self.control.send_all(&lines).is_err() {
            self.poison();
        }
        self.ahead.sent = commands.into();
    }

    /// Forgets what is announced, and drops the replies to what went ahead; without them, the session
    /// is poisoned.
    pub(in crate::session) fn end_ahead(&mut self) {
        self.withdraw_announcement();
        let _ = self.drop_ahead();
    }

    /// Whether replies are still to come that no command has waited for.
    pub(in crate::session) fn awaits_replies(&self) -> bool {
        !self.ahead.sent.is_empty()
    }

    /// The reply to `command`, where it went ahead. Replies to others are dropped.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(in crate::session) fn reply_ahead(
        &mut self,
        command: &Command,
    ) -> Result<Option<Reply>, Failure> {
        while let Some(first) = self.ahead.sent.pop_front() {
            let verb = first.verb();
            let awaited = format!("the reply to {verb}");
            let reply = self.control.next_reply_within(LIMIT, &awaited).map_err(|e| {
                self.ahead.sent.clear();
                self.shared.server.forbid_ahead();
                self.poison_for(e)
            })?;
            let is_it = first.line() == command.line();
            if is_it && (verb != Verb::Epsv || reply.is_extended_passive()) {
                return Ok(Some(reply));
            }
            if reply.closes_session() {
                return Err(self.refusal(&reply, Phase::Transfer, verb, verb.as_str()));
            }
            if is_it {
                log::info!("the server takes no command ahead: {}", self.redacted(&reply));
                self.shared.server.forbid_ahead();
            }
        }
        Ok(None)
    }

    /// Reads and drops the replies to what went ahead.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(in crate::session) fn drop_ahead(&mut self) -> Result<(), Failure> {
        if self.poisoned {
            self.ahead.sent.clear();
        }
        while let Some(first) = self.ahead.sent.front().cloned() {
            // The reply to the first one ends the loop within.
            self.reply_ahead(&first)?;
        }
        Ok(())
    }
}
