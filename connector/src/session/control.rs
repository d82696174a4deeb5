//! The control connection: bytes to and from the server, with caps, deadlines and TLS.
//!
//! suppaftp sends the commands and reads the replies, but its own reader takes any line that
//! begins with three digits and a space for the end of a reply, hangs on a reply without text,
//! has no deadline, and on plain sessions reads the socket itself. So it never sees the socket:
//! it reads from [`Wire`], which hands it each reply complete and in the one form it digests.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use host_sdk::{Error, ErrorKind};
use suppaftp::{FtpResult, TlsConnector, TlsStream};

use super::transcript::{Scribe, Transcript};
use crate::protocol::reply::Reply;
use crate::protocol::reply_line::{ends_reply, split_code, trim_line_end};
use crate::transport::error::{io_error, is_timeout, retry_interrupted};
use crate::transport::stream::NetStream;
use host_sdk::kit::Deadline;
use host_sdk::kit::text::printable_bytes;

/// The longest reply in all; FEAT and STAT of real servers stay under a tenth of it.
const MAXIMUM_REPLY: usize = 256 * 1024;

/// What a control connection needs to know about limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlLimits {
    /// How long one reply may take in all; `None` is for ever.
    pub(crate) reply: Option<Duration>,
    /// The longest line, in bytes.
    pub(crate) line: usize,
}

/// A handle on a control connection; clones share it.
#[derive(Clone)]
pub(crate) struct Control {
    channel: Arc<Mutex<Channel>>,
}

struct Channel {
    stream: NetStream,
    limits: ControlLimits,
    /// Takes down what is said.
    scribe: Scribe,
    /// A deadline above that of single replies, such as that of the whole login.
    overall: Deadline,
    /// Bytes received that no reply has used yet.
    received: Vec<u8>,
    /// Bytes of the current reply that suppaftp has not read yet.
    ready: io::Cursor<Vec<u8>>,
    /// What the reply being waited for answers, for error messages.
    awaiting: String,
}

impl Control {
    /// Takes over a connected stream.
    pub(crate) fn new(
        stream: NetStream,
        limits: ControlLimits,
        overall: Deadline,
        scribe: Scribe,
    ) -> Self {
        let channel = Channel {
            stream,
            limits,
            scribe,
            overall,
            received: Vec::new(),
            ready: io::Cursor::default(),
            awaiting: "the greeting".to_owned(),
        };
        Self { channel: Arc::new(Mutex::new(channel)) }
    }

    /// Reads the next reply, without sending anything: the greeting, and the one that ends a
    /// transfer.
    pub(crate) fn next_reply(&self, awaiting: &str) -> Result<Reply, Error> {
        let mut channel = self.lock();
        awaiting.clone_into(&mut channel.awaiting);
        let bytes = channel.read_reply()?;
        Reply::parse(&bytes).ok_or_else(|| nonsense(&channel.scribe.hidden(&bytes)))
    }

    /// Names what the next reply answers.
    pub(crate) fn awaiting(&self, command: &str) {
        self.lock().awaiting = format!("the reply to {command}");
    }

    /// Sets the deadline above that of single replies.
    pub(crate) fn set_overall(&self, deadline: Deadline) {
        self.lock().overall = deadline;
    }

    /// Exchanges the stream, to put TLS around it; refuses when the server has sent something
    /// ahead of its first TLS record, which an attacker could have put there.
    pub(crate) fn upgrade(
        &self,
        wrap: impl FnOnce(TcpStream, Deadline) -> Result<NetStream, Error>,
    ) -> Result<(), Error> {
        let mut channel = self.lock();
        // A server that has hung up by now shows it in the handshake.
        let _ = channel.poll();
        if !channel.received.is_empty() {
            return Err(Error::new(
                ErrorKind::Protocol,
                "the server sent bytes in clear after it agreed to TLS",
            )
            .with_hint(
                "somebody between here and the server may be tampering with the connection",
            ));
        }
        channel.scribe.note("TLS begins");
        let deadline = channel.deadline();
        let socket = channel.stream.socket().try_clone().map_err(|e| io_error("TLS", &e))?;
        channel.stream = wrap(socket, deadline)?;
        Ok(())
    }

    /// Whether the server has said or closed something since the last reply: then the
    /// connection is of no use any more.
    pub(crate) fn is_disturbed(&self) -> bool {
        let mut channel = self.lock();
        !channel.received.is_empty() || channel.poll()
    }

    /// Has what is said from now on taken down by `scribe`.
    pub(crate) fn set_scribe(&self, scribe: Scribe) {
        self.lock().scribe = scribe;
    }

    /// Where what is said is taken down.
    pub(crate) fn transcript(&self) -> Transcript {
        self.lock().scribe.transcript().clone()
    }

    /// Looks at the stream, for its addresses and its TLS state.
    pub(crate) fn with_stream<R>(&self, look: impl FnOnce(&NetStream) -> R) -> R {
        look(&self.lock().stream)
    }

    /// suppaftp's end of this connection, and what it takes to be a TLS connector.
    pub(crate) fn wire(&self) -> WireSource {
        WireSource { control: self.clone() }
    }

    /// Puts a greeting in front of suppaftp, which insists on reading one itself.
    pub(crate) fn pretend_greeting(&self) {
        self.lock().ready = io::Cursor::new(b"220 ready\r\n".to_vec());
    }

