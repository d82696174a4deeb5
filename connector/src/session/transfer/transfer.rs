//! Transfers: a command, its data connection, and the proof that all of it arrived.
//!
//! What makes a transfer complete differs by direction: see [`Download`] and [`Upload`].

use std::net::TcpStream;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::data_connection::DataEndpoint;
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::{Repeated, Reply};
use crate::protocol::verb::{Command, Verb};
use crate::session::session::{MAXIMUM_PRELIMINARY, Session};
use crate::transport::error::io_error;
use crate::transport::error::is_timeout;
use crate::transport::stream::NetStream;
use crate::transport::tls::handshake::{HandshakeError, is_resumed};
use host_sdk::kit::Deadline;
use host_sdk::kit::Registration;

/// How long the server may take to say why a data connection failed.
const REASON_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a read or a write may block before the control connection is looked at: a server that
/// has refused the rest of a transfer need neither read nor hang up.
pub(in crate::session) const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// A transfer under way.
pub(in crate::session) struct Transfer<'s> {
    pub(in crate::session) session: &'s mut Session,
    pub(in crate::session) data: Option<DataConnection>,
    command: Command,
    deadline: Deadline,
    /// The time-out that the data connection has now.
    limit: Option<Duration>,
    /// Whether the data connection made a TLS handshake from scratch.
    full_handshake: bool,
    /// The confirmation, where the server gave it before it was asked for.
    confirmation: Option<Reply>,
    /// Whether so much has been moved that the server must have accepted the data connection.
    pub(in crate::session) moved: bool,
    done: bool,
}

/// What [`Session::open_data`] has opened.
struct Opened {
    data: DataConnection,
    confirmation: Option<Reply>,
}

/// An open data connection. The watch holds a copy of the socket, and the server sees the end
/// only when both are closed: they go together.
pub(in crate::session) struct DataConnection {
    pub(in crate::session) stream: NetStream,
    /// The command that it was agreed on with.
    pub(in crate::session) agreed_by: Verb,
    _watch: Registration,
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
        let opened = self.open_data(&command, offset).inspect_err(|_| {
            self.control.set_deadline(Deadline::never());
        });
        let Opened { data, confirmation } = opened?;
        let full_handshake = data.stream.tls().is_some() && !is_resumed(&data.stream);
        Ok(Transfer {
            limit: self.shared.settings.read_timeout,
            session: self,
            data: Some(data),
            command,
            deadline,
            full_handshake,
            confirmation,
            moved: false,
            done: false,
        })
    }

    fn open_data(&mut self, command: &Command, offset: u64) -> Result<Opened, Failure> {
        let verb = command.verb();
        let (agreed, agreed_by) = self.negotiate()?;
        if offset > 0 {
            let reply = self.command(Command::new(Verb::Rest, offset))?;
            if !reply.is_pending() {
                return Err(self.refusal(&reply, Phase::Transfer, Verb::Rest, Verb::Rest.as_str()));
            }
        }
        let reply = self.command(command.clone())?;
        let reply = self.skip_replies(reply, verb, Reply::is_restart_marker)?;
        let confirmation = if reply.is_transfer_complete() {
            Some(reply)
        } else if reply.is_preliminary() {
            None
        } else {
            return Err(self.transfer_refusal(&reply, command));
        };
        let socket = match agreed {
            DataEndpoint::Connected(socket) => socket,
            DataEndpoint::Listening(listener) => {
                let accepted = self.accept(&listener);
                accepted.map_err(|e| self.with_server_reason(e, verb))?
            }
        };
        let watch =
            self.cancel.register(&socket).map_err(|e| io_error("the data connection", &e))?;
        let protected = self.protect(socket);
        let stream = protected.map_err(|failure| self.handshake_failed(failure, verb))?;
        let timeouts = stream
            .set_read_timeout(self.shared.settings.read_timeout)
            .and_then(|()| stream.set_write_timeout(self.shared.settings.read_timeout));
        timeouts.map_err(|e| io_error("the data connection", &e))?;
        let data = DataConnection { stream, agreed_by, _watch: watch };
        Ok(Opened { data, confirmation })
    }

    /// The error of a transfer that the server does not begin. RETR may be refused in words that
    /// say that the file is missing.
    fn transfer_refusal(&mut self, reply: &Reply, command: &Command) -> Failure {
        let error = self.data_refusal(reply, command.verb());
        let repeated =
            Repeated { path: command.argument(), encoding: self.shared.settings.encoding };
        let is_missing = command.verb() == Verb::Retr && reply.says_missing(repeated);
        if is_missing { error.into_missing() } else { error }
    }

    /// Puts TLS around a data connection. The handshake is made now, and explicitly: an upload
    /// of nothing would never make it, and a certificate would go unverified.
    fn protect(&self, socket: TcpStream) -> Result<NetStream, HandshakeError> {
        match &self.tls {
            Some(tls) if self.shared.settings.tls.protect_data => {
                let deadline = self.opening_deadline();
                tls.handshake(socket, deadline, "the TLS handshake of the data connection")
            }
            _ => Ok(NetStream::Plain(socket)),
        }
    }

    /// The error of a data connection without its TLS.
    fn handshake_failed(&mut self, failure: HandshakeError, verb: Verb) -> Failure {
        if failure.by_client {
            // What the server says about being turned away explains nothing.
            self.poison();
            return failure.error;
        }
        let error = self.with_server_reason(failure.error, verb);
        if !error.is(Cause::Tls) || !self.shared.settings.tls.session_reuse {
            return error;
        }
        error
            .with_hint("the server may not be able to resume TLS sessions: try tlsSessionReuse off")
    }

    fn next_reply(&mut self, verb: Verb) -> Result<Reply, Failure> {
        let result = self.control.next_reply(&format!("the end of {verb}"));
        result.map_err(|e| self.poison_for(e))
    }

    /// The first reply, `reply` or one after it, that is not to be passed over.
    fn skip_replies(
        &mut self,
        mut reply: Reply,
        verb: Verb,
        is_passed_over: fn(&Reply) -> bool,
    ) -> Result<Reply, Failure> {
        for _ in 0..MAXIMUM_PRELIMINARY {
            if !is_passed_over(&reply) {
                return Ok(reply);
            }
            reply = self.next_reply(verb)?;
        }
        let message = format!("the server announces the end of {verb} without end");
        Err(self.poison_for(Failure::new(Cause::Nonsense, message)))
    }

    /// A data connection failed with `error`: the server's own words about it are better, where
    /// it has some.
    fn with_server_reason(&mut self, error: Failure, verb: Verb) -> Failure {
        if self.cancel.is_cancelled() {
            self.poison();
            return Failure::cancelled();
        }
        self.control.set_deadline(Deadline::after(Some(REASON_TIMEOUT), ""));
        let reply = self.next_reply(verb);
        self.control.set_deadline(Deadline::never());
        match reply {
            Ok(reply) if !reply.is_preliminary() && !reply.is_done() => {
                self.data_refusal(&reply, verb)
            }
            _ => {
                self.poison();
                error
            }
        }
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
        self.data = None;
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
            return Err(self.refused(&reply));
        }
        self.require_whole(&reply)?;
        Ok(reply)
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

impl Drop for Transfer<'_> {
    fn drop(&mut self) {
        self.session.control.set_deadline(Deadline::never());
        if !self.done {
            self.session.poison();
        }
    }
}
