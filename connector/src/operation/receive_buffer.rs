//! Where the bytes of a download arrive: one buffer for all files of a thread, in which the last
//! bytes stay at hand.

/// How much is read at a time: large enough that system calls do not count.
const CHUNK: usize = 256 * 1024;

/// How many of the last bytes stay at hand. A resumed download reads them again and compares them.
pub(super) const OVERLAP: usize = 64 * 1024;

/// A buffer in which what arrives lies behind what arrived before it.
#[derive(Default)]
pub(super) struct ReceiveBuffer {
    /// Empty until the first file is read, and of the same length from then on.
    bytes: Vec<u8>,
    /// Where the next bytes go.
    end: usize,
}

impl ReceiveBuffer {
    /// Forgets what has arrived.
    pub(super) fn clear(&mut self) {
        self.end = 0;
    }

    /// The room for the next bytes.
    pub(super) fn room(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes.resize(CHUNK + OVERLAP, 0);
        }
        // A read that brings a part of the room leaves the rest to the next one.
        if self.end > CHUNK {
            self.bytes.copy_within(self.end - OVERLAP..self.end, 0);
            self.end = OVERLAP;
        }
        self.bytes.split_at_mut(self.end).1
    }

    /// The `count` bytes that were read into the room; `None` where there is no room for so many.
    pub(super) fn arrived(&mut self, count: usize) -> Option<&[u8]> {
        let start = self.end;
        let bytes = self.bytes.get(start..start.checked_add(count)?)?;
        self.end += count;
        Some(bytes)
    }

    /// The last [`OVERLAP`] bytes that have arrived since it was cleared, or all of them.
    pub(super) fn tail(&self) -> &[u8] {
        let from = self.end.saturating_sub(OVERLAP);
        self.bytes.get(from..self.end).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_the_end_of_what_arrived() {
        let mut buffer = ReceiveBuffer::default();
        assert_eq!(buffer.tail(), b"");
        let mut all = Vec::new();
        for (round, count) in [3, 3, OVERLAP - 2, CHUNK, 1, 70_000, CHUNK, 0, 5].iter().enumerate()
        {
            let room = buffer.room();
            let count = (*count).min(room.len());
            assert!(room.len() >= OVERLAP, "{round}");
            for (at, byte) in room.iter_mut().take(count).enumerate() {
                *byte = u8::try_from((all.len() + at) % 251).unwrap();
            }
            all.extend_from_slice(buffer.arrived(count).unwrap());
            assert_eq!(buffer.tail(), &all[all.len().saturating_sub(OVERLAP)..], "{round}");
        }
        assert!(buffer.arrived(CHUNK + OVERLAP + 1).is_none());
        buffer.clear();
        assert_eq!(buffer.tail(), b"");
    }
}
