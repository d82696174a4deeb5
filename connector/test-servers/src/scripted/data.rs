use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use socket2::{Domain, Socket, Type};

use super::script::DataStep;
use super::shared::{ENDLESS, Record, Shared, Stop, mismatch};
use super::text::escape;
use super::wire::{Meter, Wire};

/// The data connections of one control connection.
#[derive(Debug, Default)]
pub(super) struct Data {
    listener: Option<TcpListener>,
    /// Where the client's last PORT or EPRT wants to be called.
    active: Option<SocketAddr>,
    wire: Option<Wire>,
    /// The connection was cut: what the script still wants of it cannot be done.
    is_cut: bool,
}

impl Data {
    /// Opens a port for the next data connection, or finds one that nobody listens on.
    pub(super) fn listen(&mut self, dead: bool) -> Result<u16, Stop> {
        let opened = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .and_then(|listener| Ok((listener.local_addr()?.port(), listener)));
        let Ok((port, listener)) = opened else { return mismatch("no port is free") };
        self.wire = None;
        self.active = None;
        self.is_cut = false;
        self.listener = (!dead).then_some(listener);
        Ok(port)
    }

    /// Remembers the address of an active data connection.
    pub(super) fn notice(&mut self, command: &[u8]) {
        if let Some(address) = active_address(command) {
            self.listener = None;
            self.wire = None;
            self.is_cut = false;
            self.active = Some(address);
        }
    }

    pub(super) fn step(
        &mut self,
        step: &DataStep,
        shared: &Shared,
        record: &mut Record,
    ) -> Result<(), Stop> {
        if let DataStep::Refused = step {
            return self.refused();
        }
        if self.is_cut {
            return Ok(());
        }
        if self.wire.is_none() {
            let from = if let DataStep::Connect(from) = step { *from } else { None };
            self.wire = Some(self.open(from, shared)?);
        }
        let result = self.transfer(step, shared, record);
        if self.wire.as_ref().is_some_and(Wire::is_cut) {
            record.lines.push("= the data connection was cut".to_owned());
            self.is_cut = true;
            self.wire = None;
            return Ok(());
        }
        result
    }

    fn transfer(
        &mut self,
        step: &DataStep,
        shared: &Shared,
        record: &mut Record,
    ) -> Result<(), Stop> {
        let Some(wire) = &mut self.wire else { return mismatch("there is no data connection") };
        let words = match step {
            DataStep::Accept | DataStep::Connect(_) | DataStep::Refused => return Ok(()),
            DataStep::Tls => return self.start_tls(shared),
            DataStep::UntrustedTls => return self.try_untrusted(shared, record),
            DataStep::Send(bytes) => {
                if let Err(error) = wire.send(bytes) {
                    return mismatch(format!("the data could not be sent: {error}"));
                }
                format!("= data sent: {}", brief(bytes))
            }
            DataStep::Endless(bytes) => endless(wire, bytes)?,
            DataStep::Receive(most) => {
                let bytes = receive(wire, *most, shared)?;
                let words = format!("= data received: {}", brief(&bytes));
                record.uploads.push(bytes);
                words
            }
            DataStep::Expect(wanted) => {
                let bytes = receive(wire, None, shared)?;
                let words = format!("= data received: {}", brief(&bytes));
                let same = bytes == *wanted;
                record.uploads.push(bytes);
                if !same {
                    return mismatch(format!("{} was expected, {words}", brief(wanted)));
                }
                words
            }
            DataStep::Close => self.end("closed", Wire::close),
            DataStep::Truncate => self.end("closed without TLS's farewell", Wire::truncate),
            DataStep::Reset => self.end("reset", Wire::reset),
        };
        record.lines.push(words);
        Ok(())
    }

    fn open(&mut self, from: Option<IpAddr>, shared: &Shared) -> Result<Wire, Stop> {
        let stream = if let Some(listener) = self.listener.take() {
            accept(&listener, shared)
        } else if let Some(address) = self.active.take() {
            connect(address, from, shared)
        } else {
            return mismatch("there is no data connection: no port was agreed on");
        };
        let sent = Arc::clone(&shared.sent_data);
        stream
            .and_then(|stream| Meter::new(stream, &shared.timeouts, sent, shared.cut_data))
            .map(Wire::Plain)
            .or_else(|error| mismatch(format!("no data connection: {error}")))
    }

    fn start_tls(&mut self, shared: &Shared) -> Result<(), Stop> {
        let Some(wire) = self.wire.take() else { return mismatch("there is no data connection") };
        match wire.start_tls(&shared.tls, &shared.timeouts.timer()) {
            Ok(wire) => {
                self.wire = Some(wire);
                Ok(())
            }
            Err(_) if shared.cut_data.is_some() => {
                self.is_cut = true;
                Ok(())
            }
            Err(error) => mismatch(format!("no TLS handshake for data: {error}")),
        }
    }

