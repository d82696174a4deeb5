//! A SOCKS5 and HTTP CONNECT proxy inside the test process.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

/// The user that a proxy with credentials admits.
pub(crate) const USER: &str = "proxy-user";

/// The password of [`USER`].
pub(crate) const PASSWORD: &str = "pr0xy s3cret";

/// `USER:PASSWORD` in Base64, as HTTP carries it.
const BASIC: &str = "cHJveHktdXNlcjpwcjB4eSBzM2NyZXQ=";

/// What a proxy speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Socks5,
    Http,
}

/// How a proxy treats those who ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Connects everybody.
    Open,
    /// Connects [`USER`].
    WithCredentials,
    /// Lets everybody in who shows credentials or none, and connects nobody.
    Refusing,
    /// Hangs up on everybody.
    HangingUp,
    /// Connects everybody, and cuts so many data connections once they carried so many bytes.
    Cutting { times: u64, bytes: u64 },
}

/// What a proxy has seen.
#[derive(Default)]
struct Seen {
    targets: Mutex<Vec<String>>,
    /// How many data connections were cut.
    cuts: AtomicU64,
    /// How many bytes data connections carried where they may be cut.
    carried: AtomicU64,
}

/// A running proxy. It ends with the test process.
pub(crate) struct TestProxy {
    protocol: Protocol,
    address: SocketAddr,
    seen: Arc<Seen>,
}

impl TestProxy {
    /// Starts a proxy on a free port.
    pub(crate) fn start(protocol: Protocol, manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Seen::default());
        let sees = Arc::clone(&seen);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let sees = Arc::clone(&sees);
                // Whoever speaks nonsense is hung up on.
                std::thread::spawn(move || serve(client, protocol, manner, &sees));
            }
        });
        Self { protocol, address, seen }
    }

    /// The settings of a connection through it; `with_credentials` shows [`USER`]'s.
    pub(crate) fn settings(&self, with_credentials: bool) -> Value {
        let kind = match self.protocol {
            Protocol::Socks5 => "socks5",
            Protocol::Http => "http",
        };
        let mut proxy = json!({"type": kind, "host": "127.0.0.1", "port": self.address.port()});
        if with_credentials {
            proxy["userName"] = json!(USER);
            proxy["password"] = json!(PASSWORD);
        }
        json!({"proxy": proxy})
    }

    /// Every `host:port` that it was asked for.
    pub(crate) fn targets(&self) -> Vec<String> {
        self.seen.targets.lock().unwrap().clone()
    }

    /// How many data connections it has cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.seen.cuts.load(Ordering::Relaxed)
    }

    /// How many bytes data connections have carried, in a manner that cuts.
    pub(crate) fn carried(&self) -> u64 {
        self.seen.carried.load(Ordering::Relaxed)
    }
}

