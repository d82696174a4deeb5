//! Reading one file: the body goes to the host as it arrives, an interruption is resumed where
//! it happened, and success is claimed only when it is proven.

use host_sdk::{Error, ErrorKind, Outcome, Properties, ResultSink};

use super::meter::Meter;
use super::publish::free_name;
use super::text::NetworkText;
use super::{Run, is_interruption};
use crate::config::{AfterReading, Removal, TransferFormat};
use crate::remote_path::RemotePath;
use crate::retry::Backoff;

/// How much is read at a time: large enough that system calls do not count.
const CHUNK: usize = 256 * 1024;

/// How many bytes before the resume point are read again and compared.
const OVERLAP: usize = 64 * 1024;

/// A file to read.
pub(super) struct RemoteFile {
    pub(super) path: RemotePath,
    /// What the listing or SIZE said.
    pub(super) size: Option<u64>,
    pub(super) properties: Properties,
}

/// Reads `file` into a result of `input` and, once the host has acknowledged it, removes it from
/// the server if asked to.
///
/// # Errors
///
/// Those of the server, of the network after the retries that are configured, `integrity` when
/// the bytes cannot be proven, and `host` when the host did not take them.
pub(super) fn deliver(
    run: &mut Run,
    input: u64,
    file: &RemoteFile,
    format: TransferFormat,
    after: &AfterReading,
) -> Result<(), Error> {
    if after.must_succeed && after.removal != Removal::Keep {
        run.session()?.check_removable(&file.path)?;
    }
    let mut sink = receive(run, input, file, format)?;
    sink.finish(&Outcome::Success, &Properties::new())?;
    drop(sink);
    run.meter.delivered(1);
    match remove(run, &file.path, &after.removal) {
        Err(e) if !after.must_succeed => {
            log::warn!("{} was read but stays where it is: {e}", file.path);
            Ok(())
        }
        other => other,
    }
}

/// Takes a file that was read out of the way.
fn remove(run: &mut Run, path: &RemotePath, removal: &Removal) -> Result<(), Error> {
    match removal {
        Removal::Keep => Ok(()),
        Removal::Delete => run.session()?.delete(path),
        Removal::Move(directory) => {
            let directory = path.parent().join(directory)?;
            let session = run.session()?;
            session.make_directories(&directory)?;
            let target = free_name(run, &directory.entry(path.file_name())?)?;
            run.session()?.rename(path, &target)
        }
    }
}

/// Reads the whole file into a sink that is not finished yet.
fn receive(
    run: &mut Run,
    input: u64,
    file: &RemoteFile,
    format: TransferFormat,
) -> Result<Box<dyn ResultSink>, Error> {
    let mut backoff = Backoff::new(run.session()?.settings().retry);
    let mut part = Part::new(format);
    loop {
        let error = match part.attempt(run, input, file) {
            Ok(()) => match part.sink.take() {
                Some(sink) => return Ok(sink),
                None => return Err(Error::internal("a file was read without a sink")),
            },
            Err(e) => e,
        };
        if !is_interruption(&error) {
            return Err(error.with_path(file.path.to_string()));
        }
        backoff.wait(error, &run.cancel)?;
    }
}

/// What has arrived of a file.
struct Part {
    format: TransferFormat,
    sink: Option<Box<dyn ResultSink>>,
    received: u64,
    /// The last bytes that arrived, to compare with when resuming.
    tail: Vec<u8>,
    buffer: Vec<u8>,
}

impl Part {
    fn new(format: TransferFormat) -> Self {
        Self { format, sink: None, received: 0, tail: Vec::new(), buffer: vec![0; CHUNK] }
    }

    /// Starts over: what the sink has is dropped.
    fn restart(&mut self, meter: &Meter) {
        meter.lost(self.received);
        self.sink = None;
        self.received = 0;
        self.tail.clear();
    }

