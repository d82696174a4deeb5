//! A download that goes on after interruptions: what has arrived of a file: the body goes to the host as it arrives, an interruption is resumed
//! where it happened, be it that of an earlier process, and success is claimed only when it is
//! proven.

use std::ops::RangeInclusive;

use host_sdk::{Context, ResultSink};

use super::remote_file::RemoteFile;
use crate::config::TransferFormat;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::operation::execution::Execution;
use crate::operation::line_ends::LineEndConverter;
use crate::operation::progress::ExecutionProgress;
use crate::operation::receive_buffer::{OVERLAP, ReceiveBuffer};
use crate::operation::verify::TransferChecksum;
use crate::protocol::verb::Verb;
use crate::session::{Download, Session};
use host_sdk::kit::Deadline;

/// What has arrived of a file.
pub(in crate::operation) struct ResumableDownload {
    format: TransferFormat,
    /// The size and the time of the file when its first byte was asked for.
    size: Option<u64>,
    modified: Option<Modified>,
    /// Whether as many bytes have to arrive as the server states.
    pub(in crate::operation) verifies: bool,
    /// Whether the size is looked for beyond SIZE (MLST, a listing): the file is to be removed.
    pub(in crate::operation) looks_for_size: bool,
    /// Whether the server goes on from where it is told.
    pub(in crate::operation) restartable: bool,
    /// Whether the server has confirmed less than there is, and is given a second chance.
    was_truncated: bool,
    /// Whether the data ended in order, and then the connection died without another word.
    lacks_confirmation: bool,
    pub(in crate::operation) sink: Option<Box<dyn ResultSink>>,
    pub(in crate::operation) received: u64,
    /// How many of the received bytes the host held from an earlier execution.
    held: u64,
    /// The last bytes that the attempts so far have brought, to compare with when resuming.
    tail: Vec<u8>,
    buffer: ReceiveBuffer,
    checksum: TransferChecksum,
    /// By when all of it must be here.
    limit: Deadline,
    progress: ExecutionProgress,
}

impl ResumableDownload {
    /// Nothing of a file of this size.
    pub(in crate::operation) fn new(
        format: TransferFormat,
        size: Option<u64>,
        checksum: TransferChecksum,
        limit: Deadline,
        progress: ExecutionProgress,
        buffer: ReceiveBuffer,
    ) -> Self {
        Self {
            format,
            size,
            modified: None,
            verifies: true,
            looks_for_size: false,
            // Converted text has no offsets that both sides agree on (RFC 3659 §5.3).
            restartable: format == TransferFormat::Binary,
            was_truncated: false,
            lacks_confirmation: false,
            sink: None,
            received: 0,
            held: 0,
            tail: Vec::new(),
            buffer,
            checksum,
            limit,
            progress,
        }
    }

    /// The buffer, for the next file.
    pub(in crate::operation) fn into_buffer(self) -> ReceiveBuffer {
        self.buffer
    }

    /// Starts over: what the sink has is dropped, and not held any longer.
    fn restart(&mut self) {
        self.discard();
        self.progress.subtract_bytes(self.received - self.held);
        self.progress.add_expected(self.held);
        self.received = 0;
        self.held = 0;
        self.tail.clear();
        self.checksum.restart();
    }

    /// The file fails with `error`: only what may succeed later is worth holding.
    pub(in crate::operation) fn end(&mut self, error: &Failure) {
        if !error.is_transient() && !error.is(Cause::Cancelled) {
            self.discard();
        }
    }

    fn discard(&mut self) {
        if let Some(mut sink) = self.sink.take()
            && let Err(e) = sink.discard()
        {
            log::warn!("the host still holds what it was to give up: {e}");
        }
    }

