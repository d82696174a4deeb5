//! Transfers: a command, its data connection, and the proof that all of it arrived.
//!
//! What makes a transfer complete differs by direction: see [`Download`] and [`Upload`].

use std::io::{self, ErrorKind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::opening::{DataConnection, LATE_DATA, Opened, REASON_TIMEOUT};
use super::proof::Doubt;
use crate::config::{CloseNotify, TransferFormat};
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::{Repeated, Reply};
use crate::protocol::reply_text::Emptiness;
use crate::protocol::verb::{Command, Verb};
use crate::session::session::Session;
use crate::transport::error::io_error;
use crate::transport::error::is_timeout;
use crate::transport::tls::handshake::is_resumed;
use host_sdk::kit::Deadline;

/// How long a read or a write may block before the control connection is looked at: a server that
/// has refused the rest of a transfer need neither read nor hang up.
pub(in crate::session) const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A transfer under way.
pub(in crate::session) struct Transfer<'s> {
    pub(in crate::session) session: &'s mut Session,
    pub(in crate::session) data: Option<DataConnection>,
    command: Command,
    offset: u64,
    deadline: Deadline,
    /// The time-out that the data connection has now.
    limit: Option<Duration>,
    /// Whether the data connection made a TLS handshake from scratch.
    full_handshake: bool,
    /// The confirmation, where the server gave it before it was asked for.
    confirmation: Option<Reply>,
    /// When it was given.
    confirmed_at: Option<Instant>,
    /// Why its end will not prove that the transfer is whole.
    doubt: Option<Doubt>,
    /// Whether so much has been moved that the server must have accepted the data connection.
    pub(in crate::session) moved: bool,
    done: bool,
}

impl Session {
    /// Begins a transfer with `command`, from `offset` on, which must be over by `deadline`.
    pub(in crate::session) fn transfer(
        &mut self,
        command: Command,
        offset: u64,
        deadline: Deadline,
    ) -> Result<Transfer<'_>, Failure> {
        self.renew_for_tickets(deadline)?;
        self.transfer_deadline = deadline;
        self.control.set_deadline(deadline);
        let opened = self.open_in_some_type(&command, offset).inspect_err(|_| {
            self.control.set_deadline(Deadline::never());
        });
        let Opened { data, confirmation } = opened?;
        let full_handshake =
            data.as_ref().is_some_and(|it| it.stream.tls().is_some() && !is_resumed(&it.stream));
        let doubt = match data {
            None => Some(Doubt::NoDataConnection(unopened(command.verb()))),
            Some(_) => None,
        };
        let confirmed_at = confirmation.as_ref().map(|_| Instant::now());
        Ok(Transfer {
            limit: self.shared.settings.read_timeout,
            session: self,
            data,
            command,
            offset,
            deadline,
            full_handshake,
            confirmation,
            confirmed_at,
            doubt,
            moved: false,
            done: false,
        })
    }

    /// Opens the data connection of `command`; that of a listing in the representation type that the
    /// server lists in. Some refuse to list in the type I.
    fn open_in_some_type(&mut self, command: &Command, offset: u64) -> Result<Opened, Failure> {
        if !command.verb().lists() {
            return self.open_data(command, offset);
        }
        if self.shared.server.conventions.lists_in_ascii.is_known() {
            self.set_format(TransferFormat::Ascii)?;
        }
        // A single file's listing is only ever an attempt.
        let is_directory = !command.names_a_path();
        let was_binary = is_directory && self.format == Some(TransferFormat::Binary);
        let refused = match self.open_data(command, offset) {
            Ok(opened) => {
                if was_binary {
                    self.shared.server.conventions.lists_in_binary.note();
                }
                return Ok(opened);
            }
            Err(e) => e,
        };
        if !(was_binary && self.may_be_the_type(command.verb(), &refused)) {
            return Err(refused);
        }
        let emptiness = self.refused_listing;
        // A server that takes no other type has refused the listing for another reason.
        let opened = match self.set_format(TransferFormat::Ascii) {
            Ok(()) => self.open_data(command, offset),
            Err(e) => Err(e),
        };
        match opened {
            Ok(opened) => {
                log::info!("the server lists in the representation type A alone");
                self.shared.server.conventions.lists_in_ascii.note();
                Ok(opened)
            }
            Err(e) if !e.is_answer() || !self.is_usable() => Err(e),
            Err(_) => {
                self.refused_listing = emptiness;
                Err(refused)
            }
        }
    }

    /// Whether a listing may be refused for its representation type.
    fn may_be_the_type(&mut self, verb: Verb, refused: &Failure) -> bool {
        let is_about_listing = refused.is_refusal_of(verb)
            && !(verb == Verb::Mlsd && refused.is_unknown_command())
            && matches!(
                refused.cause(),
                Cause::Denied | Cause::Unavailable | Cause::Unsupported | Cause::Nonsense
            );
        is_about_listing
            && !self.shared.server.conventions.lists_in_binary.is_known()
            && self.refused_listing != Some(Emptiness::Nothing)
            && self.is_usable()
    }
}

