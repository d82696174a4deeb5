//! The opening of a transfer: its command, the first reply, and the data connection with its TLS.

use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use super::data_connection::DataEndpoint;
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::{Repeated, Reply};
use crate::protocol::verb::{Command, Verb};
use crate::session::exchange::MAXIMUM_PRELIMINARY;
use crate::session::session::Session;
use crate::transport::error::io_error;
use crate::transport::stream::NetStream;
use crate::transport::tls::handshake::{Handshake, HandshakeError};
use host_sdk::kit::{Deadline, Registration};

/// How long the server may take to say why a data connection failed.
pub(super) const REASON_TIMEOUT: Duration = Duration::from_secs(3);

/// How long after a transfer's confirmation its first byte may still arrive.
pub(super) const LATE_DATA: Duration = Duration::from_secs(2);

/// How long the server may announce nothing until its data connection's TLS handshake is begun
/// without that.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);

/// How often a handshake looks at the control connection.
const HANDSHAKE_POLL: Duration = Duration::from_millis(50);

/// The handshake of data connections, in errors.
const HANDSHAKE: &str = "the TLS handshake of the data connection";

/// What [`Session::open_data`] has opened.
pub(in crate::session) struct Opened {
    /// None where the server confirmed the transfer without a data connection.
    pub(super) data: Option<DataConnection>,
    /// The confirmation, where the server gave it already.
    pub(super) confirmation: Option<Reply>,
}

/// An open data connection. The watch holds a copy of the socket, and the server sees the end
/// only when both are closed: they go together.
pub(in crate::session) struct DataConnection {
    pub(in crate::session) stream: NetStream,
    /// The command that it was agreed on with.
    pub(in crate::session) agreed_by: Verb,
    _watch: Registration,
}

/// How far a data connection has come.
enum Line {
    Agreed(DataEndpoint),
    Greeting(Box<Handshake>, Registration),
}

impl Session {
    /// Opens the data connection of `command`, which goes on from `offset`.
    pub(in crate::session) fn open_data(
        &mut self,
        command: &Command,
        offset: u64,
    ) -> Result<Opened, Failure> {
        let verb = command.verb();
        let (endpoint, agreed_by) = self.negotiate_for(command)?;
        if offset > 0 {
            let reply = self.command(Command::new(Verb::Rest, offset))?;
            if !reply.is_pending() {
                return Err(self.refusal(&reply, Phase::Transfer, Verb::Rest, Verb::Rest.as_str()));
            }
        }
        self.send(command)?;
        let line = self.await_announcement(endpoint)?;
        let reply = self.reply_to(verb)?;
        let reply = self.skip_replies(reply, verb, Reply::is_restart_marker)?;
        let confirmation = if reply.is_transfer_complete() {
            Some(reply)
        } else if reply.is_preliminary() {
            None
        } else {
            return Err(self.transfer_refusal(&reply, command));
        };
        let (socket, watch) = match line {
            Line::Greeting(handshake, watch) => {
                return self.finish_handshake(*handshake, watch, agreed_by, verb, confirmation);
            }
            Line::Agreed(DataEndpoint::Connected(socket)) => self.watched(socket)?,
            Line::Agreed(DataEndpoint::Listening(listener)) => {
                match self.accept_or_confirmation(&listener, verb, confirmation.as_ref())? {
                    Ok(socket) => self.watched(socket)?,
                    Err(confirmation) => {
                        return Ok(Opened { data: None, confirmation: Some(confirmation) });
                    }
                }
            }
        };
        match self.begin_handshake(&socket)? {
            Some(handshake) => {
                self.finish_handshake(handshake, watch, agreed_by, verb, confirmation)
            }
            None => self.opened(NetStream::Plain(socket), watch, agreed_by, confirmation),
        }
    }

