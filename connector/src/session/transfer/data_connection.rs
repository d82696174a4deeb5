//! Data connections: agreed on over the control connection, opened by either side
//! (RFC 959 §3.2, RFC 2428).

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;

use socket2::{Domain, Socket, Type};

use crate::config::{DataMode, PassiveAddress};
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::reply_values::{extended_passive_port, passive_address, port_command};
use crate::protocol::verb::Verb;
use crate::session::session::Session;
use crate::transport::connect::connect_to;
use crate::transport::error::io_error;
use crate::transport::error::is_timeout;
use crate::transport::proxy;
use host_sdk::kit::Deadline;
use host_sdk::kit::shortage;

/// What to do about a server that does not open a data connection.
pub(in crate::session) const UNREACHABLE: &str = "the server cannot reach this machine: check activePorts and \
    activeAddress, or use connectionMode passive";

/// A data connection that is agreed on: open already, or awaited.
pub(crate) enum DataEndpoint {
    /// This side has connected.
    Connected(TcpStream),
    /// The server will connect, from the control connection's peer.
    Listening(TcpListener),
}

/// What to do about a server that wants data protected.
pub(in crate::session) const DATA_IN_CLEAR: &str =
    "the server may not send data in clear: leave dataProtection at private";

impl Session {
    /// Agrees with the server on a data connection.
    ///
    /// # Errors
    ///
    /// What the server's refusal means; `connection`, `timeout`, `cancelled`.
    pub(in crate::session) fn negotiate(&mut self) -> Result<DataEndpoint, Failure> {
        match self.shared.settings.mode {
            DataMode::Active => self.listen(),
            DataMode::Passive => self.open_passive().map(DataEndpoint::Connected),
        }
    }

    /// Asks for EPSV, which carries no address that could lie or be wrong behind a NAT; then for
    /// PASV, where the server does not know EPSV or its port is dead. What works is remembered.
    fn open_passive(&mut self) -> Result<TcpStream, Failure> {
        // Through a proxy the peer is the proxy, whatever the server's family.
        let only_extended = self.peer.is_ipv6() && self.shared.settings.proxy.is_none();
        if self.uses_epsv() {
            let reply = self.command(Verb::Epsv)?;
            if reply.is_extended_passive() {
                let port = extended_passive_port(reply.first_line()).ok_or_else(|| {
                    self.poison();
                    no_address_in_reply(Verb::Epsv, &self.redacted(&reply))
                })?;
                match self.connect_data(None, port) {
                    Ok(socket) => return Ok(socket),
                    Err(e) if only_extended || !e.is_transient() => return Err(e),
                    Err(e) => log::info!("EPSV led nowhere ({e}); trying PASV"),
                }
            } else if only_extended || !reply.is_permanent_refusal() {
                return Err(self.data_refusal(&reply, Verb::Epsv));
            }
        }
        let reply = self.command(Verb::Pasv)?;
        if !reply.is_passive() {
            return Err(self.data_refusal(&reply, Verb::Pasv));
        }
        let announced = passive_address(&reply).ok_or_else(|| {
            self.poison();
            no_address_in_reply(Verb::Pasv, &self.redacted(&reply))
        })?;
        let host = match self.shared.settings.passive_address {
            PassiveAddress::Control => None,
            PassiveAddress::Server => Some(announced.ip()),
        };
        let socket = self.connect_data(host, announced.port())?;
        // Remembered only now: where PASV does no better, EPSV deserves another chance.
        self.shared.server.prefer_pasv.store(true, Ordering::Relaxed);
        Ok(socket)
    }

    /// Connects to `port` of the server, or of another host.
    fn connect_data(&self, other: Option<IpAddr>, port: u16) -> Result<TcpStream, Failure> {
        let settings = &self.shared.settings;
        let deadline = self.opening_deadline();
        if let Some(proxy) = &settings.proxy {
            // The proxy may see the server under another address than this side would.
            let host = other.map_or_else(|| settings.host.clone(), |address| address.to_string());
            return proxy::connect(proxy, &host, port, deadline, &self.cancel);
        }
        // The peer's whole address: one of a link is of no use without its interface.
        let mut address = other.map_or(self.peer, |address| SocketAddr::new(address, port));
        address.set_port(port);
        connect_to(address, None, deadline, &self.cancel).map_err(|e| {
            e.hinted(
                "the data connection is blocked: check that the server's passive ports are \
                 open, or try connectionMode active",
            )
        })
    }

    fn listen(&mut self) -> Result<DataEndpoint, Failure> {
        let local = self.local.ip();
        let listener = bind(local, self.shared.settings.active.ports.clone())?;
        let port = listener.local_addr().map_err(|e| io_error("listening", &e))?.port();
        let announced = self.shared.settings.active.address.unwrap_or(local);
        let command = port_command(announced, port);
        let reply = self.command(command.clone())?;
        if !reply.is_done() {
            let error = self.data_refusal(&reply, command.verb());
            if self.tls.is_some() && !self.shared.settings.tls.protect_data {
                return Err(error);
            }
            let error = error.with_hint(UNREACHABLE);
            // To EPRT 522 says that the server does not know the family (RFC 2428 §2).
            let is_family = error.is(Cause::Tls);
            return Err(if is_family { error.with_cause(Cause::Unsupported) } else { error });
        }
        Ok(DataEndpoint::Listening(listener))
    }