    /// Begins the result of `file`, with what the host holds of it from an earlier execution, if
    /// the two can be told to belong together. A checksum needs every byte.
    fn begin(
        &mut self,
        context: &Context,
        server: &str,
        input: u64,
        file: &RemoteFile,
        can_resume: bool,
    ) -> Result<(), Failure> {
        let sink = self
            .sink
            .insert(context.begin_result(input, &file.properties).map_err(Failure::of_host)?);
        let (Some(size), Some(modified)) = (self.size, self.modified) else { return Ok(()) };
        if !can_resume || self.checksum.is_active() {
            return Ok(());
        }
        let identity = format!("{server}\n{}\n{size}\n{}", file.path.as_str(), modified.at);
        let mut tail = vec![0; OVERLAP];
        let held = sink.resume(&identity, &mut tail).map_err(Failure::of_host)?;
        self.held = held;
        self.received = held;
        self.progress.subtract_expected(held);
        tail.drain(..OVERLAP.saturating_sub(usize::try_from(held).unwrap_or(OVERLAP)));
        self.tail = tail;
        if held > size {
            self.restart();
            self.sink =
                Some(context.begin_result(input, &file.properties).map_err(Failure::of_host)?);
        }
        Ok(())
    }

    /// Reads what is missing.
    ///
    /// # Errors
    ///
    /// Those of the server, of the network and of the host; `integrity` when the bytes cannot be
    /// proven.
    pub(in crate::operation) fn attempt(
        &mut self,
        execution: &mut Execution,
        input: u64,
        file: &RemoteFile,
    ) -> Result<(), Failure> {
        let (context, server) = (execution.context.clone(), execution.server());
        let path = &file.path;
        let session = execution.session()?;
        let can_resume = match self.prepare(session, file)? {
            Remaining::None => {
                log::warn!("{path} was never confirmed, but has the size and the time it had");
                return self.checksum.prove(session, path);
            }
            Remaining::Tail => true,
            Remaining::All => false,
        };
        session.set_format(self.format)?;
        let command = session.path_line(Verb::Retr, path)?;
        let offset = self.received - self.tail.len() as u64;
        let mut download = session.download(command, offset, self.limit)?;
        // Only what the server does send is begun: where it goes, its beginning may do things.
        if self.sink.is_none() {
            self.begin(&context, &server, input, file, can_resume)?;
            if self.received > 0 {
                // It sends from the beginning; its session ends with the transfer.
                drop(download);
                log::info!("{path} goes on behind {} bytes that are held", self.received);
                return self.attempt(execution, input, file);
            }
        }
        let resumed = self.received > 0;
        let mut text = LineEndConverter::default();
        let mut compared = 0;
        let moved = self.receive(&mut download, path, &mut text, &mut compared);
        let is_compared = compared == self.tail.len();
        if is_compared {
            // The bytes that were compared are the first ones that arrived.
            self.tail.clear();
            self.tail.extend_from_slice(self.buffer.tail());
        }
        moved?;
        let ended = match self.size == Some(self.received) {
            true => download.finish_and_ask(),
            false => download.finish(),
        };
        ended.inspect_err(|e| self.lacks_confirmation = is_compared && !e.is_answer())?;
        if !is_compared {
            self.restart();
            return Err(changed(path));
        }
        if self.format == TransferFormat::Ascii {
            self.write(text.rest())?;
            let possible = text.possible_sizes(self.received);
            return self.prove(execution.session()?, path, possible, resumed);
        }
        let session = execution.session()?;
        self.prove(session, path, self.received..=self.received, resumed)?;
        self.checksum.prove(session, path)
    }

