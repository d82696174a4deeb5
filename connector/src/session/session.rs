//! A session: its state, one command and one reply at a time.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ahead::Ahead;
use super::control::{Control, MAXIMUM_REPLY};
use super::server::Shared;
use super::spelling::LoginName;
use super::transcript::{Transcript, TranscriptWriter};
use crate::config::{ConnectionSettings, TransferFormat};
use crate::failure::{Cause, Failure};
use crate::file::checksum::Algorithm;
use crate::file::path::RemotePath;
use crate::file::time::zone::ServerTimeZone;
use crate::protocol::features::Features;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::reply_text::Emptiness;
use crate::protocol::reply_values::{passive_endpoint, quoted_path};
use crate::protocol::verb::{Command, Verb};
use crate::session::redaction::redact;
use crate::transport::error::io_error;
use crate::transport::tls::handshake::TlsSession;
use host_sdk::kit::Deadline;
use host_sdk::kit::{CancelToken, Registration};

/// A session that is logged in.
pub(crate) struct Session {
    pub(super) control: Control,
    pub(super) shared: Arc<Shared>,
    pub(super) tls: Option<TlsSession>,
    pub(super) cancel: CancelToken,
    pub(super) watch: Option<Registration>,
    pub(super) peer: SocketAddr,
    pub(super) local: SocketAddr,
    pub(super) features: Features,
    pub(super) login_directory: RemotePath,
    pub(super) current_directory: Option<RemotePath>,
    /// Whether that directory was there when this execution began or later.
    pub(super) is_directory_proven: bool,
    /// When that directory was entered.
    pub(super) entered_at: Instant,
    /// Whether that was so long ago that another directory may have its name by now.
    pub(super) is_stale: bool,
    /// The directories that may not be entered, as was seen lately.
    pub(super) closed: HashMap<RemotePath, Instant>,
    /// What the server's own words, before secrets are taken out, said of the directory where a
    /// transfer was refused last.
    pub(super) refused_listing: Option<Emptiness>,
    pub(super) format: Option<TransferFormat>,
    /// What HASH computes, once it was chosen.
    pub(super) hash: Option<Algorithm>,
    /// The code of the last reply, where the command is one that some servers answer twice.
    pub(super) answered_twice: Option<u16>,
    pub(super) poisoned: bool,
    /// Whether a listing was cut short: the next one would begin with what pure-ftpd still has
    /// of it.
    pub(super) has_cut_listing: bool,
    /// The deadline of the transfer under way, which its data connection's opening counts to.
    pub(super) transfer_deadline: Deadline,
    /// What is asked before its turn.
    pub(super) ahead: Ahead,
    /// When the last execution gave it back.
    pub(super) idle_since: Instant,
}

impl Session {
    /// What the server says it can do.
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// The directory after login, which relative paths count from.
    pub(crate) fn login_directory(&self) -> &RemotePath {
        &self.login_directory
    }

    /// The settings of the connection.
    pub(crate) fn settings(&self) -> &ConnectionSettings {
        &self.shared.settings
    }

    /// By when a data connection must be open.
    pub(super) fn opening_deadline(&self) -> Deadline {
        let limit = self.shared.settings.connection_timeout;
        Deadline::after(limit, "connectionTimeout").earlier(self.transfer_deadline)
    }

    /// By when a transfer that begins now must be over.
    pub(crate) fn transfer_limit(&self) -> Deadline {
        Deadline::after(self.shared.settings.transfer_timeout, "transferTimeout")
    }

    /// Whether another command can be sent: nothing went wrong, and the server has neither
    /// spoken nor hung up in the meantime.
    pub(crate) fn is_usable(&mut self) -> bool {
        if self.poisoned || self.ahead.awaits_replies() {
            return !self.poisoned;
        }
        match self.answered_twice {
            None => !self.control.has_unsolicited_input(),
            Some(_) => self.check_quiet().is_ok(),
        }
    }

    /// Hands the session to another execution: its cancellation is the one that counts now, and
    /// what is said goes into its transcript.
    pub(crate) fn attach(
        &mut self,
        cancel: &CancelToken,
        transcript: &Transcript,
    ) -> Result<(), Failure> {
        self.control.set_transcript(TranscriptWriter::new(&self.shared, transcript));
        self.control.set_deadline(Deadline::never());
        // Meanwhile it may have been removed. One of which no name is known cannot be entered twice.
        self.is_directory_proven = self.current_directory.as_ref().is_some_and(|directory| {
            directory.counts_from_nowhere()
                || self.shared.server.spelling.login_name() == LoginName::Useless
        });
        self.begin_document();
        self.watch = None;
        self.cancel = cancel.clone();
        let watched = cancel.register(self.control.stream().socket());
        self.watch = Some(watched.map_err(|e| io_error("the control connection", &e))?);
        Ok(())
    }

