//! The body of a document on its way up: read once, but with its last part kept, so that an
//! interrupted upload can go on where the server stopped.

use std::collections::VecDeque;

use host_sdk::InputDocument;

use crate::failure::Failure;
use crate::operation::upload_window::UploadWindow;
use crate::operation::verify::TransferChecksum;

/// How much is sent at a time.
const CHUNK: usize = 256 * 1024;

/// The first block of a document of which little is known.
const LEAST: usize = 4096;

/// A body that can go back a little.
pub(in crate::operation) struct RewindableBody<'d> {
    input: &'d mut dyn InputDocument,
    /// The last bytes that were read. All blocks but the last one are full.
    kept: VecDeque<Block>,
    /// How many bytes were read in all.
    read: u64,
    /// The next byte to hand out.
    position: u64,
    /// Where it was told to go on from.
    resumed_at: u64,
    ended: bool,
    window: usize,
    checksum: TransferChecksum,
}

/// A part of the body. Its memory is used again for a later part.
struct Block {
    bytes: Vec<u8>,
    filled: usize,
}

impl<'d> RewindableBody<'d> {
    /// The body of `input`, from its beginning.
    pub(in crate::operation) fn new(
        input: &'d mut dyn InputDocument,
        checksum: TransferChecksum,
        window: UploadWindow,
    ) -> Self {
        let (kept, window) = (VecDeque::new(), window.bytes());
        let (read, position, resumed_at, ended) = (0, 0, 0, false);
        Self { input, kept, read, position, resumed_at, ended, window, checksum }
    }

    /// The checksum of what has been read so far.
    pub(in crate::operation) fn checksum(&self) -> &TransferChecksum {
        &self.checksum
    }

    /// How many bytes have been handed out.
    pub(in crate::operation) fn position(&self) -> u64 {
        self.position
    }

    /// Whether nothing has been handed out since it last went back.
    pub(in crate::operation) fn is_at_resume_point(&self) -> bool {
        self.position == self.resumed_at
    }

    /// Whether all of it has been handed out.
    pub(in crate::operation) fn is_exhausted(&self) -> bool {
        self.ended && self.position == self.read
    }

    /// The next bytes; none at the end.
    ///
    /// # Errors
    ///
    /// Those of the host's source.
    pub(in crate::operation) fn next(&mut self) -> Result<&[u8], Failure> {
        if self.position == self.read && !self.ended {
            self.fetch()?;
        }
        let position = self.position;
        let mut end = self.read;
        for block in self.kept.iter().rev() {
            let start = end - block.filled as u64;
            if start <= position && position < end {
                let from = usize::try_from(position - start).unwrap_or(usize::MAX);
                let bytes = block.bytes.get(from..block.filled);
                let bytes = bytes.ok_or_else(|| Failure::internal("a body lost its bytes"))?;
                self.position = end;
                return Ok(bytes);
            }
            end = start;
        }
        // Only the end lies in no block: one that was dropped is not gone back to.
        Ok(&[])
    }

    /// Goes back to `offset`; whether that far is kept.
    pub(in crate::operation) fn rewind_to(&mut self, offset: u64) -> bool {
        let kept: u64 = self.kept.iter().map(|block| block.filled as u64).sum();
        if offset < self.read - kept || offset > self.read {
            return false;
        }
        self.position = offset;
        self.resumed_at = offset;
        true
    }

    /// Reads what comes next.
    fn fetch(&mut self) -> Result<(), Failure> {
        let lost = || Failure::internal("the host read more than there was room for");
        if self.kept.back().is_none_or(|last| last.filled == last.bytes.len()) {
            let next = self.block();
            self.kept.push_back(next);
        }
        let Some(last) = self.kept.back_mut() else { return Err(lost()) };
        let room = last.bytes.get_mut(last.filled..).ok_or_else(lost)?;
        let count = self.input.read(room).map_err(Failure::of_host)?;
        self.checksum.update(room.get(..count).ok_or_else(lost)?);
        last.filled += count;
        self.read += count as u64;
        self.ended = count == 0;
        Ok(())
    }

    /// An empty block: the oldest one where as many bytes as are to be kept come after it.
    fn block(&mut self) -> Block {
        let kept: usize = self.kept.iter().map(|block| block.filled).sum();
        let oldest = self.kept.pop_front_if(|oldest| kept - oldest.filled >= self.window);
        if let Some(mut oldest) = oldest {
            oldest.filled = 0;
            return oldest;
        }
        // With one byte to spare, the end is seen without another block.
        let size = self.input.size().filter(|_| self.kept.is_empty());
        let length = size.map_or(CHUNK as u64, |size| size.saturating_add(1));
        let length = usize::try_from(length).unwrap_or(CHUNK).clamp(LEAST, CHUNK);
        Block { bytes: vec![0; length], filled: 0 }
    }
}

#[cfg(test)]
mod tests {
    use host_sdk::InputHeader;

    use super::*;

    struct Counting {
        header: InputHeader,
        next: u64,
        length: u64,
    }

    impl InputDocument for Counting {
        fn id(&self) -> u64 {
            1
        }

        fn size(&self) -> Option<u64> {
            None
        }

        fn header(&self) -> &InputHeader {
            &self.header
        }

        fn read(&mut self, buffer: &mut [u8]) -> Result<usize, host_sdk::Error> {
            let count = buffer.len().min((self.length - self.next) as usize).min(100_000);
            for byte in &mut buffer[..count] {
                *byte = value(self.next);
                self.next += 1;
            }
            Ok(count)
        }
    }

    fn value(at: u64) -> u8 {
        (at.wrapping_mul(2_654_435_761) >> 16) as u8
    }

    fn expect_rest(body: &mut RewindableBody<'_>, length: u64) {
        loop {
            let from = body.position();
            let bytes = body.next().unwrap();
            if bytes.is_empty() {
                assert_eq!(from, length);
                return;
            }
            for (at, byte) in bytes.iter().enumerate() {
                assert_eq!(*byte, value(from + at as u64));
            }
        }
    }

    #[test]
    fn it_goes_back_as_far_as_it_keeps() {
        let length = 9_000_000;
        let mut input = Counting { header: InputHeader::default(), next: 0, length };
        let mut body = RewindableBody {
            window: 4_000_000,
            ..RewindableBody::new(&mut input, TransferChecksum::none(), UploadWindow::default())
        };
        expect_rest(&mut body, length);
        for back in [4_000_000, 1_000_000, 1, 0] {
            assert!(body.rewind_to(length - back), "{back}");
            expect_rest(&mut body, length);
        }
        assert!(body.kept.len() <= 4_000_000 / CHUNK + 2, "{} blocks", body.kept.len());
        assert!(!body.rewind_to(0));
        assert!(!body.rewind_to(length + 1));
    }

    #[test]
    fn a_short_body_goes_back_to_its_beginning() {
        let mut input = Counting { header: InputHeader::default(), next: 0, length: 1_000_000 };
        let mut body =
            RewindableBody::new(&mut input, TransferChecksum::none(), UploadWindow::default());
        expect_rest(&mut body, 1_000_000);
        assert!(body.rewind_to(0));
        expect_rest(&mut body, 1_000_000);
    }
}
