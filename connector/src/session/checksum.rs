//! Checksums that the server computes: HASH (draft-bryan-ftpext-hash), and the older commands that
//! have no standard.

use super::session::Session;
use crate::config::Checksum;
use crate::failure::{Cause, Failure};
use crate::file::checksum::Algorithm;
use crate::file::path::RemotePath;
use crate::protocol::refusal::Phase;
use crate::protocol::verb::{Command, Verb};

/// What the server says about a file's checksum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ChecksumMatch {
    /// It has the same one.
    Same,
    /// It has this one.
    Other(String),
    /// It does not tell.
    Unknown,
}

impl Session {
    /// The algorithm to use for `wish`; none where nothing is to be compared.
    ///
    /// # Errors
    ///
    /// `unsupported` where the server does not have the algorithm that is demanded.
    pub(crate) fn checksum_algorithm(&self, wish: Checksum) -> Result<Option<Algorithm>, Failure> {
        match wish {
            Checksum::None => Ok(None),
            Checksum::Auto => Ok(Algorithm::ALL.into_iter().find(|one| self.computes(*one))),
            Checksum::Only(algorithm) if self.computes(algorithm) => Ok(Some(algorithm)),
            Checksum::Only(algorithm) => Err(Failure::new(
                Cause::Unsupported,
                format!("the server does not compute {}", algorithm.hash_name()),
            )
            .with_hint("set checksum to \"auto\" or \"none\"")),
        }
    }

    /// Asks the server for the checksum of the file `path` and compares it with `expected`.
    ///
    /// # Errors
    ///
    /// What a command can fail with; a refusal is [`ChecksumMatch::Unknown`].
    pub(crate) fn compare_checksum(
        &mut self,
        path: &RemotePath,
        algorithm: Algorithm,
        expected: &str,
    ) -> Result<ChecksumMatch, Failure> {
        let (verb, reply) = if self.features.hashes.contains(&algorithm) {
            if !self.select_hash(algorithm, path)? {
                return Ok(ChecksumMatch::Unknown);
            }
            (Verb::Hash, self.path_command(Verb::Hash, path)?)
        } else {
            let (verb, argument) = (Verb::computing(algorithm), argument(self.path_text(path)?));
            (verb, self.command(Command::new(verb, argument))?)
        };
        if !reply.is_done() {
            log::debug!("{}", self.refusal(&reply, Phase::Path, verb, verb.as_str()));
            self.ignore_refusal(&reply, verb, path)?;
            return Ok(ChecksumMatch::Unknown);
        }
        Ok(compare(reply.last_line(), expected))
    }

    /// Has HASH compute `algorithm` from now on; whether the server agrees.
    fn select_hash(&mut self, algorithm: Algorithm, path: &RemotePath) -> Result<bool, Failure> {
        if self.hash == Some(algorithm) {
            return Ok(true);
        }
        let select = Command::new(Verb::Opts, format_args!("HASH {}", algorithm.hash_name()));
        let reply = self.command(select)?;
        if !reply.is_done() {
            return self.ignore_refusal(&reply, Verb::Opts, path).map(|()| false);
        }
        self.hash = Some(algorithm);
        Ok(true)
    }

    fn computes(&self, algorithm: Algorithm) -> bool {
        self.features.hashes.contains(&algorithm)
            || self.features.checksum_commands.contains(&algorithm)
    }
}

/// The path as the commands without a standard want it: they take a range behind it, so that
/// spaces have to be inside quotes.
fn argument(path: String) -> String {
    if path.contains(' ') { format!("\"{path}\"") } else { path }
}

/// Finds the checksum among the words of an answer: some have the range, the algorithm or the
/// name beside it, and some leave out the zeros it begins with.
fn compare(answer: &[u8], expected: &str) -> ChecksumMatch {
    let text = String::from_utf8_lossy(answer).to_ascii_lowercase();
    let is_checksum = |word: &&str| {
        word.len() <= expected.len()
            && word.len() + 4 > expected.len()
            && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut found = text.split_ascii_whitespace().filter(is_checksum).peekable();
    match found.peek() {
        None => ChecksumMatch::Unknown,
        Some(first) => {
            let first = (*first).to_owned();
            let same =
                |word: &str| word.trim_start_matches('0') == expected.trim_start_matches('0');
            if found.any(same) { ChecksumMatch::Same } else { ChecksumMatch::Other(first) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_found_in_every_form_of_answer() {
        let cases: [(&str, ChecksumMatch); 8] = [
            ("C4C55DFF", ChecksumMatch::Same),
            (" c4c55dff", ChecksumMatch::Same),
            ("CRC32 0-12 c4c55dff hello.txt", ChecksumMatch::Same),
            ("hello.txt C4C55DFF", ChecksumMatch::Same),
            ("00000000", ChecksumMatch::Other("00000000".to_owned())),
            ("deadbeef c4c55dff", ChecksumMatch::Same),
            ("done", ChecksumMatch::Unknown),
            ("", ChecksumMatch::Unknown),
        ];
        for (answer, verdict) in cases {
            assert_eq!(compare(answer.as_bytes(), "c4c55dff"), verdict, "{answer}");
        }
        assert_eq!(compare(b"4C55DFF", "04c55dff"), ChecksumMatch::Same);
    }
}
