//! Replies: their codes (RFC 959 §4.2), their form on the wire, and what a refusal means.
//!
//! Reply codes are known in this file alone; everything else asks a [`Reply`] what it says.

use std::fmt;

use host_sdk::{Error, ErrorKind};

use super::reply_line::{split_code, trim_line_end};
use super::reply_text::{
    Emptiness, emptiness, gives_no_reason, speaks_of_a_shortfall, speaks_of_absence,
    speaks_of_rejection, speaks_of_too_many, without_name,
};
use host_sdk::kit::text::printable_bytes;

/// How much of a server's text a message quotes.
const QUOTED_CHARACTERS: usize = 300;

/// A complete reply: a code and at least one line of text.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    code: u16,
    lines: Vec<Vec<u8>>,
}

/// What was being done when the server refused: the same code means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// The greeting.
    Greeting,
    /// AUTH, PBSZ, PROT.
    Protection,
    /// USER, PASS, ACCT.
    Login,
    /// A command about a path.
    Path,
    /// Opening a data connection, or the end of a transfer.
    Transfer,
}

impl Reply {
    /// Reads a reply from its bytes: lines that end in LF, the last one complete.
    ///
    /// The bytes are those of one reply in RFC 959 form; `None` for anything else.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').map(trim_line_end);
        let first = lines.next()?;
        let (code, _) = split_code(first)?;
        let mut texts = vec![text_after_code(first, code).to_vec()];
        texts.extend(lines.map(|line| text_after_code(line, code).to_vec()));
        Some(Self { code, lines: texts })
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

    /// Whether a greeting only announces a delay (120).
    pub(crate) fn is_delay(&self) -> bool {
        self.code == 120
    }

    /// Whether a greeting invites to log in (220).
    pub(crate) fn is_ready(&self) -> bool {
        self.code == 220
    }

    /// Whether TLS may begin now (234, RFC 4217 §4).
    pub(crate) fn is_tls_ready(&self) -> bool {
        self.code == 234
    }

    /// Whether the user is logged in (230, 202 for a password that is not needed, 232).
    pub(crate) fn is_logged_in(&self) -> bool {
        matches!(self.code, 230 | 202 | 232)
    }

    /// Whether a password is wanted (331).
    pub(crate) fn wants_password(&self) -> bool {
        self.code == 331
    }

    /// Whether an account is wanted (332).
    pub(crate) fn wants_account(&self) -> bool {
        self.code == 332
    }

    /// Whether the restart marker precedes the opening of the transfer (110).
    pub(crate) fn is_restart_marker(&self) -> bool {
        self.code == 110
    }

    /// Whether it ends a transfer well (226, 250).
    pub(crate) fn is_transfer_complete(&self) -> bool {
        matches!(self.code, 226 | 250)
    }

    /// Whether the address of a passive data connection is in the text (227).
    pub(crate) fn is_passive(&self) -> bool {
        self.code == 227
    }

    /// Whether the port of an extended passive data connection is in the text (229).
    pub(crate) fn is_extended_passive(&self) -> bool {
        self.code == 229
    }

    /// Whether a path name is quoted in the text (257).
    pub(crate) fn is_path_name(&self) -> bool {
        self.code == 257
    }

    /// Whether a number or a time is in the text (213).
    pub(crate) fn is_file_status(&self) -> bool {
        self.code == 213
    }

    /// Whether the server ends the control connection (421).
    pub(crate) fn is_goodbye(&self) -> bool {
        self.code == 421
    }

    /// Whether the data connection was refused: not opened (425), or without the session reuse
    /// that the server wants (522, RFC 4217 §4).
    pub(crate) fn is_data_refused(&self) -> bool {
        matches!(self.code, 425 | 522)
    }

    /// Whether it is about the file itself: missing, or out of reach (550).
    pub(crate) fn denies_file(&self) -> bool {
        self.code == 550
    }

    /// Whether the path may be missing, or out of reach: a probe has to tell (550, and 450 and
    /// 553 where servers use them so).
    pub(crate) fn may_mean_missing(&self) -> bool {
        matches!(self.code, 450 | 550 | 553)
    }

    /// Whether the refusal says that nothing of the given name is there; `names` are the spellings
    /// of it that the reply may repeat, which say nothing.
    pub(crate) fn says_missing(&self, names: &[&str]) -> bool {
        if !matches!(self.code, 450 | 501 | 550 | 553) {
            return false;
        }
        speaks_of_absence(&self.text_without(names))
    }

    /// What this answer to a listing says of the directory; none where it is no answer about the
    /// directory (450 and 550 are).
    pub(crate) fn emptiness(&self) -> Option<Emptiness> {
        matches!(self.code, 450 | 550).then(|| emptiness(&self.text_without(&[])))
    }

    /// Whether this refusal of RNFR is one that servers give for a name that is not there: it names
    /// no reason (550).
    pub(crate) fn refuses_without_reason(&self, names: &[&str]) -> bool {
        self.code == 550 && gives_no_reason(&self.text_without(names))
    }

    /// Whether it says the same as `other`, but for the names that each repeats.
    pub(crate) fn says_the_same(&self, names: &[&str], other: &Self, others: &[&str]) -> bool {
        self.code == other.code && self.text_without(names) == other.text_without(others)
    }

    fn text_without(&self, names: &[&str]) -> String {
        let lines = self.lines.iter().map(|line| String::from_utf8_lossy(line));
        let text = lines.collect::<Vec<_>>().join(" ");
        names.iter().fold(text, |text, name| without_name(&text, name))
    }

