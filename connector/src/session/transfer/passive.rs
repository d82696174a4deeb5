//! Passive data connections: EPSV (RFC 2428 §3) and PASV (RFC 959 §4.1.2).

use std::net::{IpAddr, SocketAddr, TcpStream};

use crate::config::PassiveAddress;
use crate::failure::{Cause, Failure};
use crate::protocol::reply::Reply;
use crate::protocol::reply_values::{PassiveEndpoint, passive_endpoint};
use crate::protocol::verb::Verb;
use crate::session::session::Session;
use crate::transport::connect::connect_to;
use crate::transport::proxy;

impl Session {
    /// Connects to where the server awaits a data connection; the command that it was agreed on
    /// with comes back too.
    ///
    /// EPSV carries no address that could lie or be wrong behind a NAT device, and comes first. Any
    /// failure of the first command leads to the second, on a new session where this one is lost.
    /// What works is remembered.
    ///
    /// # Errors
    ///
    /// What the server's refusal means; `connection`, `timeout`, `protocol`, `cancelled`.
    pub(in crate::session) fn open_passive(&mut self) -> Result<(TcpStream, Verb), Failure> {
        let was_swapped = self.shared.server.conventions.second_passive_first.is_known();
        let (first, second) = self.passive_commands();
        let failed = match self.try_passive(first, second.is_some()) {
            Ok(socket) => return Ok((socket, first)),
            Err(e) => e,
        };
        let Some(second) = second.filter(|_| leaves_other_command(&failed)) else {
            return Err(failed);
        };
        log::info!("{first} led nowhere ({failed}); trying {second}");
        if self.poisoned {
            // One attempt: what cost the session may be the network, and the caller knows how
            // often to try again.
            self.renew_once(self.transfer_deadline).map_err(|e| {
                log::info!("no new session for {second}: {e}");
                if e.is(Cause::Cancelled) { e } else { failed.clone() }
            })?;
        }
        match self.try_passive(second, false) {
            Ok(socket) => {
                // Remembered only now: where the second does no better, the first deserves another
                // chance.
                self.shared.server.conventions.second_passive_first.set(!was_swapped);
                Ok((socket, second))
            }
            // A command that the server does not have explains less than the failure before it.
            Err(e) if e.is_unknown_command() && !failed.is_unknown_command() => Err(failed),
            Err(e) => Err(e),
        }
    }

    /// Asks with `verb` and connects. Where another command may help (`may_fall_back`), silence ends
    /// with the time that opening a data connection may take.
    fn try_passive(&mut self, verb: Verb, may_fall_back: bool) -> Result<TcpStream, Failure> {
        if may_fall_back {
            self.control.set_deadline(self.opening_deadline());
        }
        let asked = self.command(verb);
        self.control.set_deadline(self.transfer_deadline);
        let reply = asked?;
        if let Some(endpoint) = passive_endpoint(&reply) {
            return self.connect_data(endpoint);
        }
        // A fallback does not ask what the server waits for.
        let is_odd = reply.is_done() || (may_fall_back && reply.is_pending());
        if !is_odd {
            return Err(self.data_refusal(&reply, verb));
        }
        if !may_fall_back {
            self.poison();
        }
        Err(no_endpoint(verb, &self.redacted(&reply)))
    }

    /// Connects to `endpoint`, at the address that the settings allow.
    fn connect_data(&self, endpoint: PassiveEndpoint) -> Result<TcpStream, Failure> {
        let settings = &self.shared.settings;
        let deadline = self.opening_deadline();
        let other: Option<IpAddr> = match settings.passive_address {
            PassiveAddress::Control => None,
            PassiveAddress::Server => endpoint.address,
        };
        if let Some(proxy) = &settings.proxy {
            // The proxy may see the server under another address than this side would.
            let host = other.map_or_else(|| settings.host.clone(), |address| address.to_string());
            return proxy::connect(proxy, &host, endpoint.port, deadline, &self.cancel);
        }
        // The peer's whole address: one of a link is of no use without its interface.
        let mut address = other.map_or(self.peer, |ip| SocketAddr::new(ip, endpoint.port));
        address.set_port(endpoint.port);
        connect_to(address, None, deadline, &self.cancel).map_err(|e| {
            e.hinted(
                "the data connection is blocked: check that the server's passive ports are \
                 open, or try connectionMode active",
            )
        })
    }
}

/// Whether the other passive command may succeed where one failed. It cannot where this machine or
/// the proxy's rules stand in the way, or the time of the transfer is over.
fn leaves_other_command(failed: &Failure) -> bool {
    match failed.cause() {
        Cause::Cancelled | Cause::Exhausted | Cause::LoginRejected | Cause::Unsendable => false,
        Cause::Lost | Cause::Late => failed.is_answer() || failed.is_transient(),
        _ => true,
    }
}

fn no_endpoint(verb: Verb, reply: &Reply) -> Failure {
    Failure::new(Cause::Nonsense, format!("no port in the reply to {verb}: {reply}")).awaiting(verb)
}