    /// The error of a transfer that was refused, with the hint that the settings suggest.
    pub(in crate::session) fn data_refusal(&mut self, reply: &Reply, verb: Verb) -> Failure {
        let error = self.refusal(reply, Phase::Transfer, verb, verb.as_str());
        self.refused_listing = reply.emptiness();
        let settings = &self.shared.settings;
        if self.tls.is_some()
            && !settings.tls.protect_data
            && matches!(error.cause(), Cause::Tls | Cause::Denied)
        {
            return error.with_hint(DATA_IN_CLEAR);
        }
        if settings.mode == DataMode::Active && error.is(Cause::Lost) {
            return error.with_hint(UNREACHABLE);
        }
        error
    }

    /// Takes the server's connection; anybody else who connects is turned away.
    pub(in crate::session) fn accept(
        &mut self,
        listener: &TcpListener,
    ) -> Result<TcpStream, Failure> {
        let deadline = self.opening_deadline();
        let what = "waiting for the server's data connection";
        let listener = listener.try_clone().map_err(|e| io_error(what, &e))?;
        let peer = self.peer.ip();
        let accepted = self.await_connection(&listener, deadline, what, peer);
        accepted.map_err(|e| e.hinted(UNREACHABLE))
    }

    fn await_connection(
        &mut self,
        listener: &TcpListener,
        deadline: Deadline,
        what: &str,
        peer: IpAddr,
    ) -> Result<TcpStream, Failure> {
        listener.set_nonblocking(true).map_err(|e| io_error(what, &e))?;
        let mut given_up = false;
        loop {
            self.cancel.check()?;
            deadline.remaining(what)?;
            match listener.accept() {
                Ok((socket, from)) if same_host(from.ip(), peer) => {
                    socket.set_nonblocking(false).map_err(|e| io_error(what, &e))?;
                    return Ok(socket);
                }
                Ok((_, from)) => log::warn!("turned away a data connection from {from}"),
                Err(e) if is_timeout(&e) => {
                    // Accepting has no time-out of its own, and a refusal on the control
                    // connection (425) would otherwise be noticed only at the deadline.
                    if given_up {
                        return Err(Failure::new(
                            Cause::Lost,
                            "the server gave the data connection up",
                        ));
                    }
                    // A server that is quick has called, sent everything and confirmed it since
                    // the last look: only another one proves that nobody called.
                    given_up = self.control.has_unsolicited_input();
                    if !given_up {
                        std::thread::sleep(ACCEPT_POLL);
                    }
                }
                Err(e) => return Err(io_error(what, &e)),
            }
        }
    }
}

/// How often a listener is looked at; short beside the round trip that precedes it.
const ACCEPT_POLL: std::time::Duration = std::time::Duration::from_millis(2);

/// An IPv4 peer may show as an IPv6 one on a dual-stack socket.
fn same_host(one: IpAddr, other: IpAddr) -> bool {
    one.to_canonical() == other.to_canonical()
}

/// Listens on the first free port of `ports`, beginning somewhere else each time so that a port
/// the last transfer has just left is not the first one asked for.
fn bind(local: IpAddr, ports: std::ops::RangeInclusive<u16>) -> Result<TcpListener, Failure> {
    static NEXT: std::sync::atomic::AtomicU16 = std::sync::atomic::AtomicU16::new(0);
    let count = u32::from(*ports.end()) - u32::from(*ports.start()) + 1;
    let first = u32::from(NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
    let mut failure = None;
    for step in 0..count {
        let offset = u16::try_from((first + step) % count).unwrap_or_default();
        let address = SocketAddr::new(local, ports.start().saturating_add(offset));
        match listen_on(address) {
            Ok(listener) => return Ok(listener),
            Err(e) => match shortage::of_files("listening", &e) {
                Some(shortage) => return Err(shortage.into()),
                None => failure = Some(e),
            },
        }
    }
    let reason = failure.map_or_else(String::new, |e| format!(": {e}"));
    Err(Failure::new(
        Cause::Lost,
        format!("no free port from {} to {}{reason}", ports.start(), ports.end()),
    )
    .with_hint("widen activePorts"))
}

fn listen_on(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    #[cfg(unix)]
    // Otherwise a port is unusable for minutes after each transfer.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(4)?;
    Ok(socket.into())
}

fn no_address_in_reply(verb: Verb, reply: &Reply) -> Failure {
    Failure::new(Cause::Nonsense, format!("no port in the reply to {verb}: {reply}")).awaiting(verb)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_taken_port_is_passed_over() {
        let local: IpAddr = "127.0.0.1".parse().unwrap();
        let taken = TcpListener::bind((local, 0)).unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(bind(local, port..=port).is_err());
    }
}
