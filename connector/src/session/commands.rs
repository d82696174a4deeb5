//! Commands about directories and files.

use host_sdk::{Error, ErrorKind};
use jiff::civil::DateTime;

use super::Session;
use super::listing::mlsd::parse_mlst;
use super::listing::{Entry, Kind, RawEntry};
use super::reply::{Occasion, Reply};
use crate::config::TransferFormat;
use crate::remote_path::RemotePath;
use crate::timestamp::{self, Modified};

impl Session {
    /// The working directory (PWD); `None` where the server does not say.
    pub(super) fn working_directory(&mut self) -> Result<Option<RemotePath>, Error> {
        let reply = self.command("PWD")?;
        let quoted = if reply.is_path_name() { quoted_path(reply.first_line()) } else { None };
        let encoding = self.shared.settings.encoding;
        match quoted {
            Some(path) => {
                RemotePath::root().join(&encoding.decode(&path)).map(Some).map_err(|_| {
                    self.poison();
                    Error::new(
                        ErrorKind::Protocol,
                        format!("the working directory is no path: {}", self.hidden(&reply)),
                    )
                })
            }
            None => Ok(None),
        }
    }

    /// Goes to `directory` (CWD), unless that is where the session is.
    ///
    /// # Errors
    ///
    /// `notFound` or `permission` as far as the server tells; what a command can fail with.
    pub(crate) fn change_directory(&mut self, directory: &RemotePath) -> Result<(), Error> {
        if self.current_directory.as_ref() == Some(directory) {
            return Ok(());
        }
        self.current_directory = None;
        let reply = self.path_command("CWD", directory)?;
        if !reply.is_done() {
            // No probe is left once CWD has failed: MLST and LIST would fail the same way.
            let error = self.path_refusal(&reply, "CWD", directory);
            return Err(if reply.may_mean_missing() { missing(error) } else { error });
        }
        self.current_directory = Some(directory.clone());
        Ok(())
    }

