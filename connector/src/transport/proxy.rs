//! Connections through a proxy: SOCKS5 (RFC 1928, RFC 1929) and HTTP CONNECT (RFC 9110 §9.3.6).

use std::io::{Read, Write};
use std::net::{IpAddr, TcpStream};

use super::error::is_timeout;
use crate::config::{Proxy, ProxyKind};
use crate::failure::{Cause, Failure};
use host_sdk::kit::CancelToken;
use host_sdk::kit::Deadline;
use host_sdk::kit::text::printable_bytes;

/// The longest answer head that an HTTP proxy may send.
const MAXIMUM_HEAD: usize = 16 * 1024;

/// Connects to `host` through `proxy`, which also looks the name up.
///
/// # Errors
///
/// `connection` when the proxy cannot be reached or refuses; `authentication` when it rejects
/// the user; `timeout`; `cancelled`.
pub(crate) fn connect(
    proxy: &Proxy,
    host: &str,
    port: u16,
    deadline: Deadline,
    cancel: &CancelToken,
) -> Result<TcpStream, Failure> {
    let socket =
        super::connect::connect(&proxy.host, proxy.port, deadline, cancel).map_err(|e| {
            let hint = "the proxy cannot be reached: check proxy.host and proxy.port";
            e.hinted(hint)
        })?;
    let _watch = cancel.register(&socket).map_err(|e| super::error::io_error("the proxy", &e))?;
    let mut tunnel = Tunnel { socket, deadline };
    match proxy.kind {
        ProxyKind::Socks5 => tunnel.socks5(proxy, host, port)?,
        ProxyKind::Http => tunnel.http(proxy, host, port)?,
    }
    Ok(tunnel.socket)
}

struct Tunnel {
    socket: TcpStream,
    deadline: Deadline,
}

impl Tunnel {
    /// Agrees with a SOCKS5 proxy on how to authenticate, and does it.
    fn greet_socks5(&mut self, proxy: &Proxy) -> Result<(), Failure> {
        const NO_AUTHENTICATION: u8 = 0;
        const USER_AND_PASSWORD: u8 = 2;
        const NONE_ACCEPTED: u8 = 0xff;
        let methods: &[u8] = match proxy.user {
            Some(_) => &[5, 2, NO_AUTHENTICATION, USER_AND_PASSWORD],
            None => &[5, 1, NO_AUTHENTICATION],
        };
        self.send(methods)?;
        match (self.receive::<2>()?, &proxy.user) {
            ([5, NO_AUTHENTICATION], _) => Ok(()),
            ([5, USER_AND_PASSWORD], Some(user)) => {
                let password = proxy.password.as_ref().map_or("", |secret| secret.reveal());
                let mut request = vec![1];
                push_field(&mut request, user.as_bytes(), "proxy.userName")?;
                push_field(&mut request, password.as_bytes(), "proxy.password")?;
                self.send(&request)?;
                let [_, status] = self.receive::<2>()?;
                if status == 0 { Ok(()) } else { Err(rejected("the proxy rejected the user")) }
            }
            ([5, NONE_ACCEPTED], None) => Err(rejected("the proxy wants a user")),
            ([5, _], _) => Err(rejected("the proxy wants another way of authentication")),
            _ => Err(Failure::new(Cause::Nonsense, "the proxy does not speak SOCKS5")
                .with_hint("check proxy.type")),
        }
    }

    fn socks5(&mut self, proxy: &Proxy, host: &str, port: u16) -> Result<(), Failure> {
        self.greet_socks5(proxy)?;
        let mut request = vec![5, 1, 0];
        match host.parse::<IpAddr>() {
            Ok(IpAddr::V4(address)) => {
                request.push(1);
                request.extend_from_slice(&address.octets());
            }
            Ok(IpAddr::V6(address)) => {
                request.push(4);
                request.extend_from_slice(&address.octets());
            }
            Err(_) => {
                request.push(3);
                push_field(&mut request, host.as_bytes(), "host")?;
            }
        }
        request.extend_from_slice(&port.to_be_bytes());
        self.send(&request)?;
        let [_, status, _, kind] = self.receive::<4>()?;
        if status != 0 {
            let error = unreachable(&format!(
                "the proxy could not connect to {host}:{port}: {}",
                socks_failure(status)
            ));
            return Err(if status == FORBIDDEN { forbidden(error) } else { error });
        }
        let bound = match kind {
            1 => 4,
            4 => 16,
            _ => usize::from(self.receive::<1>()?[0]),
        };
        for _ in 0..bound + 2 {
            self.receive::<1>()?;
        }
        Ok(())
    }