fn serve(
    mut client: TcpStream,
    protocol: Protocol,
    manner: Manner,
    seen: &Arc<Seen>,
) -> Option<()> {
    if manner == Manner::HangingUp {
        return None;
    }
    let target = match protocol {
        Protocol::Socks5 => socks5(&mut client, manner)?,
        Protocol::Http => http(&mut client, manner)?,
    };
    let is_data = {
        let mut targets = seen.targets.lock().unwrap();
        targets.push(target.clone());
        // The first one is a control connection.
        targets[0] != target
    };
    let connected =
        if manner == Manner::Refusing { None } else { TcpStream::connect(&target).ok() };
    let answer: &[u8] = match (protocol, &connected) {
        (Protocol::Socks5, Some(_)) => &[5, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        // Not allowed by the ruleset; connection refused.
        (Protocol::Socks5, None) if manner == Manner::Refusing => &[5, 2, 0, 1, 0, 0, 0, 0, 0, 0],
        (Protocol::Socks5, None) => &[5, 5, 0, 1, 0, 0, 0, 0, 0, 0],
        (Protocol::Http, Some(_)) => b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n",
        (Protocol::Http, None) if manner == Manner::Refusing => {
            b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
        }
        (Protocol::Http, None) => b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
    };
    client.write_all(answer).ok()?;
    let server = connected?;
    if let Manner::Cutting { times, bytes } = manner
        && is_data
    {
        return carry(client, server, seen, times, bytes);
    }
    let back = (server.try_clone().ok()?, client.try_clone().ok()?);
    let copier = std::thread::spawn(move || copy(back.0, back.1));
    copy(client, server);
    copier.join().ok()
}

fn copy(mut from: TcpStream, mut to: TcpStream) {
    // A cut on one side is one on the other.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// Copies both ways, until both ends are done or it is time to cut.
fn carry(
    client: TcpStream,
    server: TcpStream,
    seen: &Arc<Seen>,
    times: u64,
    bytes: u64,
) -> Option<()> {
    // What is still here is lost with a cut: little may be.
    socket2::SockRef::from(&server).set_recv_buffer_size(32 * 1024).ok()?;
    socket2::SockRef::from(&client).set_send_buffer_size(32 * 1024).ok()?;
    let ends = [server.try_clone().ok()?, client.try_clone().ok()?];
    let is_cut = Arc::new(AtomicBool::new(false));
    let (sees, cut) = (Arc::clone(seen), Arc::clone(&is_cut));
    let back = std::thread::spawn(move || {
        let [from, to] = ends;
        copy_or_cut(from, to, &sees, &cut, times, bytes);
    });
    copy_or_cut(client, server, seen, &is_cut, times, bytes);
    back.join().ok()
}

fn copy_or_cut(
    mut from: TcpStream,
    mut to: TcpStream,
    seen: &Seen,
    is_cut: &AtomicBool,
    times: u64,
    bytes: u64,
) {
    let mut chunk = [0; 16 * 1024];
    let mut carried = 0;
    while let Ok(count @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..count]).is_err() {
            break;
        }
        carried += count as u64;
        seen.carried.fetch_add(count as u64, Ordering::Relaxed);
        let one_more = |cuts: u64| (cuts < times).then_some(cuts + 1);
        let order = Ordering::Relaxed;
        if carried >= bytes && seen.cuts.fetch_update(order, order, one_more).is_ok() {
            is_cut.store(true, Ordering::SeqCst);
            for end in [&from, &to] {
                // Reset when the other thread lets go of it too, which this wakes.
                let _ = socket2::SockRef::from(end).set_linger(Some(Duration::ZERO));
                let _ = end.shutdown(Shutdown::Read);
            }
            return;
        }
    }
    if !is_cut.load(Ordering::SeqCst) {
        let _ = to.shutdown(Shutdown::Write);
    }
}

fn socks5(client: &mut TcpStream, manner: Manner) -> Option<String> {
    let [5, count] = take::<2>(client)? else { return None };
    let methods: Vec<u8> = (0..count).map_while(|_| take::<1>(client).map(|[byte]| byte)).collect();
    let wanted = if manner == Manner::WithCredentials { 2 } else { 0 };
    if !methods.contains(&wanted) {
        client.write_all(&[5, 0xff]).ok()?;
        return None;
    }
    client.write_all(&[5, wanted]).ok()?;
    if wanted == 2 {
        take::<1>(client)?;
        let user = field(client)?;
        let password = field(client)?;
        let known = user == USER.as_bytes() && password == PASSWORD.as_bytes();
        client.write_all(&[1, u8::from(!known)]).ok()?;
        if !known {
            return None;
        }
    }
    let [5, 1, 0, kind] = take::<4>(client)? else { return None };
    let host = match kind {
        1 => std::net::Ipv4Addr::from(take::<4>(client)?).to_string(),
        4 => format!("[{}]", std::net::Ipv6Addr::from(take::<16>(client)?)),
        _ => String::from_utf8(field(client)?).ok()?,
    };
    Some(format!("{host}:{}", u16::from_be_bytes(take::<2>(client)?)))
}

fn http(client: &mut TcpStream, manner: Manner) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(take::<1>(client)?);
    }
    let head = String::from_utf8(head).ok()?;
    let known = head.contains(&format!("\r\nProxy-Authorization: Basic {BASIC}\r\n"));
    if manner == Manner::WithCredentials && !known {
        let answer =
            b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n";
        client.write_all(answer).ok()?;
        return None;
    }
    head.strip_prefix("CONNECT ")?.split(' ').next().map(str::to_owned)
}

fn field(client: &mut TcpStream) -> Option<Vec<u8>> {
    let [length] = take::<1>(client)?;
    let mut bytes = vec![0; usize::from(length)];
    client.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn take<const COUNT: usize>(client: &mut TcpStream) -> Option<[u8; COUNT]> {
    let mut bytes = [0; COUNT];
    client.read_exact(&mut bytes).ok()?;
    Some(bytes)
}
