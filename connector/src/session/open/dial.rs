//! The way to a server's first word.

use std::net::{SocketAddr, TcpStream};

use crate::config::ConnectionSettings;
use crate::failure::{Cause, Failure};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::session::control::Control;
use crate::session::exchange::MAXIMUM_PRELIMINARY;
use crate::transport::{connect, proxy};
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;

/// A connection to the server, through the proxy where there is one; `resolved` is called with the
/// addresses of the host's name, which a proxy looks up by itself.
///
/// # Errors
///
/// `connection`, `timeout`, `cancelled`.
pub(super) fn dial(
    settings: &ConnectionSettings,
    deadline: Deadline,
    cancel: &CancelToken,
    resolved: &mut dyn FnMut(&[SocketAddr]),
) -> Result<TcpStream, Failure> {
    let host = &settings.host;
    match &settings.proxy {
        None => {
            let addresses = connect::resolve(host, settings.port, deadline, cancel)?;
            resolved(&addresses);
            connect::connect_any(host, &addresses, deadline, cancel)
        }
        Some(proxy) => proxy::connect(proxy, host, settings.port, deadline, cancel),
    }
}

/// The first reply that is no announcement of another one.
pub(super) fn greeting(control: &mut Control) -> Result<Reply, Failure> {
    for _ in 0..MAXIMUM_PRELIMINARY {
        let reply = control.next_reply("the greeting")?;
        if reply.is_done() {
            return Ok(reply);
        }
        if !reply.is_preliminary() {
            return Err(Failure::refused(&reply, Phase::Greeting, None, "the connection", &reply));
        }
    }
    Err(Failure::new(Cause::Nonsense, "the server announces its greeting without end"))
}