    fn attempt(&mut self, run: &mut Run, input: u64, file: &RemoteFile) -> Result<(), Error> {
        let meter = run.meter.clone();
        // Converted text has no offsets that both sides agree on (RFC 3659 §5.3).
        if self.format == TransferFormat::Ascii || !self.can_resume(run, file)? {
            self.restart(&meter);
        }
        let overlap = self.tail.len() as u64;
        let offset = self.received - overlap;
        let context = run.context.clone();
        let session = run.session()?;
        session.set_format(self.format)?;
        let path = &file.path;
        let mut download = session
            .download(&format!("RETR {}", path.as_str()), offset)
            .map_err(|e| e.with_path(path.to_string()))?;
        let mut expected = self.tail.clone();
        let mut text = NetworkText::default();
        let sink = match &mut self.sink {
            Some(sink) => sink,
            none => none.insert(context.begin_result(input, &file.properties)?),
        };
        loop {
            let count = download.read(&mut self.buffer)?;
            if count == 0 {
                break;
            }
            let bytes = self.buffer.get(..count).unwrap_or_default();
            let (again, fresh) = bytes.split_at(expected.len().min(count));
            if !expected.starts_with(again) {
                // The file is another one by now, or the server ignored REST.
                self.restart(&meter);
                return Err(changed(path));
            }
            expected.drain(..again.len());
            match self.format {
                TransferFormat::Binary => sink.write(fresh)?,
                TransferFormat::Ascii => sink.write(text.localize(fresh))?,
            }
            self.received += fresh.len() as u64;
            keep_tail(&mut self.tail, fresh);
            meter.moved(fresh.len() as u64);
        }
        download.finish()?;
        if !expected.is_empty() {
            self.restart(&meter);
            return Err(changed(path));
        }
        if let TransferFormat::Ascii = self.format {
            sink.write(text.rest())?;
            return Ok(());
        }
        self.prove(run, file)
    }

    /// Whether the bytes so far are the beginning of what the server has now.
    fn can_resume(&self, run: &mut Run, file: &RemoteFile) -> Result<bool, Error> {
        if self.received == 0 || self.sink.is_none() {
            return Ok(false);
        }
        let session = run.session()?;
        if !session.features().rest_stream {
            return Ok(false);
        }
        let now = session.size(&file.path)?;
        Ok(now.is_some() && (file.size.is_none() || file.size == now))
    }

    /// The server has confirmed; the count has to agree with the size.
    fn prove(&mut self, run: &mut Run, file: &RemoteFile) -> Result<(), Error> {
        if file.size.is_none() || file.size == Some(self.received) {
            return Ok(());
        }
        // The file may have grown since it was listed: only the size of now counts.
        let now = run.session()?.size(&file.path)?;
        match now {
            Some(size) if size != self.received => Err(Error::new(
                ErrorKind::Integrity,
                format!(
                    "{} has {size} bytes on the server and {} arrived",
                    file.path, self.received
                ),
            )
            .with_hint("the file may still be being written: read it again later")),
            _ => Ok(()),
        }
    }
}

fn changed(path: &RemotePath) -> Error {
    Error::new(ErrorKind::Integrity, format!("{path} changed while it was being read"))
        .with_retryable(true)
}

/// Keeps the last [`OVERLAP`] bytes of what arrived.
fn keep_tail(tail: &mut Vec<u8>, fresh: &[u8]) {
    let room = OVERLAP.saturating_sub(fresh.len());
    let surplus = tail.len().saturating_sub(room);
    tail.drain(..surplus);
    let from = fresh.len().saturating_sub(OVERLAP);
    tail.extend_from_slice(fresh.get(from..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_what_arrived() {
        let mut tail = Vec::new();
        keep_tail(&mut tail, b"abc");
        keep_tail(&mut tail, b"def");
        assert_eq!(tail, b"abcdef");
        let long = vec![7; OVERLAP - 2];
        keep_tail(&mut tail, &long);
        assert_eq!(tail.len(), OVERLAP);
        assert!(tail.starts_with(b"ef"));
        keep_tail(&mut tail, &vec![9; OVERLAP * 3]);
        assert_eq!(tail, vec![9; OVERLAP]);
    }
}
