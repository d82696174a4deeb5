//! Downloads: complete when the data connection ended in order (with close_notify inside TLS)
//! *and* the server confirmed it.

use std::io::Read;

use super::transfer::{POLL_INTERVAL, Transfer};
use crate::failure::Failure;
use crate::protocol::reply::Reply;
use crate::protocol::verb::Command;
use crate::session::session::Session;
use crate::transport::error::is_timeout;
use crate::transport::stream::NetStream;
use host_sdk::kit::Deadline;

/// Bytes from the server: a file or a listing. Dropped unfinished, it poisons its session.
pub(crate) struct Download<'s> {
    transfer: Transfer<'s>,
    received: u64,
    ended: bool,
}

impl Session {
    /// Begins a download with `command`, from `offset` on (REST, RFC 3659 §5), which must be over
    /// by `deadline`.
    ///
    /// # Errors
    ///
    /// What the server's refusal means; what a command or a data connection can fail with.
    pub(crate) fn download(
        &mut self,
        command: Command,
        offset: u64,
        deadline: Deadline,
    ) -> Result<Download<'_>, Failure> {
        let transfer = self.transfer(command, offset, deadline)?;
        Ok(Download::new(transfer))
    }
}

impl<'s> Download<'s> {
    /// Nothing has been received yet.
    pub(in crate::session) fn new(transfer: Transfer<'s>) -> Self {
        Self { transfer, received: 0, ended: false }
    }

    /// The session, and the data connection for its addresses and its TLS state.
    pub(in crate::session) fn parts(&self) -> (&Session, Option<&NetStream>) {
        (&*self.transfer.session, self.transfer.data.as_ref().map(|data| &data.stream))
    }

    /// The next bytes; 0 is the end of the data connection, which only [`Download::finish`]
    /// makes the end of the file.
    ///
    /// # Errors
    ///
    /// `connection`, `timeout`, `tls`, `cancelled`; what the server says about it.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let idle = self.transfer.session.shared.settings.read_timeout;
        let mut patience = Deadline::after(idle, "readTimeout");
        let read = loop {
            self.transfer.set_timeouts(Some(POLL_INTERVAL))?;
            let Some(data) = &mut self.transfer.data else { return Ok(0) };
            match data.stream.read(buffer) {
                // Part of a TLS record has arrived.
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {
                    patience = Deadline::after(idle, "readTimeout");
                }
                Err(e) if is_timeout(&e) && patience.remaining("").is_ok() => {
                    self.transfer.read_early_reply()?;
                }
                read => break read,
            }
        };
        match read {
            Ok(0) => {
                // A cancelled transfer's socket ends like a file does.
                self.transfer.session.cancel.check()?;
                self.ended = true;
                Ok(0)
            }
            Ok(count) => {
                self.received += count as u64;
                self.transfer.moved = true;
                Ok(count)
            }
            Err(e) => Err(self.transfer.failed(&e)),
        }
    }

    /// Ends the download: the number of bytes, once the server has confirmed that it sent them.
    ///
    /// # Errors
    ///
    /// What the server says instead; `connection` when it says nothing any more.
    pub(crate) fn finish(self) -> Result<u64, Failure> {
        let received = self.received;
        self.confirmed().map(|_| received)
    }

    /// As [`Download::finish`], for a download of which all bytes have arrived: with its end, what was
    /// announced by [`Session::announce_download`] is asked.
    ///
    /// # Errors
    ///
    /// As [`Download::finish`].
    pub(crate) fn finish_and_ask(mut self) -> Result<u64, Failure> {
        let received = self.received;
        self.close_data();
        self.transfer.session.send_announced();
        self.confirmed().map(|_| received)
    }

    /// As [`Download::finish`], with the confirmation of a listing, without secrets, where its words take
    /// back that the listing is whole.
    pub(in crate::session) fn confirmed(mut self) -> Result<Option<Reply>, Failure> {
        if !self.ended {
            return Err(Failure::internal("a download was finished before its end"));
        }
        self.close_data();
        let reply = self.transfer.confirm()?;
        Ok(reply.says_incomplete(None).then(|| self.transfer.session.redacted(&reply)))
    }

    fn close_data(&mut self) {
        if let Some(mut data) = self.transfer.data.take() {
            // Servers wait for this side's end as well, some for many seconds. Whether it still
            // arrives says nothing about the bytes.
            let _ = data.stream.close_sending();
        }
    }

    /// Ends a listing whose rest nobody wants. Where the server does not say in time how it
    /// took that, the session is poisoned.
    ///
    /// # Errors
    ///
    /// `cancelled`.
    pub(in crate::session) fn stop(mut self) -> Result<(), Failure> {
        self.transfer.data = None;
        self.transfer.abandon()
    }
}
