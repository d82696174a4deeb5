//! Commands that are sent before the reply to the one before them has come: on a line with a delay,
//! each reply that is waited for costs a round trip.
//!
//! Only questions go ahead, never a command that changes anything.

use std::collections::VecDeque;
use std::time::Duration;

use super::control::Control;
use crate::failure::Failure;
use crate::file::name::NameEncoding;
use crate::protocol::reply::Reply;
use crate::protocol::verb::Command;

/// How long the reply to a command that went ahead may take: the server has had the command for a
/// while, or has lost it.
const LIMIT: Duration = Duration::from_secs(5);

/// The commands of a session that go ahead.
#[derive(Default)]
pub(in crate::session) struct Ahead {
    announced: Vec<Command>,
    sent: VecDeque<Command>,
}

impl Ahead {
    /// Announces `commands` in place of those before.
    pub(in crate::session) fn announce(&mut self, commands: Vec<Command>) {
        self.announced = commands;
    }

    /// Forgets every command; their replies come nevertheless.
    pub(in crate::session) fn forget(&mut self) {
        *self = Self::default();
    }

    /// Whether replies are still to come.
    pub(in crate::session) fn awaits_replies(&self) -> bool {
        !self.sent.is_empty()
    }

    /// Sends what is announced, unless something went ahead already.
    ///
    /// # Errors
    ///
    /// What sending can fail with.
    pub(in crate::session) fn send(
        &mut self,
        control: &mut Control,
        encoding: NameEncoding,
    ) -> Result<(), Failure> {
        let commands = std::mem::take(&mut self.announced);
        if commands.is_empty() || self.awaits_replies() {
            return Ok(());
        }
        let mut lines = Vec::with_capacity(commands.len());
        for command in &commands {
            // One that cannot be sent is asked in its turn, which tells why.
            let Ok(line) = encoding.encode(command.line()) else { return Ok(()) };
            lines.push(line.into_owned());
        }
        self.sent = commands.into();
        control.send_all(&lines)
    }

    /// The first command whose reply is still to come, and its reply; `None` where there is none.
    ///
    /// # Errors
    ///
    /// What reading a reply can fail with, after which no further reply can be told apart.
    pub(in crate::session) fn next_reply(
        &mut self,
        control: &mut Control,
    ) -> Result<Option<(Command, Reply)>, Failure> {
        let Some(command) = self.sent.pop_front() else { return Ok(None) };
        let awaited = format!("the reply to {}", command.verb());
        match control.next_reply_within(LIMIT, &awaited) {
            Ok(reply) => Ok(Some((command, reply))),
            Err(e) => {
                self.forget();
                Err(e)
            }
        }
    }
}
