//! Uploads: complete when their end was sent in order and the server confirmed it.

use std::io::{Read, Write};
use std::time::Duration;

use super::transfer::{POLL_INTERVAL, Transfer};
use crate::failure::Failure;
use crate::protocol::verb::Command;
use crate::session::session::Session;
use crate::transport::error::{is_timeout, retry_interrupted};
use crate::transport::stream::NetStream;
use host_sdk::kit::Deadline;

/// How long a server may take to end its half of an upload's TLS connection. Its session
/// tickets arrive before that: closing with them unread makes the system reset the connection,
/// and the server drops what it has not read yet.
const DRAIN: Duration = Duration::from_secs(5);

/// How much may lie in socket buffers without the server having taken any of it.
const BUFFERED: u64 = 16 * 1024 * 1024;

/// Bytes to the server. Dropped unfinished, it poisons its session, and what the server keeps
/// is a part of a file that it believes whole.
pub(crate) struct Upload<'s> {
    transfer: Transfer<'s>,
    sent: u64,
    /// How many of them are line ends.
    line_ends: u64,
}

impl Session {
    /// Begins an upload with `command`, from `offset` on, which must be over by `deadline`.
    ///
    /// # Errors
    ///
    /// As [`Session::download`].
    pub(crate) fn upload(
        &mut self,
        command: Command,
        offset: u64,
        deadline: Deadline,
    ) -> Result<Upload<'_>, Failure> {
        let transfer = self.transfer(command, offset, deadline)?;
        if transfer.data.is_none() {
            return Err(transfer.unopened());
        }
        Ok(Upload::new(transfer))
    }
}

impl<'s> Upload<'s> {
    /// Nothing has been sent yet.
    pub(in crate::session) fn new(transfer: Transfer<'s>) -> Self {
        Self { transfer, sent: 0, line_ends: 0 }
    }

    /// Sends `bytes`, all of them.
    ///
    /// # Errors
    ///
    /// As [`Download::read`](super::download::Download::read).
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let idle = self.transfer.session.shared.settings.read_timeout;
        let mut patience = Deadline::after(idle, "readTimeout");
        let mut rest = bytes;
        self.transfer.read_early_reply()?;
        while !rest.is_empty() {
            self.transfer.set_timeouts(Some(POLL_INTERVAL))?;
            let Some(data) = &mut self.transfer.data else {
                return Err(Failure::internal("an upload went on after its end"));
            };
            match retry_interrupted(|| data.stream.write(rest)) {
                Ok(count) if count > 0 => {
                    rest = rest.get(count..).ok_or_else(|| {
                        Failure::internal("more bytes are said to be written than there were")
                    })?;
                    patience = Deadline::after(idle, "readTimeout");
                }
                Err(e) if is_timeout(&e) && patience.remaining("").is_ok() => {
                    self.transfer.read_early_reply()?;
                }
                Ok(_) => return Err(self.transfer.failed(&std::io::ErrorKind::WriteZero.into())),
                Err(e) => return Err(self.transfer.failed(&e)),
            }
        }
        self.sent += bytes.len() as u64;
        if self.transfer.is_text() {
            self.line_ends += bytes.iter().filter(|byte| **byte == b'\n').count() as u64;
        }
        self.transfer.moved |= self.sent > BUFFERED;
        Ok(())
    }

    /// Ends the upload in order: the number of bytes, once the server has confirmed them.
    ///
    /// # Errors
    ///
    /// What the server says instead. When it says nothing any more the outcome is unknown.
    pub(crate) fn finish(mut self) -> Result<u64, Failure> {
        self.transfer.set_timeouts(None)?;
        if let Some(mut data) = self.transfer.data.take() {
            if let Err(e) = data.stream.close_sending() {
                return Err(self.transfer.failed(&e));
            }
            if data.stream.tls().is_some() {
                drain(&mut data.stream);
            }
        }
        self.transfer.session.cancel.check()?;
        self.transfer
            .confirm()
            .map_err(|e| if !e.is_answer() { e.with_outcome_unknown() } else { e })?;
        self.transfer.prove(self.sent, self.line_ends)?;
        Ok(self.sent)
    }
}

/// Reads what the server still sends, through TLS so that its tickets are kept, until it closes.
/// How that ends says nothing about the upload: the confirmation does.
fn drain(data: &mut NetStream) {
    let deadline = Deadline::after(Some(DRAIN), "");
    let mut buffer = [0; 1024];
    while let Ok(left) = deadline.remaining("the end of the data connection") {
        if data.set_read_timeout(left).is_err() {
            return;
        }
        match data.read(&mut buffer) {
            Ok(count) if count > 0 => {}
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}