    /// Agrees on the data connection of `command`. Servers that choose the machine of a transfer want
    /// it announced before (PRET). Others offer PRET as well and do without: pure-ftpd answers it for
    /// a file that may not be read as for one that is not there.
    fn negotiate_for(&mut self, command: &Command) -> Result<(DataEndpoint, Verb), Failure> {
        if self.shared.server.conventions.needs_pret.is_known() {
            self.announce(command)?;
            return self.negotiate();
        }
        let refused = match self.negotiate() {
            Err(e) if e.is_answer() && self.features.pret && !self.poisoned => e,
            agreed => return agreed,
        };
        log::info!("no data connection is agreed on ({refused}); announcing the transfer");
        self.announce(command)?;
        let agreed = self.negotiate()?;
        self.shared.server.conventions.needs_pret.note();
        Ok(agreed)
    }

    /// Announces a transfer before its data connection is agreed on (PRET).
    fn announce(&mut self, command: &Command) -> Result<(), Failure> {
        let reply = self.command(Command::new(Verb::Pret, command.line()))?;
        if reply.is_done() { Ok(()) } else { Err(self.transfer_refusal(&reply, command)) }
    }

    fn watched(&self, socket: TcpStream) -> Result<(TcpStream, Registration), Failure> {
        let watch =
            self.cancel.register(&socket).map_err(|e| io_error("the data connection", &e))?;
        Ok((socket, watch))
    }

    /// Waits for the first reply. Where none comes, the server may wait for the TLS handshake of
    /// the data connection first: it is begun as a last resort, and at once from then on.
    fn await_announcement(&mut self, endpoint: DataEndpoint) -> Result<Line, Failure> {
        let protects = self.tls.is_some() && self.shared.settings.tls.protect_data;
        let is_known = self.shared.server.conventions.hello_first.is_known();
        let patience = self.shared.settings.read_timeout.map_or(HELLO_PATIENCE, |limit| {
            // The handshake has its share of the time for the reply.
            HELLO_PATIENCE.min(limit / 4)
        });
        if !protects || (!is_known && self.control.wait_for_input(patience)) {
            return Ok(Line::Agreed(endpoint));
        }
        let socket = match endpoint {
            DataEndpoint::Connected(socket) => socket,
            // Nobody is greeted before the server has called.
            DataEndpoint::Listening(_) => return Ok(Line::Agreed(endpoint)),
        };
        let (socket, watch) = self.watched(socket)?;
        let Some(mut handshake) = self.begin_handshake(&socket)? else {
            return Ok(Line::Agreed(DataEndpoint::Connected(socket)));
        };
        let deadline = self.opening_deadline();
        while deadline.remaining(HANDSHAKE).is_ok() && !self.control.has_unsolicited_input() {
            self.cancel.check()?;
            match handshake.advance(HANDSHAKE_POLL) {
                Ok(false) => {}
                Ok(true) => {
                    if !is_known {
                        log::info!("the server wants TLS on data connections before it answers");
                        self.shared.server.conventions.hello_first.note();
                    }
                    break;
                }
                // What the server says about it comes as its reply.
                Err(_) => break,
            }
        }
        Ok(Line::Greeting(Box::new(handshake), watch))
    }

    /// Begins TLS around a data connection, where it is protected.
    fn begin_handshake(&self, socket: &TcpStream) -> Result<Option<Handshake>, Failure> {
        match &self.tls {
            Some(tls) if self.shared.settings.tls.protect_data => {
                let socket = socket.try_clone().map_err(|e| io_error("the data connection", &e))?;
                Ok(Some(tls.begin(socket, HANDSHAKE)?))
            }
            _ => Ok(None),
        }
    }

