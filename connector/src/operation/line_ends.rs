//! Text on the network: lines end in CRLF there (RFC 959 §3.1.1.1), in LF here.

use std::ops::RangeInclusive;

/// Converts line ends across chunks.
#[derive(Default)]
pub(super) struct LineEndConverter {
    /// Whether the last byte seen was a CR that may belong to a line end.
    pending_cr: bool,
    converted: Vec<u8>,
    /// How many line ends of the network's there were.
    line_ends: u64,
}

impl LineEndConverter {
    /// How many bytes a file may have of which `network` bytes travelled: a server keeps its own
    /// line ends, of one byte or two.
    pub(super) fn possible_sizes(&self, network: u64) -> RangeInclusive<u64> {
        network.saturating_sub(self.line_ends)..=network
    }

    /// What arrived, with this side's line ends.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> &[u8] {
        self.converted.clear();
        for byte in bytes {
            if self.pending_cr && *byte != b'\n' {
                self.converted.push(b'\r');
            }
            self.line_ends += u64::from(self.pending_cr && *byte == b'\n');
            self.pending_cr = *byte == b'\r';
            if !self.pending_cr {
                self.converted.push(*byte);
            }
        }
        &self.converted
    }

    /// What is left at the end: a CR that no LF followed.
    pub(super) fn rest(&mut self) -> &[u8] {
        self.converted.clear();
        if std::mem::take(&mut self.pending_cr) {
            self.converted.push(b'\r');
        }
        &self.converted
    }

    /// What is to be sent, with the network's line ends. Text that has them already keeps them.
    pub(super) fn encode(&mut self, bytes: &[u8]) -> &[u8] {
        self.converted.clear();
        for byte in bytes {
            if *byte == b'\n' && !self.pending_cr {
                self.converted.push(b'\r');
            }
            self.line_ends += u64::from(*byte == b'\n');
            self.pending_cr = *byte == b'\r';
            self.converted.push(*byte);
        }
        &self.converted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(
        convert: impl Fn(&mut LineEndConverter, &[u8]) -> Vec<u8>,
        chunks: &[&str],
    ) -> String {
        let mut text = LineEndConverter::default();
        let mut all: Vec<u8> =
            chunks.iter().flat_map(|chunk| convert(&mut text, chunk.as_bytes())).collect();
        if !chunks.is_empty() {
            all.extend_from_slice(text.rest());
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn line_ends_that_straddle_chunks() {
        let local = |text: &mut LineEndConverter, bytes: &[u8]| text.decode(bytes).to_vec();
        assert_eq!(through(local, &["a\r", "\nb\r\n", "c\rd\r"]), "a\nb\nc\rd\r");
        let mut text = LineEndConverter::default();
        assert_eq!(text.encode(b"a\nb\r"), b"a\r\nb\r");
        assert_eq!(text.encode(b"\nc\n"), b"\nc\r\n");
        assert_eq!(text.possible_sizes(9), 6..=9);
        let mut text = LineEndConverter::default();
        assert_eq!(text.decode(b"a\r\nb\rc\n\r\n"), b"a\nb\rc\n\n");
        assert_eq!(text.possible_sizes(9), 7..=9);
    }
}