    /// Whether it confirms a listing and says that the listing is not whole.
    pub(crate) fn tells_shortfall(&self) -> bool {
        speaks_of_a_shortfall(&self.text())
    }

    /// Whether the command was not expected now: 503, and ProFTPD's 501.
    pub(crate) fn is_out_of_sequence(&self) -> bool {
        matches!(self.code, 501 | 503)
    }

    /// Whether the server does not know the command (500, 502).
    pub(crate) fn is_unknown_command(&self) -> bool {
        matches!(self.code, 500 | 502)
    }

    /// Whether it refuses for now (4yz).
    pub(crate) fn is_transient_refusal(&self) -> bool {
        (400..500).contains(&self.code)
    }

    /// Whether it refuses for good (5yz).
    pub(crate) fn is_permanent_refusal(&self) -> bool {
        self.code >= 500
    }

    /// The error that this refusal of `command` is, which is told in the words of `shown`.
    pub(crate) fn to_error(&self, occasion: Occasion, command: &str, shown: &Self) -> Error {
        let (kind, hint) = self.meaning(occasion);
        let transient = self.is_transient_refusal() && kind != ErrorKind::Authentication;
        let error = Error::new(kind, format!("{command} refused: {shown}"))
            .with_retryable(transient || kind == ErrorKind::Busy)
            .with_reply(self.code, shown.text())
            .with_command(command);
        match hint {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn meaning(&self, occasion: Occasion) -> (ErrorKind, Option<&'static str>) {
        use ErrorKind::{
            Authentication, Busy, Connection, Permission, Protocol, Quota, Tls, Unavailable,
            Unsupported,
        };
        const TOO_MANY: &str =
            "the server limits connections: lower maximumConnections, or retry later";
        const REJECTED: &str = "check userName, password and account";
        match (self.code, occasion) {
            (421 | 530, Occasion::Login)
                if speaks_of_rejection(&self.text()) && !speaks_of_too_many(&self.text()) =>
            {
                (Authentication, Some(REJECTED))
            }
            (421, Occasion::Greeting | Occasion::Login) => (Busy, Some(TOO_MANY)),
            (421, _) => (Connection, None),
            (530, Occasion::Login | Occasion::Greeting) if speaks_of_too_many(&self.text()) => {
                (Busy, Some(TOO_MANY))
            }
            (530 | 532 | 430, Occasion::Login) => (Authentication, Some(REJECTED)),
            (530 | 534 | 536 | 521, Occasion::Path | Occasion::Transfer) => {
                (Permission, Some("the server may require TLS: set sslMode to explicit"))
            }
            (522, _) => (
                Tls,
                Some(
                    "the server wants TLS session reuse on data connections: leave tlsSessionReuse at auto",
                ),
            ),
            (_, Occasion::Protection) => {
                (Tls, Some("the server offers no TLS here: check sslMode and port"))
            }
            (425 | 426, _) => (Connection, None),
            (452 | 552, _) => (Quota, Some("the server's disk or quota is full")),
            (500 | 502 | 504 | 551, _) => (Unsupported, None),
            (501 | 503, _) => (Protocol, None),
            (code, _) if (400..500).contains(&code) => (Unavailable, None),
            (code, Occasion::Greeting) if code >= 500 => (Connection, None),
            (code, Occasion::Login) if code >= 500 => (Authentication, None),
            (code, _) if code >= 500 => (Permission, None),
            _ => (Protocol, None),
        }
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

fn text_after_code(line: &[u8], code: u16) -> &[u8] {
    match split_code(line) {
        Some((found, _)) if found == code => line.get(4..).unwrap_or(&[]),
        _ => line,
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
    fn refusals_mean_what_the_occasion_says() {
        let cases = [
            (530, "Login incorrect.", Occasion::Login, ErrorKind::Authentication, false),
            (530, "Sorry, too many users.", Occasion::Login, ErrorKind::Busy, true),
            (421, "Too many connections", Occasion::Greeting, ErrorKind::Busy, true),
            (421, "Timeout.", Occasion::Path, ErrorKind::Connection, true),
            (450, "busy", Occasion::Path, ErrorKind::Unavailable, true),
            (550, "No such file", Occasion::Path, ErrorKind::Permission, false),
            (552, "Quota", Occasion::Transfer, ErrorKind::Quota, false),
            (522, "reuse", Occasion::Transfer, ErrorKind::Tls, false),
            (530, "Too many failed logins", Occasion::Login, ErrorKind::Authentication, false),
            (421, "Password incorrect", Occasion::Login, ErrorKind::Authentication, false),
            (502, "no", Occasion::Path, ErrorKind::Unsupported, false),
        ];
        for (code, text, occasion, kind, retryable) in cases {
            let reply = Reply::new(code, text);
            let error = reply.to_error(occasion, "X", &reply);
            assert_eq!(error.kind(), kind, "{code} {text}");
            assert_eq!(error.is_retryable(), retryable, "{code} {text}");
        }
    }

    #[test]
    fn hostile_text_is_escaped_and_cut() {
        let reply = Reply::parse(b"550 \x1b[31mred\r\n").unwrap();
        assert!(!reply.text().contains('\x1b'));
        let long = Reply::new(550, &"x".repeat(5000));
        assert!(long.text().chars().count() <= QUOTED_CHARACTERS + 1);
    }
}