    /// Whether `directory` can be entered.
    pub(crate) fn has_directory(&mut self, directory: &RemotePath) -> Result<bool, Error> {
        match self.change_directory(directory) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Makes `directory` and what is missing above it (MKD).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn make_directories(&mut self, directory: &RemotePath) -> Result<(), Error> {
        if directory.is_root() || self.has_directory(directory)? {
            return Ok(());
        }
        self.make_directories(&directory.parent())?;
        match self.make_directory(directory) {
            // Somebody else may have made it in the meantime.
            Err(e) if !self.poisoned && !self.has_directory(directory)? => Err(e),
            Err(e) if self.poisoned => Err(e),
            _ => Ok(()),
        }
    }

    /// Makes `directory` (MKD); a name that is taken is refused, atomically.
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn make_directory(&mut self, directory: &RemotePath) -> Result<(), Error> {
        let reply = self.path_command("MKD", directory)?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, "MKD", directory))
    }

    /// Removes an empty directory (RMD).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn remove_directory(&mut self, directory: &RemotePath) -> Result<(), Error> {
        if self.current_directory.as_ref() == Some(directory) {
            // Some servers do not remove the directory they are in.
            self.change_directory(&directory.parent())?;
        }
        let reply = self.path_change("RMD", directory)?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, "RMD", directory))
    }

    /// Sets when a file was last modified (MFMT), in UTC; whether the server has the command.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn set_modified(&mut self, path: &RemotePath, at: DateTime) -> Result<bool, Error> {
        if !self.features.mfmt {
            return Ok(false);
        }
        let argument = format!("{} {}", timestamp::format_time_val(at), path.as_str());
        let reply = self.command(&format!("MFMT {argument}"))?;
        if reply.is_done() {
            return Ok(true);
        }
        Err(self.path_refusal(&reply, "MFMT", path))
    }

    /// Sets a file's permission bits (SITE CHMOD), given as octal digits.
    ///
    /// # Errors
    ///
    /// `unsupported`, `permission`; what a command can fail with.
    pub(crate) fn set_permissions(&mut self, path: &RemotePath, mode: &str) -> Result<(), Error> {
        let reply = self.command(&format!("SITE CHMOD {mode} {}", path.as_str()))?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, "SITE CHMOD", path))
    }

    /// Sets the representation type (TYPE), unless it is set already.
    ///
    /// # Errors
    ///
    /// `unsupported`; what a command can fail with.
    pub(crate) fn set_format(&mut self, format: TransferFormat) -> Result<(), Error> {
        if self.format == Some(format) {
            return Ok(());
        }
        let command = match format {
            TransferFormat::Binary => "TYPE I",
            TransferFormat::Ascii => "TYPE A",
        };
        let reply = self.command(command)?;
        if !reply.is_done() {
            return Err(self.refusal(&reply, Occasion::Path, command));
        }
        self.format = Some(format);
        Ok(())
    }

    /// The size of a file in bytes (SIZE, RFC 3659 §4); `None` where the server does not tell.
    ///
    /// # Errors
    ///
    /// `notFound` where the server says so; what a command can fail with.
    pub(crate) fn size(&mut self, path: &RemotePath) -> Result<Option<u64>, Error> {
        self.set_format(TransferFormat::Binary)?;
        let reply = self.path_command("SIZE", path)?;
        if reply.is_file_status() {
            return Ok(file_status(&reply).parse().ok());
        }
        if reply.denies_file() {
            return Err(missing(self.path_refusal(&reply, "SIZE", path)));
        }
        if reply.is_transient_refusal() {
            return Err(self.path_refusal(&reply, "SIZE", path));
        }
        self.unless_goodbye(&reply, "SIZE", path).map(|()| None)
    }

    /// As [`Session::size`], but a refusal counts as "not there" only where a look confirms it:
    /// servers refuse SIZE for other reasons as well.
    ///
    /// # Errors
    ///
    /// As [`Session::size`].
    pub(crate) fn known_size(&mut self, path: &RemotePath) -> Result<Option<u64>, Error> {
        match self.size(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => {
                if self.is_listed(path)? {
                    Ok(None)
                } else {
                    Err(e)
                }
            }
            other => other,
        }
    }

    /// What MLST tells of a file (RFC 3659 §7); none where it tells nothing, or of something else.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn facts(&mut self, path: &RemotePath) -> Result<Option<Entry>, Error> {
        let reply = self.path_command("MLST", path)?;
        if !reply.is_done() {
            return self.unless_goodbye(&reply, "MLST", path).map(|()| None);
        }
        let entry = reply.inner_lines().find_map(parse_mlst);
        let is_file = |entry: &RawEntry<'_>| entry.kind == Kind::RegularFile;
        Ok(entry.filter(is_file).map(|entry| entry.decode(self.shared.settings.encoding)))
    }

    /// Where `directory` really is, whatever links lead there: the same for all of its paths, on
    /// servers that tell (PWD).
    ///
    /// # Errors
    ///
    /// As [`Session::change_directory`].
    pub(crate) fn real_path(&mut self, directory: &RemotePath) -> Result<RemotePath, Error> {
        self.change_directory(directory)?;
        Ok(self.working_directory()?.unwrap_or_else(|| directory.clone()))
    }

    /// When a file was last modified, in UTC (MDTM, RFC 3659 §3); `None` where the server does
    /// not tell.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn modified(&mut self, path: &RemotePath) -> Result<Option<Modified>, Error> {
        if !self.features.mdtm {
            return Ok(None);
        }
        let reply = self.path_command("MDTM", path)?;
        if reply.is_file_status() {
            return Ok(timestamp::parse_time_val(file_status(&reply).as_bytes()));
        }
        // Asked once: an unknown command stays unknown.
        self.features.mdtm = !reply.is_unknown_command();
        self.unless_goodbye(&reply, "MDTM", path).map(|()| None)
    }

    /// Whether a file is there, as far as the server can tell: SIZE, then a listing's line.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn exists(&mut self, path: &RemotePath) -> Result<bool, Error> {
        match self.size(path) {
            Ok(Some(_)) => Ok(true),
            // Servers also refuse SIZE for a directory, or for a file they cannot open.
            Ok(None) => self.is_listed(path),
            Err(e) if e.kind() == ErrorKind::NotFound => self.is_listed(path),
            Err(e) => Err(e),
        }
    }

    /// Whether files are made of records there (SYST), so that the size of a text is not that of
    /// its lines.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn keeps_records(&mut self) -> Result<bool, Error> {
        const SYSTEMS: [&str; 6] = ["VMS", "MVS", "Z/OS", "OS/400", "VM/", "NONSTOP"];
        let reply = self.command("SYST")?;
        let system = reply.text().to_uppercase();
        self.unless_goodbye(&reply, "SYST", &RemotePath::root())?;
        Ok(reply.is_done() && SYSTEMS.iter().any(|name| system.contains(name)))
    }

    /// Deletes a file (DELE).
    ///
    /// # Errors
    ///
    /// `notFound` where a listing proves it, `permission`; what a command can fail with, and
    /// then the outcome is unknown.
    pub(crate) fn delete(&mut self, path: &RemotePath) -> Result<(), Error> {
        let reply = self.path_change("DELE", path)?;
        if reply.is_done() {
            return Ok(());
        }
        let error = self.path_refusal(&reply, "DELE", path);
        if reply.is_goodbye() {
            return Err(error.with_outcome_unknown());
        }
        if reply.may_mean_missing() && !self.poisoned && !self.is_listed(path)? {
            return Err(missing(error));
        }
        Err(error)
    }

    /// Renames a file (RNFR, RNTO).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with, and after RNTO the outcome is unknown.
    pub(crate) fn rename(&mut self, from: &RemotePath, to: &RemotePath) -> Result<(), Error> {
        let reply = self.path_command("RNFR", from)?;
        if !reply.is_pending() {
            return Err(self.path_refusal(&reply, "RNFR", from));
        }
        let reply = self.path_change("RNTO", to)?;
        if reply.is_done() {
            return Ok(());
        }
        let error = self.path_refusal(&reply, "RNTO", to);
        Err(if reply.is_goodbye() { error.with_outcome_unknown() } else { error })
    }

    pub(super) fn path_command(&mut self, verb: &str, path: &RemotePath) -> Result<Reply, Error> {
        self.command_as(&format!("{verb} {}", path.as_str()), verb)
            .map_err(|e| e.with_path(path.to_string()))
    }

    /// As [`Session::path_command`], for a command that changes something: once it was sent, an
    /// error leaves its outcome unknown.
    fn path_change(&mut self, verb: &str, path: &RemotePath) -> Result<Reply, Error> {
        self.undisturbed()?;
        self.path_command(verb, path).map_err(|e| match e.kind() {
            // It could not be sent as it is.
            ErrorKind::Document => e,
            _ => e.with_outcome_unknown(),
        })
    }

    /// The error of a refusal about `path`.
    pub(super) fn path_refusal(&mut self, reply: &Reply, verb: &str, path: &RemotePath) -> Error {
        self.refusal(reply, Occasion::Path, &format!("{verb} {path}")).with_path(path.to_string())
    }

    /// For answers that nothing depends on: only the end of the session is an error.
    pub(super) fn unless_goodbye(
        &mut self,
        reply: &Reply,
        verb: &str,
        path: &RemotePath,
    ) -> Result<(), Error> {
        let error = self.path_refusal(reply, verb, path);
        if self.poisoned { Err(error) } else { Ok(()) }
    }
}

