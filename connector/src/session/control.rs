//! The control connection: commands out, replies in, with caps, deadlines and TLS (RFC 959 §4).
//!
//! It is the connector's own: a client crate ends a reply at the first line that looks like an end,
//! has no deadline for a whole reply, and cannot send a command before the reply to the one before.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::transcript::{Transcript, TranscriptWriter};
use crate::config::ConnectionSettings;
use crate::failure::{Cause, Failure};
use crate::protocol::reply::{PartialReply, Reply};
use crate::protocol::reply_line::{escape_iac, trim_line_end};
use crate::protocol::verb::Verb;
use crate::transport::error::{io_error, is_timeout, retry_interrupted};
use crate::transport::stream::{NetStream, filled};
use host_sdk::kit::Deadline;
use host_sdk::kit::text::printable_bytes;

/// The longest reply in all; FEAT and STAT of real servers stay under a tenth of it.
const MAXIMUM_REPLY: usize = 256 * 1024;

/// What a control connection needs to know about limits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ControlLimits {
    /// How long one reply may take in all; `None` is without limit.
    pub(crate) reply: Option<Duration>,
    /// The longest line, in bytes.
    pub(crate) line: usize,
}

impl ControlLimits {
    /// Those of a connection with `settings`.
    pub(crate) fn of(settings: &ConnectionSettings) -> Self {
        Self { reply: settings.read_timeout, line: settings.maximum_line }
    }
}

/// A control connection. Once it has failed, no reply can be matched to a command any more.
pub(crate) struct Control {
    stream: NetStream,
    limits: ControlLimits,
    /// Records what is said.
    writer: TranscriptWriter,
    /// A deadline above that of single replies, such as that of the whole login.
    overall: Deadline,
    /// Bytes received that no reply has used yet.
    received: Vec<u8>,
}

impl Control {
    /// Takes over a connected stream.
    pub(crate) fn new(
        stream: NetStream,
        limits: ControlLimits,
        overall: Deadline,
        writer: TranscriptWriter,
    ) -> Self {
        Self { stream, limits, writer, overall, received: Vec::new() }
    }

    /// Sends a command without its line end and reads its reply.
    pub(crate) fn exchange(&mut self, command: &[u8], verb: Verb) -> Result<Reply, Failure> {
        self.send_all(&[command])?;
        self.next_reply(&format!("the reply to {verb}"))
    }

