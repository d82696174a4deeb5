//! Replies: their codes (RFC 959 §4.2) and their form on the wire.
//!
//! Reply codes are known here and in [`super::refusal`] alone; everything else asks a [`Reply`] what
//! it says.

use std::fmt;

use suppaftp::Status;

#[cfg(test)]
use super::reply_line::trim_line_end;
use super::reply_line::{ends_reply, split_code, text_after_code, unescape_iac};
use super::reply_text::{
    Emptiness, emptiness, gives_no_reason, says_absent, says_incomplete, without_name,
};
use crate::file::name::NameEncoding;
use host_sdk::kit::text::printable_bytes;

/// How much of a server's text a message quotes.
const QUOTED_CHARACTERS: usize = 300;

/// A complete reply: a code and at least one line of text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    code: u16,
    lines: Vec<Vec<u8>>,
}

/// A path that a reply may repeat: what its name says, the reply does not say.
#[derive(Clone, Copy)]
pub(crate) struct Repeated<'a> {
    /// The path as it was sent.
    pub(crate) path: &'a str,
    /// How names are written on this connection.
    pub(crate) encoding: NameEncoding,
}

impl Reply {
    /// Reads a reply from its bytes, the lines of one reply, for tests.
    #[cfg(test)]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').map(trim_line_end);
        let mut reply = PartialReply::begin(lines.next()?)?;
        lines.for_each(|line| reply.push(line));
        Some(reply.into_reply())
    }

    /// A reply with one line, for tests and for what this side answers itself.
    #[cfg(test)]
    pub(crate) fn new(code: u16, text: &str) -> Self {
        Self { code, lines: vec![text.as_bytes().to_vec()] }
    }

    /// The reply with its lines changed.
    pub(crate) fn map_lines(&self, change: impl FnMut(&Vec<u8>) -> Vec<u8>) -> Self {
        Self { code: self.code, lines: self.lines.iter().map(change).collect() }
    }

    /// The code by its name in the field's vocabulary; `Unknown` for codes of RFC 2228 and RFC 4217,
    /// such as 522 and 534, which that vocabulary lacks.
    fn status(&self) -> Status {
        Status::from(u32::from(self.code))
    }

    /// The first line's text.
    pub(crate) fn first_line(&self) -> &[u8] {
        self.lines.first().map_or(&[], Vec::as_slice)
    }

    /// The last line's text.
    pub(crate) fn last_line(&self) -> &[u8] {
        self.lines.last().map_or(&[], Vec::as_slice)
    }

    /// The lines between the first and the last: the payload of FEAT, MLST and STAT.
    pub(crate) fn inner_lines(&self) -> impl Iterator<Item = &[u8]> {
        let inner = self.lines.len().saturating_sub(2);
        self.lines.iter().skip(1).take(inner).map(Vec::as_slice)
    }

    /// Whether it came in a single line.
    pub(crate) fn is_single_line(&self) -> bool {
        self.lines.len() == 1
    }

    /// The text on one line, safe to print.
    pub(crate) fn text(&self) -> String {
        let joined =
            self.lines.iter().map(|line| line.trim_ascii()).filter(|line| !line.is_empty());
        let text = joined.map(printable_bytes).collect::<Vec<_>>().join(" / ");
        if text.chars().count() <= QUOTED_CHARACTERS {
            return text;
        }
        text.chars().take(QUOTED_CHARACTERS).chain(std::iter::once('…')).collect()
    }

    /// Whether more replies to the same command follow (1yz).
    pub(crate) fn is_preliminary(&self) -> bool {
        (100..200).contains(&self.code)
    }

    /// Whether the command was done (2yz).
    pub(crate) fn is_done(&self) -> bool {
        (200..300).contains(&self.code)
    }

    /// Whether the command waits for another (3yz).
    pub(crate) fn is_pending(&self) -> bool {
        (300..400).contains(&self.code)
    }

    /// Whether a greeting invites to log in (220, and other codes of success that claim no login).
    pub(crate) fn is_ready(&self) -> bool {
        self.is_done() && !self.claims_login()
    }

    /// Whether TLS may begin now: 234 (RFC 4217 §4), any other success, and the 334 of servers that
    /// take AUTH for the beginning of an exchange (RFC 2228 §3).
    pub(crate) fn agrees_to_tls(&self) -> bool {
        self.is_done() || self.code == 334
    }

    /// Whether the server says that the user is logged in (230, 202 for a password that is not
    /// needed, 232).
    pub(crate) fn claims_login(&self) -> bool {
        matches!(
            self.status(),
            Status::LoggedIn | Status::CommandNotImplemented | Status::LogoutAck
        )
    }

    /// Whether a password is wanted (331).
    pub(crate) fn wants_password(&self) -> bool {
        self.status() == Status::NeedPassword
    }

    /// Whether an account is wanted before the login is done (332).
    pub(crate) fn wants_account(&self) -> bool {
        self.status() == Status::LoginNeedAccount
    }

    /// Whether the restart marker precedes the opening of the transfer (110).
    pub(crate) fn is_restart_marker(&self) -> bool {
        self.status() == Status::RestartMarker
    }

    /// Whether it ends a transfer well (226, 250).
    pub(crate) fn is_transfer_complete(&self) -> bool {
        matches!(self.status(), Status::ClosingDataConnection | Status::RequestedFileActionOk)
    }

    /// Whether the address of a passive data connection is in the text (227).
    pub(crate) fn is_passive(&self) -> bool {
        self.status() == Status::PassiveMode
    }

    /// Whether the server ends the control connection (421).
    pub(crate) fn closes_session(&self) -> bool {
        self.status() == Status::NotAvailable
    }

    /// Whether the data connection was refused: not opened (425), or without the session reuse
    /// that the server wants (522, RFC 4217 §4).
    pub(crate) fn is_data_refused(&self) -> bool {
        matches!(self.code, 425 | 522)
    }

    /// Whether it is about the file itself: missing, or out of reach (550).
    pub(crate) fn denies_file(&self) -> bool {
        self.status() == Status::FileUnavailable
    }

    /// Whether the path may be missing, or out of reach: a probe has to tell (550, and 450 and
    /// 553 where servers use them so).
    pub(crate) fn may_mean_missing(&self) -> bool {
        matches!(self.code, 450 | 550 | 553)
    }

    /// Whether the refusal says that nothing is there at `path`.
    pub(crate) fn says_missing(&self, path: Repeated<'_>) -> bool {
        if !matches!(self.code, 450 | 501 | 550 | 553) {
            return false;
        }
        says_absent(&self.text_without(path))
    }

    /// What this answer to a listing says of the directory; none where it is no answer about the
    /// directory (450 and 550 are).
    pub(crate) fn emptiness(&self) -> Option<Emptiness> {
        matches!(self.code, 450 | 550).then(|| emptiness(&self.decoded(NameEncoding::Auto)))
    }

    /// Whether this refusal of RNFR is one that servers give for a name that is not there: it names
    /// no reason (550).
    pub(crate) fn refuses_without_reason(&self, path: Repeated<'_>) -> bool {
        self.status() == Status::FileUnavailable && gives_no_reason(&self.text_without(path))
    }

    /// Whether it says of `path` what `other` says of `others`.
    pub(crate) fn says_the_same(
        &self,
        path: Repeated<'_>,
        other: &Self,
        others: Repeated<'_>,
    ) -> bool {
        self.code == other.code && self.text_without(path) == other.text_without(others)
    }

    fn text_without(&self, path: Repeated<'_>) -> String {
        let name = path.path.rsplit('/').next().unwrap_or_default();
        let text = without_name(&self.decoded(path.encoding), path.path);
        without_name(&text, name)
    }

    /// The lines as one, in the encoding that names have: a name in it is then the name that was sent.
    fn decoded(&self, encoding: NameEncoding) -> String {
        self.lines.iter().map(|line| encoding.decode(line)).collect::<Vec<_>>().join(" ")
    }

    /// Whether it confirms a transfer and says that the transfer is not whole; `path` is what the
    /// transfer was about, if anything.
    pub(crate) fn says_incomplete(&self, path: Option<Repeated<'_>>) -> bool {
        says_incomplete(&path.map_or_else(|| self.text(), |path| self.text_without(path)))
    }

    /// Whether the command was not expected now: 503, and ProFTPD's 501.
    pub(crate) fn is_out_of_sequence(&self) -> bool {
        matches!(self.status(), Status::BadArguments | Status::BadSequence)
    }

    /// Whether the requested level of protection is one that the server never grants (536).
    pub(crate) fn rules_out_protection(&self) -> bool {
        self.code == 536
    }

    /// Whether the server does not know the command (500, 502).
    pub(crate) fn is_unknown_command(&self) -> bool {
        matches!(self.status(), Status::BadCommand | Status::NotImplemented)
    }

    /// Whether it refuses for now (4yz).
    pub(crate) fn is_transient_refusal(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether it refuses for good (5yz).
    pub(crate) fn is_permanent_refusal(&self) -> bool {
        self.code >= 500
    }

    /// The three digits.
    pub(crate) fn code(&self) -> u16 {
        self.code
    }
}

