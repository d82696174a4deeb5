//! An output in lines.

use std::io::{self, Write};
use std::sync::Mutex;

/// An output that ends at its first error: a reader gets the beginning, without a gap.
pub(super) struct Output<W> {
    writer: W,
    failed: Option<io::Error>,
}

impl<W: Write> Output<W> {
    pub(super) fn new(writer: W) -> Mutex<Self> {
        Mutex::new(Self { writer, failed: None })
    }

    /// Writes a line and flushes it.
    pub(super) fn line(&mut self, line: &[u8]) {
        self.lines(&[line, b"\n"].concat());
    }

    /// Writes lines with their ends and flushes them.
    pub(super) fn lines(&mut self, lines: &[u8]) {
        if self.failed.is_none() {
            let written = self.writer.write_all(lines);
            self.failed = written.and_then(|()| self.writer.flush()).err();
        }
    }

    pub(super) fn fail(&mut self, error: io::Error) {
        self.failed.get_or_insert(error);
    }

    /// The first error. Called again, it returns none.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.failed.take().map_or_else(|| self.writer.flush(), Err)
    }
}
