//! Commands by their verbs (RFC 959 §4.1; RFC 2228, 2389, 2428, 3659).

use std::fmt;

use crate::file::checksum::Algorithm;

/// Makes the verbs that the connector sends, with their spelling on the wire.
macro_rules! verbs {
    ($($name:ident = $text:literal,)*) => {
        /// The verb of a command.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Verb {
            $(#[doc = $text] $name,)*
        }

        impl Verb {
            /// The verb as it is sent.
            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

verbs! {
    Acct = "ACCT",
    Appe = "APPE",
    Auth = "AUTH",
    Ccc = "CCC",
    Cwd = "CWD",
    Dele = "DELE",
    Eprt = "EPRT",
    Epsv = "EPSV",
    Feat = "FEAT",
    Hash = "HASH",
    List = "LIST",
    Mdtm = "MDTM",
    Mfmt = "MFMT",
    Mkd = "MKD",
    Mlsd = "MLSD",
    Mlst = "MLST",
    Nlst = "NLST",
    Noop = "NOOP",
    Opts = "OPTS",
    Own = "commandsAfterLogin",
    Pass = "PASS",
    Pasv = "PASV",
    Pbsz = "PBSZ",
    Port = "PORT",
    Pret = "PRET",
    Prot = "PROT",
    Pwd = "PWD",
    Quit = "QUIT",
    Rest = "REST",
    Retr = "RETR",
    Rmd = "RMD",
    Rnfr = "RNFR",
    Rnto = "RNTO",
    Site = "SITE",
    Size = "SIZE",
    Stat = "STAT",
    Stor = "STOR",
    Syst = "SYST",
    Type = "TYPE",
    User = "USER",
    XCrc = "XCRC",
    XMd5 = "XMD5",
    XSha1 = "XSHA1",
    XSha256 = "XSHA256",
    XSha512 = "XSHA512",
}

impl Verb {
    /// Whether the command lists a directory over a data connection.
    pub(crate) fn lists(self) -> bool {
        matches!(self, Self::List | Self::Mlsd | Self::Nlst)
    }

    /// Whether the command needs room on the server.
    pub(crate) fn stores(self) -> bool {
        matches!(self, Self::Appe | Self::Mkd | Self::Rnto | Self::Stor)
    }

    /// Whether the argument is a secret.
    pub(crate) fn is_secret(self) -> bool {
        matches!(self, Self::Acct | Self::Pass)
    }
}

impl Verb {
    /// The command that computes `algorithm` on servers without HASH. It has no standard.
    pub(crate) fn computing(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::XSha256,
            Algorithm::Sha512 => Self::XSha512,
            Algorithm::Sha1 => Self::XSha1,
            Algorithm::Md5 => Self::XMd5,
            Algorithm::Crc32 => Self::XCrc,
        }
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A command as it is sent, without its line end.
#[derive(Clone)]
pub(crate) struct Command {
    verb: Verb,
    line: String,
}

impl Command {
    /// A command with an argument.
    pub(crate) fn new(verb: Verb, argument: impl fmt::Display) -> Self {
        Self { verb, line: format!("{verb} {argument}") }
    }

    /// A whole line of the settings.
    pub(crate) fn own(line: String) -> Self {
        Self { verb: Verb::Own, line }
    }

    /// Its verb.
    pub(crate) fn verb(&self) -> Verb {
        self.verb
    }

    /// The whole line, secrets included.
    pub(crate) fn line(&self) -> &str {
        &self.line
    }

    /// Whether it names a path: it has an argument which is no option.
    pub(crate) fn names_a_path(&self) -> bool {
        !self.argument().is_empty() && !self.argument().starts_with('-')
    }

    /// Its argument; empty where it has none.
    pub(crate) fn argument(&self) -> &str {
        self.line.get(self.verb.as_str().len() + 1..).unwrap_or("")
    }
}

impl From<Verb> for Command {
    fn from(verb: Verb) -> Self {
        Self { verb, line: verb.to_string() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_its_verb_and_its_argument() {
        let command = Command::new(Verb::Retr, "/a b.txt");
        assert_eq!((command.line(), command.argument()), ("RETR /a b.txt", "/a b.txt"));
        let bare = Command::from(Verb::Pwd);
        assert_eq!((bare.line(), bare.argument()), ("PWD", ""));
    }
}