impl Transfer<'_> {
    /// Limits the next reads and writes to what the transfer has left, and to `most`.
    pub(in crate::session) fn set_timeouts(
        &mut self,
        most: Option<Duration>,
    ) -> Result<(), Failure> {
        let left = self.deadline.remaining("the transfer")?;
        let idle = self.session.shared.settings.read_timeout;
        let limit = [left, idle, most].into_iter().flatten().min();
        let Some(data) = self.data.as_ref().filter(|_| self.limit != limit) else { return Ok(()) };
        self.limit = limit;
        data.stream
            .set_read_timeout(limit)
            .and_then(|()| data.stream.set_write_timeout(limit))
            .map_err(|e| io_error("the data connection", &e))
    }

    pub(in crate::session) fn failed(&mut self, error: &std::io::Error) -> Failure {
        let is_tls = self.data.take().is_some_and(|data| data.stream.tls().is_some());
        let is_silent = !self.session.control.has_unsolicited_input();
        let stalled = is_timeout(error).then(|| {
            let idle = self.session.shared.settings.read_timeout.unwrap_or_default();
            let late = self.deadline.remaining("the transfer").err().map(Failure::from);
            late.unwrap_or_else(|| {
                Failure::late(&format!("waiting for the data of {}", self.command.verb()), idle)
                    .with_hint("raise readTimeout if the server is just slow")
            })
        });
        let error = match stalled {
            Some(stalled) if is_silent && !self.session.cancel.is_cancelled() => {
                self.session.poison();
                return stalled;
            }
            Some(stalled) => stalled,
            None if is_tls && error.kind() == ErrorKind::UnexpectedEof => self.cut_short(error),
            None => io_error("the data connection", error),
        };
        let reason = self.session.with_server_reason(error, self.command.verb());
        // A server that refuses does so before the data, or says it: a cut later is just a cut.
        let is_refusal = reason.is_answer() || !self.moved;
        if is_refusal { self.after_full_handshake(reason) } else { reason }
    }

    /// Waits for the server's confirmation; the data connection must be closed by then.
    pub(in crate::session) fn confirm(&mut self) -> Result<Reply, Failure> {
        let reply = match self.confirmation.take() {
            Some(reply) => reply,
            None => self.session.next_reply(self.command.verb())?,
        };
        let reply = self.session.skip_replies(reply, self.command.verb(), Reply::is_preliminary)?;
        self.done = true;
        if !reply.is_transfer_complete() {
            if !reply.is_done() {
                return Err(self.refused(&reply));
            }
            let (verb, shown) = (self.command.verb(), self.session.redacted(&reply));
            let message = format!("the server ends {verb} with {shown}, which confirms nothing");
            let unconfirmed = Failure::new(Cause::Nonsense, message);
            if self.doubt.is_some() {
                return Err(unconfirmed);
            }
            self.doubt = Some(Doubt::OtherConfirmation(unconfirmed));
        }
        self.require_whole(&reply)?;
        Ok(reply)
    }

    /// Refuses a confirmed transfer of `moved` bytes whose end does not prove it, unless the size of
    /// the file does. `line_ends` of the bytes may be counted differently by the server.
    pub(in crate::session) fn prove(&mut self, moved: u64, line_ends: u64) -> Result<(), Failure> {
        let Some(doubt) = self.doubt.take() else { return Ok(()) };
        let verb = self.command.verb();
        if verb.lists() {
            let is_settled = doubt.is_settled_by_confirmation();
            return if is_settled { Ok(()) } else { Err(doubt.into_failure()) };
        }
        if !matches!(verb, Verb::Retr | Verb::Stor) {
            return Err(doubt.into_failure());
        }
        let whole = self.offset.saturating_add(moved);
        let possible = whole.saturating_sub(line_ends)..=whole;
        let is_proven = self.session.has_size(&self.command, &possible)?;
        if is_proven { Ok(()) } else { Err(doubt.into_failure()) }
    }

    /// Takes the bare end of a connection inside TLS for the end of the data, where the settings
    /// allow that.
    pub(in crate::session) fn ends_without_close_notify(&mut self, error: &io::Error) -> bool {
        let is_lenient = self.session.shared.settings.tls.close_notify == CloseNotify::Lenient;
        let is_tls = self.data.as_ref().is_some_and(|data| data.stream.tls().is_some());
        let ends = is_lenient && is_tls && error.kind() == ErrorKind::UnexpectedEof;
        if ends {
            self.doubt = Some(Doubt::NoCloseNotify(self.cut_short(error)));
        }
        ends
    }

    /// Takes a data connection over which nothing has come since the confirmation for one that the
    /// server never opened.
    pub(in crate::session) fn ends_unopened(&mut self) -> bool {
        let is_late = self.confirmed_at.is_some_and(|at| at.elapsed() >= LATE_DATA);
        let ends = is_late && !self.moved;
        if ends {
            self.doubt = Some(Doubt::NoDataConnection(unopened(self.command.verb())));
        }
        ends
    }

    /// Whether lines are transferred (TYPE A).
    pub(in crate::session) fn is_text(&self) -> bool {
        self.session.format != Some(TransferFormat::Binary)
    }

    /// The error of a transfer without a data connection to send anything over.
    pub(in crate::session) fn unopened(self) -> Failure {
        unopened(self.command.verb()).with_outcome_unknown()
    }

    fn cut_short(&self, error: &io::Error) -> Failure {
        io_error("the data connection", error).with_hint(
            "the data may have been cut on its way; where the server never ends TLS in order, set \
             tlsCloseNotify to lenient",
        )
    }

    /// Refuses a confirmed upload or download whose confirmation says that it is not whole. What a
    /// listing says is judged with its entries.
    fn require_whole(&self, reply: &Reply) -> Result<(), Failure> {
        let verb = self.command.verb();
        let encoding = self.session.shared.settings.encoding;
        let path = Repeated { path: self.command.argument(), encoding };
        if verb.lists() || !reply.says_incomplete(Some(path)) {
            return Ok(());
        }
        let shown = self.session.redacted(reply);
        let message = format!("the server ends {verb} and says that it is not whole: {shown}");
        Err(Failure::new(Cause::Unproven, message))
    }

    /// Waits for what the server says to a listing that was cut: one reply, whatever it is, and
    /// the session is in step. Without one it is poisoned.
    pub(in crate::session) fn abandon(&mut self) -> Result<(), Failure> {
        self.session.has_cut_listing = true;
        self.session.control.set_deadline(Deadline::after(Some(REASON_TIMEOUT), ""));
        let reply = match self.confirmation.take() {
            Some(reply) => Ok(reply),
            None => self.session.next_reply(self.command.verb()),
        };
        let verb = self.command.verb();
        let behind = |reply| self.session.skip_replies(reply, verb, Reply::is_preliminary);
        if let Ok(reply) = reply.and_then(behind) {
            self.done = true;
            if !reply.is_transfer_complete() {
                // Most servers complain (426), and only a goodbye among their words matters.
                let _ = self.session.refusal(&reply, Phase::Transfer, verb, verb.as_str());
            }
        }
        Ok(self.session.cancel.check()?)
    }

    /// The error of a server that refuses the transfer, or the rest of it.
    fn refused(&mut self, reply: &Reply) -> Failure {
        let error = self.session.data_refusal(reply, self.command.verb());
        if reply.is_data_refused() { self.after_full_handshake(error) } else { error }
    }

    /// Hears what the server says while it is being sent data: mostly that it wants no more.
    pub(in crate::session) fn read_early_reply(&mut self) -> Result<(), Failure> {
        if self.confirmation.is_some() || !self.session.control.has_unsolicited_input() {
            return Ok(());
        }
        let reply = self.session.next_reply(self.command.verb())?;
        if reply.is_done() {
            self.confirmation = Some(reply);
            self.confirmed_at = Some(Instant::now());
        } else if !reply.is_preliminary() {
            return Err(self.refused(&reply));
        }
        Ok(())
    }

    /// A refused data connection that did not resume the TLS session: the next session may do
    /// better, with TLS 1.2, whose sessions resume any number of times, or with fresh tickets.
    fn after_full_handshake(&self, error: Failure) -> Failure {
        let refused = error.is(Cause::Tls) || error.is(Cause::Lost);
        let Some(factory) = self.session.shared.tls.as_ref().filter(|_| refused) else {
            return error;
        };
        if !self.full_handshake {
            return error;
        }
        if !factory.reuses_sessions() {
            return error.with_transient(false).with_hint(
                "the server may want TLS session reuse on data connections: leave \
                 tlsSessionReuse at auto",
            );
        }
        let server = &self.session.shared.server;
        server.wants_reuse.store(true, Ordering::Relaxed);
        let had_tickets = self
            .session
            .tls
            .as_ref()
            .is_some_and(crate::transport::tls::handshake::TlsSession::had_tickets);
        let falls_back = factory.can_fall_back() && server.prefer_tls_12();
        error.with_transient(falls_back || had_tickets)
    }
}

/// The error of a transfer that the server confirms without a data connection.
fn unopened(verb: Verb) -> Failure {
    let message = format!("the server confirms {verb} and opened no data connection");
    Failure::new(Cause::Unproven, message)
}

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        self.session.control.set_deadline(Deadline::never());
        if !self.done {
            self.session.poison();
        }
    }
}
