//! From a host name to a connected socket, within a deadline.

use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

use crate::failure::{Cause, Failure};
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;
use host_sdk::kit::shortage;

/// How long a control connection may be silent before the system probes it; NAT devices forget
/// after some five minutes.
const KEEP_ALIVE: Duration = Duration::from_secs(60);

/// Where an attempt goes when there is no limit at all: the system's own, some two minutes,
/// may only cut it short.
const UNLIMITED: Duration = Duration::from_secs(3600);

/// Connects to `host`, trying its addresses in turn.
///
/// # Errors
///
/// `connection` when the name is unknown or no address answers; `timeout`; `cancelled`; `busy`,
/// which no other attempt mends, when this machine is out of descriptors or threads.
pub(crate) fn connect(
    host: &str,
    port: u16,
    deadline: Deadline,
    cancel: &CancelToken,
) -> Result<TcpStream, Failure> {
    let addresses = resolve(host, port, deadline, cancel)?;
    connect_any(host, &addresses, deadline, cancel)
}

/// Connects to the first of `addresses` that answers; `host` is the name they belong to.
///
/// # Errors
///
/// As [`connect`].
pub(crate) fn connect_any(
    host: &str,
    addresses: &[SocketAddr],
    deadline: Deadline,
    cancel: &CancelToken,
) -> Result<TcpStream, Failure> {
    let mut failure = None;
    let count = u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    // One address that swallows packets must not use up the time of the others.
    let share = deadline.remaining("connecting")?.map(|left| left / count);
    for address in addresses {
        match connect_to(*address, share, deadline, cancel) {
            Ok(socket) => return Ok(socket),
            Err(e) if e.is(Cause::Cancelled) => return Err(e),
            // Every other address needs a socket as well.
            Err(e) if e.is(Cause::Exhausted) => return Err(e),
            Err(e) => failure = Some(e),
        }
    }
    Err(failure.unwrap_or_else(|| unknown_host(host, "no address")))
}

/// Connects to one address.
///
/// # Errors
///
/// As [`connect`].
pub(crate) fn connect_to(
    address: SocketAddr,
    share: Option<Duration>,
    deadline: Deadline,
    cancel: &CancelToken,
) -> Result<TcpStream, Failure> {
    let what = format!("connecting to {address}");
    let left = deadline.remaining(&what)?;
    let limit = share.or(left).unwrap_or(UNLIMITED);
    let result = deadline
        .run(&what, cancel, move || TcpStream::connect_timeout(&address, limit))?
        .map_err(|e| {
            if let Some(shortage) = shortage::of_files(&what, &e) {
                shortage.into()
            } else if super::error::is_timeout(&e) {
                Failure::late(&what, limit)
                    .with_hint("a firewall may swallow the packets: check host, port and routes")
            } else {
                Failure::new(Cause::Lost, format!("{what} failed: {e}")).with_hint(
                    "check host and port, and that a firewall lets the connection through",
                )
            }
        })?;
    prepare(&result);
    Ok(result)
}

/// Sets what every socket needs. Failures leave a socket that works, only slower.
fn prepare(socket: &TcpStream) {
    let _ = socket.set_nodelay(true);
}

/// Lets the system probe a silent `socket`, so that NAT devices remember it.
pub(crate) fn keep_alive(socket: &TcpStream) {
    let probes = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
    // A system without the option has a connection all the same.
    let _ = SockRef::from(socket).set_tcp_keepalive(&probes);
}

/// The addresses of `host`, in the order to try them.
///
/// # Errors
///
/// As [`connect`].
pub(crate) fn resolve(
    host: &str,
    port: u16,
    deadline: Deadline,
    cancel: &CancelToken,
) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let what = format!("looking up {host}");
    let addresses = deadline
        .run(&what, cancel, move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter))?
        .map_err(|e| {
            // Without a descriptor the name service says that it does not know, or not now.
            let shortage = shortage::of_files(&what, &e).or_else(|| shortage::of_files_now(&what));
            shortage.map_or_else(|| unknown_host(host, &e.to_string()), Failure::from)
        })?;
    Ok(addresses)
}

fn unknown_host(host: &str, reason: &str) -> Failure {
    Failure::new(Cause::Lost, format!("host {host} cannot be looked up: {reason}"))
        .with_transient(!denies_name(reason))
        .with_hint("check host, and this machine's name service")
}

/// Whether the name service says that there is no such name, which another question does not
/// change. Systems tell it in words alone: glibc, musl, BSD and macOS, Windows.
fn denies_name(reason: &str) -> bool {
    const WORDS: [&str; 5] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "nodename nor servname provided",
        "No such host is known",
    ];
    WORDS.iter().any(|words| reason.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_none_is_not_looked_up_again() {
        let lookup = "failed to lookup address information: ";
        let denied = unknown_host("h", &format!("{lookup}Name or service not known"));
        assert!(!denied.is_transient(), "{denied}");
        let failed = unknown_host("h", &format!("{lookup}Temporary failure in name resolution"));
        assert!(failed.is_transient(), "{failed}");
    }
}