    /// Shows a certificate of an authority that the client does not know.
    fn try_untrusted(&mut self, shared: &Shared, record: &mut Record) -> Result<(), Stop> {
        let Some(wire) = self.wire.take() else { return mismatch("there is no data connection") };
        match wire.start_tls(&shared.untrusted, &shared.timeouts.timer()) {
            Ok(_) => mismatch("the client trusted another authority"),
            Err(error) => {
                record.lines.push(format!("= the client refused another authority: {error}"));
                self.is_cut = true;
                Ok(())
            }
        }
    }

    fn refused(&mut self) -> Result<(), Stop> {
        let Some(listener) = &self.listener else { return mismatch("there is no open port") };
        match listener.set_nonblocking(true).and_then(|()| listener.accept()) {
            Ok((_, address)) => mismatch(format!("the client connected from {address}")),
            Err(_) => Ok(()),
        }
    }

    fn end(&mut self, words: &str, how: impl FnOnce(Wire)) -> String {
        if let Some(wire) = self.wire.take() {
            how(wire);
        }
        format!("= data connection {words}")
    }
}

fn accept(listener: &TcpListener, shared: &Shared) -> io::Result<TcpStream> {
    listener.set_nonblocking(true)?;
    let timer = shared.timeouts.timer();
    loop {
        match listener.accept() {
            Ok((stream, _)) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => timer.poll()?,
            Err(error) => return Err(error),
        }
    }
}

fn connect(to: SocketAddr, from: Option<IpAddr>, shared: &Shared) -> io::Result<TcpStream> {
    if !to.ip().is_loopback() {
        return Err(io::Error::other(format!("{to} is not on the loopback")));
    }
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    if let Some(from) = from {
        socket.bind(&SocketAddr::from((from, 0)).into())?;
    }
    socket.connect_timeout(&to.into(), shared.timeouts.wait)?;
    Ok(socket.into())
}

fn endless(wire: &mut Wire, bytes: &[u8]) -> Result<String, Stop> {
    let many = bytes.repeat((1 << 14) / bytes.len().max(1) + 1);
    let mut sent = 0;
    while sent < ENDLESS {
        if wire.send(&many).is_err() {
            return Ok(format!("= data without end, until the client hung up after {sent} bytes"));
        }
        sent += many.len();
    }
    mismatch(format!("the client read {sent} bytes of data without hanging up"))
}

/// Everything up to the end of the data, or its first `most` bytes.
fn receive(wire: &mut Wire, most: Option<usize>, shared: &Shared) -> Result<Vec<u8>, Stop> {
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    while most.is_none_or(|most| bytes.len() < most) {
        let room = most.map_or(buffer.len(), |most| buffer.len().min(most - bytes.len()));
        match wire.receive(&mut buffer[..room], &shared.timeouts.timer()) {
            Ok(0) => break,
            Ok(length) => bytes.extend_from_slice(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return mismatch(format!("{} ended without TLS's farewell", brief(&bytes)));
            }
            Err(error) => return mismatch(format!("after {}: {error}", brief(&bytes))),
        }
    }
    Ok(bytes)
}

fn brief(bytes: &[u8]) -> String {
    const SHOWN: usize = 60;
    let shown = escape(&bytes[..bytes.len().min(SHOWN)]);
    let dots = if bytes.len() > SHOWN { "…" } else { "" };
    format!("{} bytes \"{shown}{dots}\"", bytes.len())
}

/// The address in `PORT h1,h2,h3,h4,p1,p2` or `EPRT |1|host|port|`.
fn active_address(command: &[u8]) -> Option<SocketAddr> {
    let command = std::str::from_utf8(command).ok()?;
    if let Some(fields) = command.strip_prefix("PORT ") {
        let fields: Vec<u8> = fields.split(',').map_while(|field| field.parse().ok()).collect();
        let [a, b, c, d, high, low] = fields[..] else { return None };
        return Some((Ipv4Addr::new(a, b, c, d), u16::from_be_bytes([high, low])).into());
    }
    let fields = command.strip_prefix("EPRT ")?;
    let mut fields = fields.split(fields.chars().next()?).skip(2);
    let host: IpAddr = fields.next()?.parse().ok()?;
    Some((host, fields.next()?.parse().ok()?).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn active_addresses_are_understood() {
        let wanted = Some("127.0.0.1:258".parse().unwrap());
        assert_eq!(active_address(b"PORT 127,0,0,1,1,2"), wanted);
        assert_eq!(active_address(b"EPRT |1|127.0.0.1|258|"), wanted);
        assert_eq!(active_address(b"EPRT |2|::1|258|"), Some("[::1]:258".parse().unwrap()));
        assert_eq!(active_address(b"PORT 1,2"), None);
        assert_eq!(active_address(b"EPRT "), None);
    }
}