/// A reply that is being received, line by line.
pub(crate) struct PartialReply {
    reply: Reply,
    is_complete: bool,
}

impl PartialReply {
    /// Begins with the first line, without its line end; `None` where it is no line of a reply.
    pub(crate) fn begin(line: &[u8]) -> Option<Self> {
        let (code, separator) = split_code(line)?;
        let reply = Reply { code, lines: vec![unescape_iac(text_after_code(line))] };
        Some(Self { reply, is_complete: separator != Some(b'-') })
    }

    /// Goes on with `reply`, which looked whole and has more lines.
    pub(crate) fn resume(reply: Reply) -> Self {
        Self { reply, is_complete: true }
    }

    /// Whether the last line is there.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Adds a line, without its line end. Only the code that the reply began with ends it: other
    /// lines may begin with any digits.
    pub(crate) fn push(&mut self, line: &[u8]) {
        self.is_complete = ends_reply(line, self.reply.code);
        let is_own = split_code(line).is_some_and(|(code, _)| code == self.reply.code);
        let text = if is_own { text_after_code(line) } else { line };
        self.reply.lines.push(unescape_iac(text));
    }

    /// The whole reply.
    pub(crate) fn into_reply(self) -> Reply {
        self.reply
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code, self.text())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_with_and_without_text() {
        let reply = Reply::parse(b"226 Transfer complete.\r\n").unwrap();
        assert!(reply.is_transfer_complete());
        assert_eq!(reply.to_string(), "226 Transfer complete.");
        let bare = Reply::parse(b"200\n").unwrap();
        assert!(bare.is_done());
        assert_eq!(bare.text(), "");
    }

