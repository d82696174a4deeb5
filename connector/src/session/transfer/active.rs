//! Active data connections: PORT and EPRT (RFC 959 §4.1.2, RFC 2428 §2), and the server's call.

use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};

use socket2::{Domain, Socket, Type};

use super::data_refusal::UNREACHABLE;
use crate::failure::{Cause, Failure};
use crate::protocol::reply_values::port_command;
use crate::protocol::verb::Verb;
use crate::session::session::Session;
use crate::transport::error::io_error;
use crate::transport::error::is_timeout;
use host_sdk::kit::Deadline;
use host_sdk::kit::shortage;

impl Session {
    /// Listens, and tells the server where; the command that it was told with comes back too.
    ///
    /// # Errors
    ///
    /// What the server's refusal means; `connection` where no port is free.
    pub(in crate::session) fn listen(&mut self) -> Result<(TcpListener, Verb), Failure> {
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
        Ok((listener, command.verb()))
    }

    /// Takes the server's connection; anybody else who connects is turned away. Once the server has
    /// confirmed the transfer (`is_confirmed`), it has called, or never will.
    pub(in crate::session) fn accept(
        &mut self,
        listener: &TcpListener,
        is_confirmed: bool,
    ) -> Result<TcpStream, Failure> {
        let deadline = self.opening_deadline();
        let what = "waiting for the server's data connection";
        let listener = listener.try_clone().map_err(|e| io_error(what, &e))?;
        let mut turned_away = None;
        let accepted =
            self.await_connection(&listener, deadline, what, is_confirmed, &mut turned_away);
        accepted.map_err(|e| match turned_away {
            Some(stranger) if !e.is(Cause::Cancelled) => e.with_hint(format!(
                "a connection from {stranger} was turned away: if that is the server, name the \
                 address in activePeer"
            )),
            _ => e.hinted(UNREACHABLE),
        })
    }

    fn await_connection(
        &mut self,
        listener: &TcpListener,
        deadline: Deadline,
        what: &str,
        is_confirmed: bool,
        turned_away: &mut Option<IpAddr>,
    ) -> Result<TcpStream, Failure> {
        listener.set_nonblocking(true).map_err(|e| io_error(what, &e))?;
        let peer = self.peer.ip();
        let mut given_up = is_confirmed;
        loop {
            self.cancel.check()?;
            deadline.remaining(what)?;
            match listener.accept() {
                Ok((socket, from)) if self.shared.settings.active.peer.admits(from.ip(), peer) => {
                    socket.set_nonblocking(false).map_err(|e| io_error(what, &e))?;
                    return Ok(socket);
                }
                Ok((_, from)) => {
                    *turned_away = Some(from.ip());
                    log::warn!("turned away a data connection from {from}");
                }
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