    /// Ends the handshake of a data connection. It is made now, and explicitly: an upload of nothing
    /// would never make it, and a certificate would go unverified. A server that confirms the
    /// transfer instead has nothing to send.
    fn finish_handshake(
        &mut self,
        mut handshake: Handshake,
        watch: Registration,
        agreed_by: Verb,
        verb: Verb,
        mut confirmation: Option<Reply>,
    ) -> Result<Opened, Failure> {
        let deadline = self.opening_deadline();
        let mut confirmed_at = Instant::now();
        loop {
            match handshake.advance(HANDSHAKE_POLL) {
                Ok(true) => break,
                Ok(false) => {}
                Err(failure) => return Err(self.handshake_failed(failure, verb)),
            }
            self.cancel.check()?;
            if let Err(e) = deadline.remaining(HANDSHAKE) {
                let failure = HandshakeError { error: e.into(), by_client: false };
                return Err(self.handshake_failed(failure, verb));
            }
            if confirmation.is_none() && self.control.has_unsolicited_input() {
                let reply = self.next_reply(verb)?;
                let reply = self.skip_replies(reply, verb, Reply::is_preliminary)?;
                if !reply.is_done() {
                    return Err(self.data_refusal(&reply, verb));
                }
                confirmation = Some(reply);
                confirmed_at = Instant::now();
            }
            let is_late = confirmation.is_some() && confirmed_at.elapsed() >= LATE_DATA;
            if is_late && !handshake.has_heard() {
                return Ok(Opened { data: None, confirmation });
            }
        }
        self.opened(handshake.into_stream(), watch, agreed_by, confirmation)
    }

    fn opened(
        &self,
        stream: NetStream,
        watch: Registration,
        agreed_by: Verb,
        confirmation: Option<Reply>,
    ) -> Result<Opened, Failure> {
        let timeouts = stream
            .set_read_timeout(self.shared.settings.read_timeout)
            .and_then(|()| stream.set_write_timeout(self.shared.settings.read_timeout));
        timeouts.map_err(|e| io_error("the data connection", &e))?;
        let data = DataConnection { stream, agreed_by, _watch: watch };
        Ok(Opened { data: Some(data), confirmation })
    }

    /// The server's call, or the confirmation of a transfer for which it does not call.
    fn accept_or_confirmation(
        &mut self,
        listener: &TcpListener,
        verb: Verb,
        confirmation: Option<&Reply>,
    ) -> Result<Result<TcpStream, Reply>, Failure> {
        let error = match self.accept(listener, confirmation.is_some()) {
            Ok(socket) => return Ok(Ok(socket)),
            Err(e) => e,
        };
        if let Some(reply) = confirmation {
            return Ok(Err(reply.clone()));
        }
        match self.reason_or_confirmation(verb)? {
            Some(reply) if reply.is_transfer_complete() => Ok(Err(reply)),
            Some(reply) if !reply.is_preliminary() && !reply.is_done() => {
                let refused = self.data_refusal(&reply, verb);
                Err(match error.hint() {
                    Some(hint) => refused.with_hint(hint.to_owned()),
                    None => refused,
                })
            }
            _ => {
                self.poison();
                Err(error)
            }
        }
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

    /// Reads the reply that ends `verb`.
    pub(in crate::session) fn next_reply(&mut self, verb: Verb) -> Result<Reply, Failure> {
        let result = self.control.next_reply(&format!("the end of {verb}"));
        result.map_err(|e| self.poison_for(e))
    }

    /// The first reply, `reply` or one after it, that is not to be passed over.
    pub(in crate::session) fn skip_replies(
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

    /// What the server says of a data connection that failed, if anything.
    fn reason_or_confirmation(&mut self, verb: Verb) -> Result<Option<Reply>, Failure> {
        if self.cancel.is_cancelled() {
            self.poison();
            return Err(Failure::cancelled());
        }
        self.control.set_deadline(Deadline::after(Some(REASON_TIMEOUT), ""));
        let reply = self.next_reply(verb);
        self.control.set_deadline(Deadline::never());
        Ok(reply.ok())
    }

    /// A data connection failed with `error`: the server's own words about it are better, where
    /// it has some.
    pub(in crate::session) fn with_server_reason(&mut self, error: Failure, verb: Verb) -> Failure {
        match self.reason_or_confirmation(verb) {
            Err(cancelled) => cancelled,
            Ok(Some(reply)) if !reply.is_preliminary() && !reply.is_done() => {
                self.data_refusal(&reply, verb)
            }
            Ok(_) => {
                self.poison();
                error
            }
        }
    }
}