    /// Takes what arrives until the data connection ends. The first bytes have to be those of the
    /// tail, of which `compared` have come.
    fn receive(
        &mut self,
        download: &mut Download<'_>,
        path: &RemotePath,
        text: &mut LineEndConverter,
        compared: &mut usize,
    ) -> Result<(), Failure> {
        self.buffer.clear();
        loop {
            let count = download.read(self.buffer.room())?;
            if count == 0 {
                return Ok(());
            }
            let Some(bytes) = self.buffer.arrived(count) else {
                return Err(Failure::internal("more bytes are said to be read than fit"));
            };
            let expected = self.tail.get(*compared..).unwrap_or_default();
            let (again, fresh) = bytes.split_at(expected.len().min(count));
            if !expected.starts_with(again) {
                // The file is another one by now, or the server ignored REST.
                self.restart();
                self.buffer.clear();
                *compared = 0;
                return Err(changed(path));
            }
            *compared += again.len();
            let Some(sink) = &mut self.sink else {
                return Err(Failure::internal("a file is read without a sink"));
            };
            let written = match self.format {
                TransferFormat::Binary => sink.write(fresh),
                TransferFormat::Ascii => sink.write(text.decode(fresh)),
            };
            written.map_err(Failure::of_host)?;
            self.received += fresh.len() as u64;
            self.checksum.update(fresh);
            self.progress.add_bytes(fresh.len() as u64);
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let Some(sink) = &mut self.sink else {
            return Err(Failure::internal("a file is read without a sink"));
        };
        sink.write(bytes).map_err(Failure::of_host)
    }

    /// Goes on behind what has arrived if that is the beginning of what the server has now, and
    /// starts over if not.
    fn prepare(&mut self, session: &mut Session, file: &RemoteFile) -> Result<Remaining, Failure> {
        let path = &file.path;
        let was_cut = self.received > 0;
        let lacks_confirmation = std::mem::take(&mut self.lacks_confirmation);
        let is_long = self.size.is_none_or(|size| size > OVERLAP as u64);
        let can_resume = is_long && self.restartable && session.features().rest_stream;
        if !can_resume {
            self.restart();
            return Ok(Remaining::All);
        }
        if was_cut {
            let (size, modified) = (session.size_or_missing(path)?, session.modified(path)?);
            if size.is_none() || (size, modified) != (self.size, self.modified) {
                self.restart();
            } else if lacks_confirmation && size == Some(self.received) && modified.is_some() {
                return Ok(Remaining::None);
            }
            (self.size, self.modified) = (size, modified);
        } else if self.size.is_some() {
            self.modified = match file.stated {
                None => session.modified(path)?,
                stated => stated,
            };
        }
        Ok(Remaining::Tail)
    }

    /// The server has confirmed; the size has to be one of the `possible` ones.
    fn prove(
        &mut self,
        session: &mut Session,
        path: &RemotePath,
        possible: RangeInclusive<u64>,
        resumed: bool,
    ) -> Result<(), Failure> {
        let received = self.received;
        let is_possible = |size: Option<u64>| size.is_some_and(|size| possible.contains(&size));
        if !self.verifies || is_possible(self.size) {
            return Ok(());
        }
        let now = match (self.size, resumed) {
            (None, false) if !self.looks_for_size => return Ok(()),
            (None, false) => match session.size_shown(path)? {
                None => return Ok(()),
                stated => stated,
            },
            // The file may have grown since it was listed: the size of now counts.
            _ => session.size_or_missing(path)?,
        };
        if is_possible(now) {
            return Ok(());
        }
        if self.format == TransferFormat::Ascii && session.is_record_based()? {
            log::warn!("{path} is made of records: its size does not prove what arrived");
            return Ok(());
        }
        if resumed && !self.was_truncated {
            // The bytes agreed where they were compared, as those of uniform files do anywhere.
            self.restart();
            return Err(changed(path));
        }
        let size = now.or(self.size).unwrap_or_default();
        // What is missing is asked for once: a server that lies again is not believed any more.
        let is_first = !std::mem::replace(&mut self.was_truncated, true);
        Err(Failure::new(
            Cause::Unproven,
            format!("{path} has {size} bytes on the server and {received} arrived"),
        )
        .with_transient(is_first && received < size)
        .with_hint("the file may still be being written: read it again later"))
    }
}

/// What is still to be read of a file.
enum Remaining {
    /// Nothing: all of it arrived, and only the confirmation was lost.
    None,
    /// What comes after the part that arrived, which may be none.
    Tail,
    /// All of it, from the beginning.
    All,
}

fn changed(path: &RemotePath) -> Failure {
    Failure::new(Cause::Unproven, format!("{path} changed while it was being read"))
        .with_transient(true)
}
