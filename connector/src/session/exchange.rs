//! Commands and their replies, those that come twice or ahead of their turn among them.

use std::time::Duration;

use super::control::MAXIMUM_REPLY;
use super::session::Session;
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::reply_values::passive_endpoint;
use crate::protocol::verb::{Command, Verb};
use crate::session::redaction::redact;

impl Session {
    /// Sends `command` and reads its reply, whatever it is. A preliminary reply comes back too.
    ///
    /// # Errors
    ///
    /// `connection`, `timeout`, `protocol`, `cancelled`; the session is poisoned then.
    /// `document` when the command cannot be sent as it is.
    pub(super) fn command(&mut self, command: impl Into<Command>) -> Result<Reply, Failure> {
        let command = command.into();
        self.check_sendable(&command)?;
        if let Some(reply) = self.reply_ahead(Some(&command))? {
            self.answered_twice = None;
            return Ok(reply);
        }
        self.send(&command)?;
        self.reply_to(command.verb())
    }

    fn check_sendable(&self, command: &Command) -> Result<(), Failure> {
        let verb = command.verb();
        if self.poisoned {
            return Err(Failure::internal("a command on a session that is of no use any more"));
        }
        if command.line().contains(['\r', '\n', '\0']) {
            return Err(Failure::new(
                Cause::Unsendable,
                format!("{verb} with CR, LF or NUL in its argument was not sent"),
            ));
        }
        Ok(self.cancel.check()?)
    }

    /// Sends `command` without reading its reply.
    ///
    /// # Errors
    ///
    /// As [`Session::command`].
    pub(super) fn send(&mut self, command: &Command) -> Result<(), Failure> {
        self.check_sendable(command)?;
        self.check_quiet()?;
        let bytes = self.shared.settings.encoding.encode(command.line()).map_err(|e| {
            Failure::new(Cause::Unsendable, e.to_string())
                .with_hint("set fileNameEncoding to one that has this character, such as utf-8")
        })?;
        self.control.send_all(&[bytes]).map_err(|e| self.poison_for(e))
    }

    /// Reads the reply to `verb`, which was sent.
    ///
    /// # Errors
    ///
    /// As [`Session::command`].
    pub(super) fn reply_to(&mut self, verb: Verb) -> Result<Reply, Failure> {
        let awaited = format!("the reply to {verb}");
        let most = if verb == Verb::Stat { MAXIMUM_STATUS } else { MAXIMUM_REPLY };
        let result = self.control.next_reply_of(most, &awaited);
        let mut reply = result.map_err(|e| self.poison_for(e))?;
        let conventions = &self.shared.server.conventions;
        let is_second = self.answered_twice.is_some_and(|code| reply.may_repeat(code, verb));
        if is_second && !conventions.answers_once.is_known() {
            if self.control.wait_for_input(SECOND_REPLY) {
                log::debug!("the server answered twice before {verb}: {}", self.redacted(&reply));
                let result = self.control.next_reply(&awaited);
                reply = result.map_err(|e| self.poison_for(e))?;
            } else {
                conventions.answers_once.note();
            }
        }
        self.answered_twice = verb.may_be_answered_twice().then(|| reply.code());
        Ok(reply)
    }

    /// The reply to `command`, where it went ahead. Replies to other commands that did are dropped.
    /// The first sign that a server does not take commands ahead ends it for the connection.
    fn reply_ahead(&mut self, command: Option<&Command>) -> Result<Option<Reply>, Failure> {
        while self.ahead.awaits_replies() {
            let next = self.ahead.next_reply(&mut self.control).map_err(|e| {
                self.shared.server.forbid_ahead();
                self.poison_for(e)
            })?;
            let Some((asked, reply)) = next else { break };
            let verb = asked.verb();
            let is_it = command.is_some_and(|command| command.line() == asked.line());
            if is_it && (verb != Verb::Epsv || passive_endpoint(&reply).is_some()) {
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
    pub(super) fn drop_ahead(&mut self) -> Result<(), Failure> {
        if self.poisoned {
            self.ahead.forget();
        }
        self.reply_ahead(None).map(drop)
    }

    /// Checks that the server has neither spoken nor hung up since its last answer, which it may
    /// have given twice.
    pub(super) fn check_quiet(&mut self) -> Result<(), Failure> {
        self.drop_ahead()?;
        for _ in 0..MAXIMUM_PRELIMINARY {
            if !self.control.has_unsolicited_input() {
                return Ok(());
            }
            let heard = self.control.next_reply("an unrequested reply");
            match (self.answered_twice, heard) {
                (Some(code), Ok(reply)) if reply.code() == code => {
                    log::debug!("the server answered twice: {}", self.redacted(&reply));
                }
                (_, heard) => return Err(self.unsolicited(heard)),
            }
        }
        Err(self.poison_for(Failure::new(Cause::Nonsense, "the server answers without end")))
    }

    /// The error of a server that speaks, or hangs up, without being asked: its words would pass
    /// for the answer to the next command, and each answer after that for the next one's.
    fn unsolicited(&mut self, heard: Result<Reply, Failure>) -> Failure {
        let error = match heard {
            Ok(reply) if reply.is_transient_refusal() => {
                let printed = self.redacted(&reply);
                Failure::refused(&reply, Phase::Transfer, None, "the session", &printed)
            }
            Ok(reply) => {
                let reply = self.redacted(&reply);
                Failure::new(Cause::Nonsense, format!("the server said \"{reply}\" unasked"))
            }
            Err(e) => e,
        };
        self.poison_for(error)
    }

    /// The error of a refusal; a goodbye also ends the session.
    pub(super) fn refusal(
        &mut self,
        reply: &Reply,
        phase: Phase,
        verb: Verb,
        shown: &str,
    ) -> Failure {
        if reply.closes_session()
            || !(reply.is_done() || reply.is_permanent_refusal() || reply.is_transient_refusal())
        {
            self.poison();
        }
        Failure::refused(reply, phase, Some(verb), shown, &self.redacted(reply))
    }

    /// The reply as it may be told: some servers repeat what they heard.
    pub(super) fn redacted(&self, reply: &Reply) -> Reply {
        reply.map_lines(|line| redact(&self.shared.settings, line))
    }

    /// Poisons the session for `error`, unless the command was never sent.
    pub(super) fn poison_for(&mut self, error: Failure) -> Failure {
        if !error.is(Cause::Unsendable) {
            self.poison();
        }
        if self.cancel.is_cancelled() { Failure::cancelled() } else { error }
    }

    /// Gives the session up: no command is sent over it any more.
    pub(crate) fn poison(&mut self) {
        self.poisoned = true;
    }
}

/// The longest reply to STAT, which may be the listing of a directory.
const MAXIMUM_STATUS: usize = 64 * 1024 * 1024;

/// How long a reply may take that a server gives after one that it gave twice.
const SECOND_REPLY: Duration = Duration::from_secs(1);

/// How many preliminary replies may precede an answer.
pub(super) const MAXIMUM_PRELIMINARY: usize = 100;
