//! The lines of a listing, read within fixed bounds.

use std::io::{self, BufRead, ErrorKind, Read};

use super::error::ListingError;

/// How much is read at once while lines are short.
const CHUNK: usize = 64 * 1024;

/// Room for the line end behind the longest line.
const LINE_END: usize = 2;

/// One line without its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'b> {
    /// The line's bytes.
    pub(crate) bytes: &'b [u8],
    /// Its number, from 1.
    pub(crate) number: u64,
    /// Whether a line end followed; a listing without its last one may have been cut.
    pub(crate) complete: bool,
    /// Whether that line end is CRLF.
    pub(crate) has_return: bool,
}

/// Reads lines that end with CRLF or LF, and never holds more than one chunk or one line.
pub(crate) struct Lines<R> {
    read: R,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    maximum: usize,
    number: u64,
    ended: bool,
}

impl<R: Read> Lines<R> {
    /// Reads from `read` lines of at most `maximum_line_length` bytes.
    pub(crate) fn new(read: R, maximum_line_length: usize) -> Self {
        Self {
            read,
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            maximum: maximum_line_length,
            number: 0,
            ended: false,
        }
    }

    /// The next line; none at the end.
    ///
    /// # Errors
    /// A line beyond the limit, or what reading gave.
    pub(crate) fn next_line(&mut self) -> Result<Option<Line<'_>>, ListingError> {
        let mut searched = 0;
        loop {
            let pending = self.pending();
            let mut fresh = pending.get(searched..).unwrap_or_default();
            let found = fresh.skip_until(b'\n')?;
            let length = searched + found;
            let complete = found > 0 && pending.get(length - 1) == Some(&b'\n');
            if complete || self.ended {
                return self.take(length, complete);
            }
            searched = length;
            if searched >= self.maximum.saturating_add(LINE_END) {
                return Err(self.too_long());
            }
            self.fill()?;
        }
    }

    /// The lines to come, as far as one chunk holds them; they are still to be read.
    ///
    /// # Errors
    /// What reading gave.
    pub(super) fn ahead(&mut self) -> Result<&[u8], ListingError> {
        while !self.ended && self.pending().len() < CHUNK {
            self.fill()?;
        }
        Ok(self.pending().get(..CHUNK).unwrap_or(self.pending()))
    }

    /// Gives the source back, to finish the transfer.
    pub(crate) fn into_inner(self) -> R {
        self.read
    }

    fn pending(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn too_long(&self) -> ListingError {
        ListingError::LineTooLong { number: self.number + 1, limit: self.maximum }
    }

    fn take(&mut self, length: usize, complete: bool) -> Result<Option<Line<'_>>, ListingError> {
        if length == 0 {
            return Ok(None);
        }
        let from = self.start;
        self.start += length;
        self.number += 1;
        let bytes = self.buffer.get(from..self.start).unwrap_or_default();
        let (bytes, has_return) = match bytes {
            [line @ .., b'\r', b'\n'] => (line, true),
            [line @ .., b'\n'] => (line, false),
            line => (line, false),
        };
        if bytes.len() > self.maximum {
            let limit = self.maximum;
            return Err(ListingError::LineTooLong { number: self.number, limit });
        }
        Ok(Some(Line { bytes, number: self.number, complete, has_return }))
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            let room = self.maximum.saturating_add(LINE_END);
            let length = self.buffer.len().saturating_mul(2).min(room.max(CHUNK));
            // Unlike `resize` alone, this never takes more than asked for.
            self.buffer.reserve_exact(length.saturating_sub(self.buffer.len()));
            self.buffer.resize(length, 0);
        }
        let space = self.buffer.get_mut(self.end..).unwrap_or_default();
        loop {
            match self.read.read(space) {
                Ok(0) => self.ended = true,
                // A reader that claims more than it was given must not lead beyond the buffer.
                Ok(count) => self.end += count.min(space.len()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte a read, as the slowest server would.
    struct OneByOne<'b>(&'b [u8]);

    impl Read for OneByOne<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let one = buffer.len().min(1);
            self.0.read(buffer.get_mut(..one).unwrap_or_default())
        }
    }

    fn read_all(read: impl Read, maximum: usize) -> Result<Vec<(Vec<u8>, bool)>, ListingError> {
        let mut lines = Lines::new(read, maximum);
        let mut all = Vec::new();
        while let Some(line) = lines.next_line()? {
            assert_eq!(line.number, all.len() as u64 + 1);
            all.push((line.bytes.to_vec(), line.complete));
        }
        Ok(all)
    }

    #[test]
    fn both_line_ends_are_taken_off() {
        let text = b"one\r\ntwo\n\r\n thr\ree \n";
        let expected: Vec<(Vec<u8>, bool)> = [&b"one"[..], b"two", b"", b" thr\ree "]
            .iter()
            .map(|line| (line.to_vec(), true))
            .collect();
        assert_eq!(read_all(&text[..], 100).unwrap(), expected);
        assert_eq!(read_all(OneByOne(text), 8).unwrap(), expected);
        assert_eq!(read_all(&b""[..], 8).unwrap(), []);
    }

    #[test]
    fn an_unterminated_last_line_is_reported() {
        let lines = read_all(OneByOne(b"one\r\ntw\r"), 8).unwrap();
        assert_eq!(lines, [(b"one".to_vec(), true), (b"tw\r".to_vec(), false)]);
    }

    #[test]
    fn the_limit_is_exact() {
        for end in ["\n", "\r\n", ""] {
            let fits = format!("short\r\n12345678{end}");
            let over = format!("short\r\n123456789{end}");
            assert_eq!(read_all(OneByOne(fits.as_bytes()), 8).unwrap().len(), 2);
            let error = read_all(OneByOne(over.as_bytes()), 8).unwrap_err();
            assert!(matches!(error, ListingError::LineTooLong { number: 2, limit: 8 }));
            assert!(read_all(over.as_bytes(), 8).is_err());
        }
    }

    #[test]
    fn an_endless_line_takes_no_more_than_its_limit() {
        let maximum = 200_000;
        let mut lines = Lines::new(io::repeat(b'x'), maximum);
        assert!(matches!(lines.next_line(), Err(ListingError::LineTooLong { .. })));
        assert!(lines.buffer.capacity() <= maximum + LINE_END);
    }

    #[test]
    fn lines_ahead_are_still_to_be_read() {
        let text = b"line\n".repeat(CHUNK / 5 * 2);
        let mut lines = Lines::new(OneByOne(&text), 10);
        for number in 1..=2 {
            assert_eq!(lines.ahead().unwrap(), &text[(number - 1) * 5..][..CHUNK]);
            let line =
                Line { bytes: b"line", number: number as u64, complete: true, has_return: false };
            assert_eq!(lines.next_line().unwrap(), Some(line));
        }
        assert_eq!(lines.buffer.len(), CHUNK);
        let mut short = Lines::new(&b"one\ntwo"[..], 10);
        assert_eq!(short.ahead().unwrap(), b"one\ntwo");
        assert_eq!(short.next_line().unwrap().unwrap().bytes, b"one");
    }

    #[test]
    fn read_errors_come_through() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(ErrorKind::ConnectionReset.into())
            }
        }
        assert!(matches!(read_all(Broken, 8), Err(ListingError::Read(_))));
    }
}