    /// Another document begins: a directory that was entered long ago is entered again.
    pub(crate) fn begin_document(&mut self) {
        self.closed.retain(|_, since| since.elapsed() <= STALE_AFTER);
        self.is_stale = self.entered_at.elapsed() > STALE_AFTER;
        if self.is_stale
            && !self.current_directory.as_ref().is_some_and(RemotePath::counts_from_nowhere)
        {
            self.is_directory_proven &=
                self.current_directory.as_ref() == Some(&self.login_directory);
        }
    }

    /// Whether the server still answers, where the session has been idle long enough for a NAT
    /// device to have forgotten it.
    pub(crate) fn is_alive(&mut self) -> bool {
        if self.idle_since.elapsed() < IDLE_CHECK_AFTER {
            return true;
        }
        self.control.set_deadline(Self::goodbye());
        let answer = self.command(Verb::Noop);
        self.control.set_deadline(Deadline::never());
        answer.is_ok() && !self.poisoned
    }

    /// Takes the session from its execution.
    pub(crate) fn release(&mut self) {
        self.ahead.announce(Vec::new());
        // Without the replies, the session is poisoned.
        let _ = self.drop_ahead();
        self.idle_since = Instant::now();
        self.control.set_transcript(TranscriptWriter::new(&self.shared, &Transcript::default()));
        self.watch = None;
        self.cancel = CancelToken::default();
    }

    /// Says goodbye, if the session is in a state to, and waits for the answer until `deadline`
    /// at most. What the server answers changes nothing.
    pub(crate) fn quit(mut self, deadline: Deadline) {
        if self.is_usable() {
            self.control.set_deadline(deadline);
            let _ = self.command(Verb::Quit);
        }
    }

    /// The deadline of all goodbyes that are said now.
    pub(crate) fn goodbye() -> Deadline {
        Deadline::after(Some(QUIT_TIMEOUT), "")
    }

    /// The working directory (PWD), in whatever words the server spells it; `None` where it does not
    /// say.
    pub(super) fn working_directory(&mut self) -> Result<Option<RemotePath>, Failure> {
        let reply = self.command(Verb::Pwd)?;
        let quoted = if reply.is_done() { quoted_path(reply.first_line()) } else { None };
        let encoding = self.shared.settings.encoding;
        if quoted.as_ref().is_some_and(|path| path.iter().any(u8::is_ascii_control)) {
            self.poison();
            let shown = self.redacted(&reply);
            let message = format!("the working directory is no path: {shown}");
            return Err(Failure::new(Cause::Nonsense, message));
        }
        let Some(text) = quoted.map(|path| encoding.decode(&path)) else { return Ok(None) };
        if text.len() > 1 && text.ends_with('/') {
            self.shared.server.spelling.note_slash();
        }
        RemotePath::login_at(&text).map(Some).map_err(|_| {
            self.poison();
            Failure::new(
                Cause::Nonsense,
                format!("the working directory is no path: {}", self.redacted(&reply)),
            )
        })
    }

    /// Sets the representation type (TYPE), unless it is set already.
    ///
    /// # Errors
    ///
    /// `unsupported`; what a command can fail with.
    pub(crate) fn set_format(&mut self, format: TransferFormat) -> Result<(), Failure> {
        if self.format == Some(format) {
            return Ok(());
        }
        let command = match format {
            TransferFormat::Binary => Command::new(Verb::Type, "I"),
            TransferFormat::Ascii => Command::new(Verb::Type, "A"),
        };
        let reply = self.command(command.clone())?;
        if !reply.is_done() {
            return Err(self.refusal(&reply, Phase::Path, Verb::Type, command.line()));
        }
        self.format = Some(format);
        Ok(())
    }

    /// The zone of the server's clock: the configured one, else the one that was measured.
    pub(crate) fn zone(&self) -> &ServerTimeZone {
        match &self.shared.settings.zone {
            ServerTimeZone::Auto => self.shared.server.zone.get().unwrap_or(&ServerTimeZone::Auto),
            configured => configured,
        }
    }

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
    fn drop_ahead(&mut self) -> Result<(), Failure> {
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

/// How long a session may be idle before the server is asked whether it is still there.
const IDLE_CHECK_AFTER: Duration = Duration::from_secs(30);

/// How long a directory is taken for the one that its name led to: somebody may rename it, and make
/// another one of its name.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// How long the server may take to answer QUIT.
const QUIT_TIMEOUT: Duration = Duration::from_secs(2);
