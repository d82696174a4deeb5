//! Which success completes which command (RFC 959 §5.4), and replies that servers give twice.

use super::reply::Reply;
use super::verb::Verb;

impl Verb {
    /// Whether some servers answer the command twice, by two parts of them that do not know of each
    /// other.
    pub(crate) fn may_be_answered_twice(self) -> bool {
        matches!(self, Self::User | Self::Pass | Self::Acct | Self::Cwd | Self::Opts)
    }

    /// The codes of success that the standards give the command; none where they leave it open.
    fn completions(self) -> &'static [u16] {
        match self {
            Self::User | Self::Pass | Self::Acct => &[202, 230, 232],
            Self::Auth => &[234],
            Self::Feat => &[211],
            Self::Pwd => &[257],
            Self::Epsv | Self::Pasv => &[227, 229],
            Self::Size | Self::Mdtm | Self::Mfmt => &[213],
            Self::Eprt | Self::Noop | Self::Pbsz | Self::Port | Self::Prot | Self::Type => &[200],
            Self::Dele | Self::Mlst | Self::Rmd | Self::Rnto => &[250],
            Self::Mkd => &[257],
            _ => &[],
        }
    }
}

impl Reply {
    /// Whether this answer to `verb` is likely the second one to the command before it, which was
    /// answered with `earlier`: a success with the same code, which does not belong to `verb`.
    pub(crate) fn may_repeat(&self, earlier: u16, verb: Verb) -> bool {
        let expected = verb.completions();
        let is_foreign = !expected.is_empty() && !expected.contains(&self.code());
        self.code() == earlier && is_foreign && (self.is_done() || self.is_pending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_that_belongs_to_the_command_before_is_suspected() {
        let cases = [
            (220, 220, Verb::User, true),
            (230, 230, Verb::Feat, true),
            (250, 250, Verb::Epsv, true),
            (200, 200, Verb::Pwd, true),
            (220, 220, Verb::Auth, true),
            (200, 200, Verb::Type, false),
            (250, 200, Verb::Epsv, false),
            (550, 550, Verb::Size, false),
            (250, 250, Verb::Dele, false),
            (200, 200, Verb::Site, false),
        ];
        for (earlier, code, verb, is_suspected) in cases {
            let reply = Reply::new(code, "ok");
            assert_eq!(reply.may_repeat(earlier, verb), is_suspected, "{earlier} {code} {verb}");
        }
    }
}