    fn lock(&self) -> MutexGuard<'_, Channel> {
        self.channel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Channel {
    fn deadline(&self) -> Deadline {
        Deadline::after(self.limits.reply, "readTimeout").earlier(self.overall)
    }

    /// The bytes of one reply in the form every reader agrees on: the first line with a hyphen
    /// if others follow, inner lines that look like an end indented, the last line with the
    /// code and a space, CRLF throughout.
    fn read_reply(&mut self) -> Result<Vec<u8>, Error> {
        let deadline = self.deadline();
        let first = self.read_line(deadline, MAXIMUM_REPLY)?;
        let Some((code, separator)) = split_code(trim_line_end(&first)) else {
            return Err(nonsense(&self.scribe.hidden(&first)));
        };
        let mut reply = Vec::with_capacity(first.len() + 2);
        push_line(&mut reply, trim_line_end(&first));
        if separator != Some(b'-') {
            return Ok(reply);
        }
        loop {
            let room = MAXIMUM_REPLY.saturating_sub(reply.len());
            let line = self.read_line(deadline, room)?;
            let line = trim_line_end(&line);
            if ends_reply(line, code) {
                push_line(&mut reply, line);
                return Ok(reply);
            }
            if matches!(split_code(line), Some((_, Some(b' ') | None))) {
                reply.push(b' ');
            }
            reply.extend_from_slice(line);
            reply.extend_from_slice(b"\r\n");
        }
    }

    fn read_line(&mut self, deadline: Deadline, room: usize) -> Result<Vec<u8>, Error> {
        let limit = self.limits.line.min(room);
        let mut searched = 0;
        loop {
            let unseen = self.received.get(searched..).unwrap_or_default();
            if let Some(at) = unseen.iter().position(|byte| *byte == b'\n') {
                let rest = self.received.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.received, rest);
                self.scribe.received(&line);
                return Ok(line);
            }
            searched = self.received.len();
            if searched > limit {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    format!("{} is longer than any that makes sense", self.awaiting),
                )
                .with_hint("raise maximumLineLength if the server is known to be so talkative"));
            }
            self.receive(deadline)?;
        }
    }

    /// Takes in what has arrived; whether there was something, be it the end. TLS has messages of
    /// its own, such as session tickets, which say nothing.
    fn poll(&mut self) -> bool {
        let mut buffer = [0; 4096];
        if self.stream.socket().set_nonblocking(true).is_err() {
            return true;
        }
        let read = retry_interrupted(|| self.stream.read(&mut buffer));
        let restored = self.stream.socket().set_nonblocking(false);
        if let Ok(count) = read {
            self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
        }
        restored.is_err() || !matches!(&read, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<(), Error> {
        let mut buffer = [0; 4096];
        let left = deadline.remaining(&self.awaiting)?;
        let read = self.stream.set_read_timeout(left).and_then(|()| self.stream.read(&mut buffer));
        match read {
            Ok(0) => Err(Error::new(
                ErrorKind::Connection,
                format!("the server closed the connection instead of {}", self.awaiting),
            )),
            Ok(count) => {
                self.received.extend_from_slice(buffer.get(..count).unwrap_or_default());
                Ok(())
            }
            // Nothing yet: the caller comes back, with less time left.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(e) if is_timeout(&e) => Err(deadline.error(&self.awaiting)),
            Err(e) => Err(io_error(&self.awaiting, &e)),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.scribe.sent(bytes);
        let deadline = self.deadline();
        let left = deadline.remaining("sending a command")?;
        let sent = self
            .stream
            .set_write_timeout(left)
            .and_then(|()| self.stream.write_all(bytes))
            .and_then(|()| self.stream.flush());
        sent.map_err(|e| {
            if is_timeout(&e) {
                deadline.error("sending a command")
            } else {
                io_error("sending a command", &e)
            }
        })
    }
}

fn push_line(reply: &mut Vec<u8>, line: &[u8]) {
    reply.extend_from_slice(line);
    if line.len() == 3 {
        // A bare code: RFC 959 wants the space, some servers leave it out.
        reply.push(b' ');
    }
    reply.extend_from_slice(b"\r\n");
}

fn nonsense(bytes: &[u8]) -> Error {
    let shown = bytes.get(..80).unwrap_or(bytes);
    Error::new(
        ErrorKind::Protocol,
        format!("the server sent \"{}\" instead of a reply", printable_bytes(trim_line_end(shown))),
    )
    .with_hint("check host and port: this may not be an FTP server, or it wants implicit TLS")
}

/// Gives suppaftp its [`Wire`] where it would open TLS.
#[derive(Clone)]
pub(crate) struct WireSource {
    control: Control,
}

impl fmt::Debug for WireSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WireSource")
    }
}

impl TlsConnector for WireSource {
    type Stream = Wire;

    fn connect(&self, _domain: &str, stream: TcpStream) -> FtpResult<Wire> {
        Ok(Wire { io: WireIo { control: self.control.clone() }, stand_in: stream })
    }
}

/// suppaftp's end of a control connection. The socket it asks for is a stand-in that nothing
/// travels over.
pub(crate) struct Wire {
    io: WireIo,
    stand_in: TcpStream,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl TlsStream for Wire {
    type InnerStream = WireIo;

    fn tcp_stream(self) -> FtpResult<TcpStream> {
        Ok(self.stand_in)
    }

    fn get_ref(&self) -> &TcpStream {
        &self.stand_in
    }

    fn mut_ref(&mut self) -> &mut WireIo {
        &mut self.io
    }
}

/// Bytes of whole replies in, bytes of commands out.
pub(crate) struct WireIo {
    control: Control,
}

impl Read for WireIo {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut channel = self.control.lock();
        if channel.ready.position() >= channel.ready.get_ref().len() as u64 {
            let reply = channel.read_reply().map_err(io::Error::other)?;
            channel.ready = io::Cursor::new(reply);
        }
        channel.ready.read(buffer)
    }
}

impl Write for WireIo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.control.lock().send(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