    fn http(&mut self, proxy: &Proxy, host: &str, port: u16) -> Result<(), Failure> {
        let target = match host.parse::<IpAddr>() {
            Ok(IpAddr::V6(_)) => format!("[{host}]:{port}"),
            _ => format!("{host}:{port}"),
        };
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some(user) = &proxy.user {
            let password = proxy.password.as_ref().map_or("", |secret| secret.reveal());
            let credentials = base64(format!("{user}:{password}").as_bytes());
            request.push_str(&format!("Proxy-Authorization: Basic {credentials}\r\n"));
        }
        request.push_str("\r\n");
        self.send(request.as_bytes())?;
        let head = self.receive_head()?;
        let status = head.split(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let code = status.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        match code {
            [b'2', _, _] => Ok(()),
            b"407" if proxy.user.is_none() => Err(rejected("the proxy wants a user")),
            b"407" => Err(rejected("the proxy rejected the user")),
            _ => {
                let error = unreachable(&format!(
                    "the proxy answered \"{}\" to CONNECT {target}",
                    printable_bytes(status)
                ));
                // 5yz is about the server behind it, or about the moment.
                Err(if code.first() == Some(&b'5') { error } else { forbidden(error) })
            }
        }
    }

    /// Reads byte by byte: what follows the head belongs to the tunnel.
    fn receive_head(&mut self) -> Result<Vec<u8>, Failure> {
        let mut head = Vec::new();
        // Lines may end in LF alone (RFC 9112 §2.2).
        while !(head.ends_with(b"\n\r\n") || head.ends_with(b"\n\n")) {
            if head.len() >= MAXIMUM_HEAD {
                return Err(Failure::new(Cause::Nonsense, "the proxy's answer has no end"));
            }
            head.extend_from_slice(&self.receive::<1>()?);
        }
        Ok(head)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let left = self.deadline.remaining(PROXY)?;
        let sent = self.socket.set_write_timeout(left).and_then(|()| self.socket.write_all(bytes));
        sent.map_err(|e| self.failed(&e))
    }

    fn receive<const COUNT: usize>(&mut self) -> Result<[u8; COUNT], Failure> {
        let mut bytes = [0; COUNT];
        let left = self.deadline.remaining(PROXY)?;
        let received =
            self.socket.set_read_timeout(left).and_then(|()| self.socket.read_exact(&mut bytes));
        received.map_err(|e| self.failed(&e))?;
        Ok(bytes)
    }

    fn failed(&self, error: &std::io::Error) -> Failure {
        let error = if is_timeout(error) {
            self.deadline.error(PROXY).into()
        } else {
            super::error::io_error(PROXY, error)
        };
        error.hinted("check proxy.type, proxy.host and proxy.port")
    }
}

const PROXY: &str = "the proxy's answer";

/// A SOCKS5 connection that is not allowed by the proxy's rules.
const FORBIDDEN: u8 = 2;

fn rejected(message: &str) -> Failure {
    Failure::new(Cause::LoginRejected, message).with_hint("check proxy.userName and proxy.password")
}

fn unreachable(message: &str) -> Failure {
    Failure::new(Cause::Lost, message).with_hint("check host and port, as the proxy sees them")
}

/// Rules do not change from one attempt to the next.
fn forbidden(error: Failure) -> Failure {
    error
        .with_transient(false)
        .with_hint("the proxy's rules have to allow host and port, passive ports included")
}

fn push_field(request: &mut Vec<u8>, bytes: &[u8], setting: &str) -> Result<(), Failure> {
    let length = u8::try_from(bytes.len()).map_err(|_| {
        Failure::configuration(setting, "is longer than the 255 bytes SOCKS5 allows")
    })?;
    request.push(length);
    request.extend_from_slice(bytes);
    Ok(())
}

fn socks_failure(status: u8) -> &'static str {
    match status {
        FORBIDDEN => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        _ => "general failure",
    }
}

/// Base64 (RFC 4648 §4), for one header.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = (group >> (18 - 6 * at)) & 0x3f;
            match ALPHABET.get(digit as usize) {
                Some(character) if at <= chunk.len() => text.push(char::from(*character)),
                _ => text.push('='),
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_may_end_in_lf_alone() {
        for head in [
            "HTTP/1.1 200 OK\r\nVia: x\r\n\r\n",
            "HTTP/1.0 200 OK\nVia: x\n\n",
            "HTTP/1.0 200 OK\n\r\n",
        ] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let port = listener.local_addr().unwrap().port();
            let answer = std::thread::spawn(move || {
                let (mut client, _) = listener.accept().unwrap();
                client.write_all(format!("{head}220 ready").as_bytes()).unwrap();
                client
            });
            let proxy = Proxy {
                kind: ProxyKind::Http,
                host: "127.0.0.1".to_owned(),
                port,
                user: None,
                password: None,
            };
            let limit = Deadline::after(Some(std::time::Duration::from_secs(5)), "");
            let mut socket =
                connect(&proxy, "ftp.example.com", 21, limit, &CancelToken::default()).unwrap();
            let mut rest = [0; 9];
            socket.read_exact(&mut rest).unwrap();
            assert_eq!(&rest, b"220 ready", "{head:?}");
            drop(answer.join().unwrap());
        }
    }

    #[test]
    fn base64_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