    /// Sends commands without their line ends, in one piece.
    pub(crate) fn send_all(&mut self, commands: &[impl AsRef<[u8]>]) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        for command in commands {
            let start = bytes.len();
            bytes.extend_from_slice(&escape_iac(command.as_ref()));
            bytes.extend_from_slice(b"\r\n");
            self.writer.sent(bytes.get(start..).unwrap_or_default());
        }
        self.send(&bytes)
    }

    /// As [`Control::next_reply`], but no longer than `limit`.
    pub(crate) fn next_reply_within(
        &mut self,
        limit: Duration,
        awaited: &str,
    ) -> Result<Reply, Failure> {
        let overall = self.overall;
        self.overall = overall.earlier(Deadline::after(Some(limit), ""));
        let reply = self.next_reply(awaited);
        self.overall = overall;
        reply
    }

    /// Reads the next reply without sending anything, such as the greeting and the one that ends a
    /// transfer; errors call it `awaited`.
    pub(crate) fn next_reply(&mut self, awaited: &str) -> Result<Reply, Failure> {
        let deadline = self.deadline();
        let first = self.read_line(deadline, MAXIMUM_REPLY, awaited)?;
        let Some(mut reply) = PartialReply::begin(trim_line_end(&first)) else {
            return Err(not_a_reply(&self.writer.redacted(&first)));
        };
        let mut room = MAXIMUM_REPLY.saturating_sub(first.len());
        while !reply.is_complete() {
            let line = self.read_line(deadline, room, awaited)?;
            room = room.saturating_sub(line.len());
            reply.push(trim_line_end(&line));
        }
        Ok(reply.into_reply())
    }

    /// Sets the deadline above that of single replies.
    pub(crate) fn set_deadline(&mut self, deadline: Deadline) {
        self.overall = deadline;
    }

    /// Exchanges the stream, to put TLS around it; refuses when the server has sent something
    /// ahead of its first TLS record, which an attacker could have put there.
    pub(crate) fn upgrade(
        &mut self,
        wrap: impl FnOnce(TcpStream, Deadline) -> Result<NetStream, Failure>,
    ) -> Result<(), Failure> {
        // A server that has hung up by now shows it in the handshake.
        let _ = self.poll();
        if !self.received.is_empty() {
            return Err(Failure::new(
                Cause::Nonsense,
                "the server sent bytes in clear after it agreed to TLS",
            )
            .with_hint(
                "somebody between here and the server may be tampering with the connection",
            ));
        }
        self.writer.note("TLS begins");
        let deadline = self.deadline();
        let socket = self.stream.socket().try_clone().map_err(|e| io_error("TLS", &e))?;
        self.stream = wrap(socket, deadline)?;
        Ok(())
    }

    /// Whether the server has said or closed something since the last reply: then the
    /// connection is unusable.
    pub(crate) fn has_unsolicited_input(&mut self) -> bool {
        !self.received.is_empty() || self.poll()
    }

    /// Has what is said from now on recorded by `writer`.
    pub(crate) fn set_transcript(&mut self, writer: TranscriptWriter) {
        self.writer = writer;
    }

    /// Where what is said is recorded.
    pub(crate) fn transcript(&self) -> &Transcript {
        self.writer.transcript()
    }

    /// The stream, for its addresses and its TLS state.
    pub(crate) fn stream(&self) -> &NetStream {
        &self.stream
    }

    fn deadline(&self) -> Deadline {
        Deadline::after(self.limits.reply, "readTimeout").earlier(self.overall)
    }

    fn read_line(
        &mut self,
        deadline: Deadline,
        room: usize,
        awaited: &str,
    ) -> Result<Vec<u8>, Failure> {
        let limit = self.limits.line.min(room);
        let mut searched = 0;
        loop {
            let unseen = self.received.iter().skip(searched);
            if let Some(at) = unseen.copied().position(|byte| byte == b'\n') {
                let rest = self.received.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.received, rest);
                self.writer.received(&line);
                return Ok(line);
            }
            searched = self.received.len();
            if searched > limit {
                return Err(Failure::new(
                    Cause::Nonsense,
                    format!("{awaited} is longer than any that makes sense"),
                )
                .with_hint("raise maximumLineLength if the server is known to be so talkative"));
            }
            self.receive(deadline, awaited)?;
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
        if let Ok(bytes) = read.as_ref().map_or(Ok(&[][..]), |count| filled(&buffer, *count)) {
            self.received.extend_from_slice(bytes);
        }
        restored.is_err() || !matches!(&read, Err(e) if e.kind() == io::ErrorKind::WouldBlock)
    }

    fn receive(&mut self, deadline: Deadline, awaited: &str) -> Result<(), Failure> {
        let mut buffer = [0; 4096];
        let left = deadline.remaining(awaited)?;
        let read = self.stream.set_read_timeout(left).and_then(|()| self.stream.read(&mut buffer));
        match read {
            Ok(0) => Err(Failure::new(
                Cause::Lost,
                format!("the server closed the connection instead of {awaited}"),
            )),
            Ok(count) => {
                let bytes = filled(&buffer, count).map_err(|e| io_error(awaited, &e))?;
                self.received.extend_from_slice(bytes);
                Ok(())
            }
            // Nothing yet: the caller comes back, with less time left.
            Err(e) if e.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(e) if is_timeout(&e) => Err(deadline.error(awaited).into()),
            Err(e) => Err(io_error(awaited, &e)),
        }
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let deadline = self.deadline();
        let left = deadline.remaining("sending a command")?;
        let sent = self
            .stream
            .set_write_timeout(left)
            .and_then(|()| self.stream.write_all(bytes))
            .and_then(|()| self.stream.flush());
        sent.map_err(|e| {
            if is_timeout(&e) {
                deadline.error("sending a command").into()
            } else {
                io_error("sending a command", &e)
            }
        })
    }
}

fn not_a_reply(bytes: &[u8]) -> Failure {
    let shown = bytes.get(..80).unwrap_or(bytes);
    Failure::new(
        Cause::Nonsense,
        format!("the server sent \"{}\" instead of a reply", printable_bytes(trim_line_end(shown))),
    )
    .with_hint("check host and port: this may not be an FTP server, or it wants implicit TLS")
}