    #[test]
    fn the_payload_of_a_multi_line_reply() {
        let reply = Reply::parse(b"211-Features:\r\n MDTM\r\n SIZE\r\n211 End\r\n").unwrap();
        let inner: Vec<&[u8]> = reply.inner_lines().collect();
        assert_eq!(inner, [b" MDTM".as_slice(), b" SIZE".as_slice()]);
    }

    #[test]
    fn what_is_no_reply_is_none() {
        for bytes in [&b""[..], b"hello\r\n", b"99 x\r\n", b"620 x\r\n", b"2200 x\r\n", b"22\r\n"] {
            assert!(Reply::parse(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn a_name_in_another_encoding_says_nothing() {
        let path = NameEncoding::Auto.decode(b"/in/t\xe9l\xe9.txt");
        let repeated = Repeated { path: &path, encoding: NameEncoding::Auto };
        for line in [
            &b"550 t\xe9l\xe9.txt: No such file or directory\r\n"[..],
            b"550 /in/t\xe9l\xe9.txt: not found\r\n",
        ] {
            assert!(Reply::parse(line).unwrap().says_missing(repeated), "{line:?}");
        }
        let denied = Reply::parse(b"550 t\xe9l\xe9.txt: no such file, or not yours\r\n").unwrap();
        assert!(!denied.says_missing(repeated));
    }

    #[test]
    fn hostile_text_is_escaped_and_cut() {
        let reply = Reply::parse(b"550 \x1b[31mred\r\n").unwrap();
        assert!(!reply.text().contains('\x1b'));
        let long = Reply::new(550, &"x".repeat(5000));
        assert!(long.text().chars().count() <= QUOTED_CHARACTERS + 1);
    }
}
