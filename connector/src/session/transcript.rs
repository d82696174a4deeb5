//! What was said on control connections of late, for the error of a document that failed.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::redaction::{REDACTED, redact};
use super::server::Shared;
use crate::protocol::reply_line::trim_line_end;
use host_sdk::kit::text::printable_bytes;

/// How many lines are kept; the oldest go first.
const LINES: usize = 64;

/// The longest line that is kept, in bytes.
const LINE: usize = 256;

/// The last lines of one thread's control connections, each of which may follow another; clones
/// share them. Safe to print, and without secrets.
#[derive(Clone, Default)]
pub(crate) struct Transcript {
    lines: Arc<Mutex<VecDeque<String>>>,
}

impl Transcript {
    /// Begins anew, with the next document.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// The lines, the oldest first.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    fn push(&self, line: String) {
        let mut lines = self.lock();
        if lines.len() >= LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes one session's lines into a transcript, and knows what must not stand there.
#[derive(Clone)]
pub(crate) struct TranscriptWriter {
    shared: Arc<Shared>,
    transcript: Transcript,
}

impl TranscriptWriter {
    /// Writes into `transcript` without the secrets of the connection.
    pub(crate) fn new(shared: &Arc<Shared>, transcript: &Transcript) -> Self {
        Self { shared: Arc::clone(shared), transcript: transcript.clone() }
    }

    /// Where it writes.
    pub(crate) fn transcript(&self) -> &Transcript {
        &self.transcript
    }

    /// `text` without the secrets of the connection.
    pub(crate) fn redacted(&self, text: &[u8]) -> Vec<u8> {
        redact(&self.shared.settings, text)
    }

    /// Writes what happened beside the conversation.
    pub(crate) fn note(&self, what: &str) {
        self.write("--", what.as_bytes());
    }

    /// Writes a command, with its line end.
    pub(crate) fn sent(&self, command: &[u8]) {
        let command = trim_line_end(command);
        match command.get(..5) {
            Some(verb @ (b"PASS " | b"ACCT ")) => {
                self.write(">", &[verb, REDACTED.as_bytes()].concat());
            }
            _ => self.write(">", command),
        }
    }

    /// Writes a line of a reply, with its line end.
    pub(crate) fn received(&self, line: &[u8]) {
        self.write("<", trim_line_end(line));
    }

    fn write(&self, direction: &str, text: &[u8]) {
        let text = self.redacted(text);
        self.transcript.push(format!("{direction} {}", cut(&text)));
    }
}

/// `text`, printable and not too long.
fn cut(text: &[u8]) -> String {
    let whole = printable_bytes(text.get(..LINE).unwrap_or(text));
    if text.len() <= LINE && whole.len() <= LINE {
        return whole;
    }
    let room = LINE - REDACTED.len();
    let end = (0..=room).rev().find(|end| whole.is_char_boundary(*end)).unwrap_or_default();
    whole.get(..end).unwrap_or_default().to_owned() + REDACTED
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_stay() {
        let transcript = Transcript::default();
        for number in 0..LINES + 3 {
            transcript.push(number.to_string());
        }
        let lines = transcript.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!((&*lines[0], &*lines[LINES - 1]), ("3", "66"));
        transcript.clear();
        assert!(transcript.lines().is_empty());
    }

    #[test]
    fn long_lines_are_cut_and_hostile_bytes_escaped() {
        assert_eq!(cut(b"226 Done.\x1b[2J"), "226 Done.\\x1b[2J");
        for text in [&[b'x'; 5000][..], &[0x1b; 200], "ü".repeat(200).as_bytes(), &[0xff; 256]] {
            let short = cut(text);
            assert!(short.len() <= LINE && short.ends_with(REDACTED), "{short}");
        }
        assert_eq!(cut(&[b'x'; LINE]).len(), LINE);
    }
}