/// The same refusal, now that it is known to mean that nothing is there.
pub(crate) fn missing(error: Error) -> Error {
    let mut report = error.report().clone();
    report.kind = ErrorKind::NotFound;
    report.retryable = false;
    report.into()
}

fn file_status(reply: &Reply) -> String {
    String::from_utf8_lossy(reply.first_line()).trim().to_owned()
}

/// The path in `257 "/a ""quoted"" one" is …`: quotes inside are doubled (RFC 959 appendix II).
pub(super) fn quoted_path(text: &[u8]) -> Option<Vec<u8>> {
    let start = text.iter().position(|byte| *byte == b'"')? + 1;
    let mut path = Vec::new();
    let mut rest = text.get(start..)?.iter().peekable();
    while let Some(byte) = rest.next() {
        if *byte != b'"' {
            path.push(*byte);
        } else if rest.peek() == Some(&&b'"') {
            rest.next();
            path.push(b'"');
        } else {
            return (!path.is_empty()).then_some(path);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_inside_a_path_are_doubled() {
        let cases: [(&str, Option<&str>); 6] = [
            (r#""/" is the current directory"#, Some("/")),
            (r#""/a""b" is "c""#, Some(r#"/a"b"#)),
            (r#"Current is "/in box""#, Some("/in box")),
            (r#""" is nothing"#, None),
            ("/no/quotes", None),
            (r#""/open"#, None),
        ];
        for (text, path) in cases {
            assert_eq!(quoted_path(text.as_bytes()), path.map(|p| p.as_bytes().to_vec()), "{text}");
        }
    }
}
