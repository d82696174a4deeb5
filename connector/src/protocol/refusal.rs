//! What a refusal means: the same code says different things on different occasions.

use super::reply::Reply;
use super::reply_text::{
    says_login_rejected, says_no_room, says_tls_required, says_too_many_sessions,
};
use super::verb::Verb;

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The login is rejected.
    LoginRejected,
    /// Too many sessions.
    Busy,
    /// The connection is at its end.
    Lost,
    /// Not permitted, or not there.
    Denied,
    /// TLS is missing, or another kind of it is wanted.
    Tls,
    /// There is no room.
    Full,
    /// The command or its argument is not implemented.
    Unsupported,
    /// The command makes no sense here (501, 503), or the answer does not.
    Nonsense,
    /// Not now.
    Unavailable,
}

/// What was being done when the server refused: the same code means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
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
    /// What this refusal of `verb` means, and what to do about it.
    pub(crate) fn meaning(
        &self,
        phase: Phase,
        verb: Option<Verb>,
    ) -> (Meaning, Option<&'static str>) {
        const TOO_MANY: &str =
            "the server limits connections: lower maximumConnections, or retry later";
        const REJECTED: &str = "check userName, password and account";
        let text = self.text();
        // Only what takes room can be refused for lack of it: some servers use the codes otherwise.
        let may_be_full = verb.is_none_or(Verb::stores);
        let is_login = matches!(phase, Phase::Greeting | Phase::Login);
        match (self.code(), phase) {
            (code, _) if is_login && code >= 400 && says_tls_required(&text) => {
                (Meaning::LoginRejected, Some("the server demands TLS: set sslMode to explicit"))
            }
            (421, Phase::Greeting)
                if says_login_rejected(&text) && !says_too_many_sessions(&text) =>
            {
                (
                    Meaning::LoginRejected,
                    Some("the server turns this machine away: ask the partner"),
                )
            }
            (421 | 530, Phase::Login)
                if says_login_rejected(&text) && !says_too_many_sessions(&text) =>
            {
                (Meaning::LoginRejected, Some(REJECTED))
            }
            (421, Phase::Greeting | Phase::Login) => (Meaning::Busy, Some(TOO_MANY)),
            (421, _) => (Meaning::Lost, None),
            (530, Phase::Login | Phase::Greeting) if says_too_many_sessions(&text) => {
                (Meaning::Busy, Some(TOO_MANY))
            }
            (530 | 532 | 430, Phase::Login) => (Meaning::LoginRejected, Some(REJECTED)),
            (530, Phase::Path | Phase::Transfer) if !says_tls_required(&text) => {
                (Meaning::Denied, Some("the server asks for a login: check what userName may do"))
            }
            (530 | 534 | 536 | 521, Phase::Path | Phase::Transfer) => (
                Meaning::Denied,
                Some("the server wants other TLS: check sslMode (explicit) and dataProtection"),
            ),
            (522, _) => (
                Meaning::Tls,
                Some(
                    "the server wants TLS session reuse on data connections: leave \
                     tlsSessionReuse at auto",
                ),
            ),
            (code, Phase::Protection) => (Meaning::Tls, Some(unprotected(code, verb))),
            (425 | 426, _) => (Meaning::Lost, None),
            (452 | 552, _) if may_be_full => {
                (Meaning::Full, Some("the server's disk or quota is full"))
            }
            (450..=599, _) if verb.is_some_and(Verb::stores) && says_no_room(&text) => {
                (Meaning::Full, Some("the server's disk or quota is full"))
            }
            (500 | 502 | 504 | 551, _) => (Meaning::Unsupported, None),
            (501 | 503, _) => (Meaning::Nonsense, None),
            (code, _) if (400..500).contains(&code) => (Meaning::Unavailable, None),
            (code, Phase::Greeting) if code >= 500 => (Meaning::Lost, None),
            (code, Phase::Login) if code >= 500 => (Meaning::LoginRejected, None),
            (code, _) if code >= 500 => (Meaning::Denied, None),
            _ => (Meaning::Nonsense, None),
        }
    }
}

/// What to do about a server that refuses AUTH, or to protect data connections, with `code`.
fn unprotected(code: u16, verb: Option<Verb>) -> &'static str {
    match (verb, code) {
        (Some(Verb::Auth), 500 | 502 | 504) => {
            "the server offers no TLS here: check sslMode and port"
        }
        (Some(Verb::Auth), 400..=499) => {
            "the server has TLS and cannot use it now, perhaps for want of a certificate: ask the \
             partner"
        }
        (Some(Verb::Auth), _) => {
            "the server knows AUTH and does not grant it here: ask the partner, and check sslMode \
             and port"
        }
        (Some(Verb::Ccc), _) => {
            "the server keeps the control connection inside TLS: leave clearControl at false"
        }
        _ => {
            "the server speaks TLS and does not protect data connections: set dataProtection to \
             clear if the partner agrees"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_mean_what_the_occasion_says() {
        use Phase::{Greeting, Login, Path, Transfer};
        let cases = [
            (530, "Login incorrect.", Login, Verb::Pass, Meaning::LoginRejected),
            (530, "Sorry, too many users.", Login, Verb::User, Meaning::Busy),
            (421, "Too many connections", Greeting, Verb::User, Meaning::Busy),
            (421, "Timeout.", Path, Verb::Cwd, Meaning::Lost),
            (450, "busy", Path, Verb::Dele, Meaning::Unavailable),
            (550, "No such file", Path, Verb::Dele, Meaning::Denied),
            (552, "Quota", Transfer, Verb::Stor, Meaning::Full),
            (552, "Refused", Transfer, Verb::Retr, Meaning::Denied),
            (452, "Busy", Path, Verb::Dele, Meaning::Unavailable),
            (522, "reuse", Transfer, Verb::Retr, Meaning::Tls),
            (530, "Too many failed logins", Login, Verb::Pass, Meaning::LoginRejected),
            (421, "Password incorrect", Login, Verb::Pass, Meaning::LoginRejected),
            (502, "no", Path, Verb::Mlst, Meaning::Unsupported),
            (
                530,
                "Non-anonymous sessions must use encryption.",
                Login,
                Verb::User,
                Meaning::LoginRejected,
            ),
            (
                421,
                "Sorry, cleartext sessions are not accepted",
                Login,
                Verb::User,
                Meaning::LoginRejected,
            ),
            (421, "Your address is banned", Greeting, Verb::User, Meaning::LoginRejected),
            (550, "Policy requires SSL", Login, Verb::User, Meaning::LoginRejected),
            (550, "No space left on device", Transfer, Verb::Stor, Meaning::Full),
            (553, "disk full", Transfer, Verb::Appe, Meaning::Full),
            (550, "No space left on device", Path, Verb::Cwd, Meaning::Denied),
        ];
        for (code, text, phase, verb, meaning) in cases {
            let reply = Reply::new(code, text);
            assert_eq!(reply.meaning(phase, Some(verb)).0, meaning, "{code} {text}");
        }
        let hint = |text| Reply::new(530, text).meaning(Path, Some(Verb::Mkd)).1.unwrap();
        assert!(hint("Non-anonymous sessions must use encryption.").contains("sslMode"));
        assert!(!hint("Please login with USER and PASS.").contains("sslMode"));
        let login = Reply::new(530, "Non-anonymous sessions must use encryption.");
        assert!(login.meaning(Login, Some(Verb::User)).1.unwrap().contains("sslMode"));
    }
}
