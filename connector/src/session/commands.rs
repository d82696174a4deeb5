//! Commands about directories and files.

use std::borrow::Cow;
use std::time::Instant;

use jiff::civil::DateTime;

use super::existence::Presence;
use super::session::Session;
use crate::config::TransferFormat;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, parse_time_val};
use crate::file::time::text::format_time_val;
use crate::listing::formats::mlsd::parse_mlst;
use crate::listing::{Entry, Kind, RawEntry};
use crate::protocol::payload::quoted_path;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};

impl Session {
    /// The working directory (PWD); `None` where the server does not say, or not as a Unix path.
    pub(super) fn working_directory(&mut self) -> Result<Option<RemotePath>, Failure> {
        let reply = self.command(Verb::Pwd)?;
        let quoted = if reply.is_path_name() { quoted_path(reply.first_line()) } else { None };
        let encoding = self.shared.settings.encoding;
        let text = quoted.map(|path| encoding.decode(&path));
        let Some(text) = text.filter(|text| text.starts_with('/')) else { return Ok(None) };
        RemotePath::root().join(&text).map(Some).map_err(|_| {
            self.poison();
            Failure::new(
                Cause::Nonsense,
                format!("the working directory is no path: {}", self.redacted(&reply)),
            )
        })
    }

    /// Goes to `directory` (CWD), unless that is where the session is.
    ///
    /// # Errors
    ///
    /// `notFound` or `permission` as far as the server tells; what a command can fail with.
    pub(crate) fn change_directory(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        let Some(reply) = self.enter(directory)? else { return Ok(()) };
        let error = self.path_refusal(&reply, Verb::Cwd, directory);
        self.ignore_refusal(&reply, Verb::Cwd, directory)?;
        if self.says_missing(&reply, directory) || self.is_unlisted(directory, &reply)? {
            return Err(error.into_missing());
        }
        Err(error)
    }

    /// Enters `directory`, unless the session is there already; the reply where that is refused.
    pub(super) fn enter(&mut self, directory: &RemotePath) -> Result<Option<Reply>, Failure> {
        if self.current_directory.as_ref() == Some(directory) && self.is_directory_proven {
            return Ok(None);
        }
        let command = self.path_line(Verb::Cwd, directory)?;
        self.current_directory = None;
        let sent = self.command(command);
        let reply = sent.map_err(|e| e.with_path(directory))?;
        if reply.is_done() {
            self.current_directory = Some(directory.clone());
            self.is_directory_proven = true;
            return Ok(None);
        }
        Ok(Some(reply))
    }

    /// Whether a directory that may not be entered is proven to be missing.
    fn is_unlisted(&mut self, directory: &RemotePath, reply: &Reply) -> Result<bool, Failure> {
        if directory.is_top() || !reply.may_mean_missing() {
            return Ok(false);
        }
        Ok(matches!(self.is_listed(directory)?, Presence::Absent))
    }

    /// Whether `directory` can be entered. `false` does not prove that it is missing.
    ///
    /// # Errors
    ///
    /// `unavailable` for a refusal that may pass (4yz); what a command can fail with.
    pub(crate) fn has_directory(&mut self, directory: &RemotePath) -> Result<bool, Failure> {
        let Some(reply) = self.enter(directory)? else { return Ok(true) };
        let error = self.path_refusal(&reply, Verb::Cwd, directory);
        if reply.may_mean_missing() && !self.poisoned { Ok(false) } else { Err(error) }
    }

    /// Makes `directory` and what is missing above it (MKD).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn make_directories(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        if directory.is_top() || self.has_directory(directory)? {
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
    pub(crate) fn make_directory(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        let reply = self.path_command(Verb::Mkd, directory)?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, Verb::Mkd, directory))
    }

    /// Removes an empty directory (RMD).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with.
    pub(crate) fn remove_directory(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        if self.current_directory.as_ref() == Some(directory) {
            // Some servers do not remove the directory they are in.
            self.change_directory(&directory.parent())?;
        }
        let reply = self.path_change(Verb::Rmd, directory)?;
        if reply.is_done() {
            return Ok(());
        }
        Err(self.path_refusal(&reply, Verb::Rmd, directory))
    }

    /// Sets when a file was last modified (MFMT), in UTC; whether the server has the command.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn set_modified(
        &mut self,
        path: &RemotePath,
        at: DateTime,
    ) -> Result<bool, Failure> {
        if !self.features.mfmt {
            return Ok(false);
        }
        let path_text = self.path_text(path)?;
        let argument = format!("{} {path_text}", format_time_val(at));
        let reply = self.command(Command::new(Verb::Mfmt, argument))?;
        if reply.is_done() {
            return Ok(true);
        }
        Err(self.path_refusal(&reply, Verb::Mfmt, path))
    }

    /// Sets a file's permission bits (SITE CHMOD), given as octal digits.
    ///
    /// # Errors
    ///
    /// `unsupported`, `permission`; what a command can fail with.
    pub(crate) fn set_permissions(&mut self, path: &RemotePath, mode: &str) -> Result<(), Failure> {
        let argument = format!("CHMOD {mode} {}", self.path_text(path)?);
        let reply = self.command(Command::new(Verb::Site, argument))?;
        if reply.is_done() {
            return Ok(());
        }
        let shown = format!("SITE CHMOD {path}");
        Err(self.refusal(&reply, Phase::Path, Verb::Site, &shown).with_path(path))
    }

    /// Sets the representation type (TYPE), unless it is set already.
    ///
    /// # Errors
    ///
    /// `unsupported`; what a command can fail with.
    pub(crate) fn set_format(&mut self, format: TransferFormat) -> Result<(), Failure> {
        if self.format == Some(format) {
            return Ok(());
        }
        let command = match format {
            TransferFormat::Binary => Command::new(Verb::Type, "I"),
            TransferFormat::Ascii => Command::new(Verb::Type, "A"),
        };
        let reply = self.command(command.clone())?;
        if !reply.is_done() {
            return Err(self.refusal(&reply, Phase::Path, Verb::Type, command.line()));
        }
        self.format = Some(format);
        Ok(())
    }

    /// What MLST tells of a file (RFC 3659 §7); none where it tells nothing, or of something else.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn facts(&mut self, path: &RemotePath) -> Result<Option<Entry>, Failure> {
        let reply = self.path_command(Verb::Mlst, path)?;
        if !reply.is_done() {
            return self.ignore_refusal(&reply, Verb::Mlst, path).map(|()| None);
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
    pub(crate) fn real_path(&mut self, directory: &RemotePath) -> Result<RemotePath, Failure> {
        self.change_directory(directory)?;
        Ok(self.working_directory()?.unwrap_or_else(|| directory.clone()))
    }

    /// When a file was last modified, in UTC (MDTM, RFC 3659 §3); `None` where the server does
    /// not tell.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn modified(&mut self, path: &RemotePath) -> Result<Option<Modified>, Failure> {
        if !self.features.mdtm || !self.shared.server.may_ask_times() {
            return Ok(None);
        }
        let reply = self.path_command(Verb::Mdtm, path)?;
        if reply.is_file_status() {
            return Ok(parse_time_val(file_status(&reply).as_bytes()));
        }
        // Asked once: an unknown command stays unknown.
        self.features.mdtm = !reply.is_unknown_command();
        self.ignore_refusal(&reply, Verb::Mdtm, path).map(|()| None)
    }

    /// Whether files are made of records there (SYST), so that the size of a text is not that of
    /// its lines.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn is_record_based(&mut self) -> Result<bool, Failure> {
        const SYSTEMS: [&str; 6] = ["VMS", "MVS", "Z/OS", "OS/400", "VM/", "NONSTOP"];
        let reply = self.command(Verb::Syst)?;
        let system = reply.text().to_uppercase();
        self.ignore_refusal(&reply, Verb::Syst, &RemotePath::root())?;
        Ok(reply.is_done() && SYSTEMS.iter().any(|name| system.contains(name)))
    }

    /// Deletes a file (DELE).
    ///
    /// # Errors
    ///
    /// `notFound` where a listing proves it, `permission`; what a command can fail with, and
    /// then the outcome is unknown.
    pub(crate) fn delete(&mut self, path: &RemotePath) -> Result<(), Failure> {
        let reply = self.path_change(Verb::Dele, path)?;
        if reply.is_done() {
            return Ok(());
        }
        let error = self.path_refusal(&reply, Verb::Dele, path);
        if reply.closes_session() {
            return Err(error.with_outcome_unknown());
        }
        if self.poisoned || !reply.may_mean_missing() {
            return Err(error);
        }
        if self.says_missing(&reply, path) || matches!(self.presence(path)?, Presence::Absent) {
            return Err(error.into_missing());
        }
        Err(error)
    }

    /// Renames a file (RNFR, RNTO).
    ///
    /// # Errors
    ///
    /// `permission`; what a command can fail with, and after RNTO the outcome is unknown.
    pub(crate) fn rename(&mut self, from: &RemotePath, to: &RemotePath) -> Result<(), Failure> {
        self.rename_by(from, to, None)
    }

    /// As [`Session::rename`], with no RNTO after `expires`: RNFR may take its time.
    ///
    /// # Errors
    ///
    /// As [`Session::rename`]; `unavailable` where it is too late.
    pub(crate) fn rename_by(
        &mut self,
        from: &RemotePath,
        to: &RemotePath,
        expires: Option<Instant>,
    ) -> Result<(), Failure> {
        // Nothing may come between the two commands.
        self.reach(&[from, to])?;
        let reply = self.path_command(Verb::Rnfr, from)?;
        if !reply.is_pending() {
            return Err(self.path_refusal(&reply, Verb::Rnfr, from));
        }
        if expires.is_some_and(|expires| Instant::now() >= expires) {
            let message = format!("RNFR {from} took too long for {to} to be still locked");
            return Err(Failure::new(Cause::Unavailable, message).with_transient(true));
        }
        let reply = self.path_change(Verb::Rnto, to)?;
        if reply.is_done() {
            return Ok(());
        }
        let error = self.path_refusal(&reply, Verb::Rnto, to);
        Err(if reply.closes_session() { error.with_outcome_unknown() } else { error })
    }

    pub(super) fn path_command(&mut self, verb: Verb, path: &RemotePath) -> Result<Reply, Failure> {
        let command = self.path_line(verb, path)?;
        self.command(command).map_err(|e| e.with_path(path))
    }

    /// The command `verb` about `path`, as the server understands it in the directory where the
    /// session is from now on.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    pub(crate) fn path_line(&mut self, verb: Verb, path: &RemotePath) -> Result<Command, Failure> {
        Ok(Command::new(verb, self.path_text(path)?))
    }

    /// The text of `path` for a command; errors as [`Session::path_line`].
    pub(super) fn path_text(&mut self, path: &RemotePath) -> Result<String, Failure> {
        self.reach(&[path])?;
        Ok(self.spelled(path).unwrap_or_else(|| path.as_str().into()).into_owned())
    }

    /// Goes where the server understands all of `paths`. A path that counts from the directory
    /// after login has no name in another directory, and no command leads back to one whose name is
    /// not known: only a new login does.
    ///
    /// # Errors
    ///
    /// What opening a session can fail with.
    fn reach(&mut self, paths: &[&RemotePath]) -> Result<(), Failure> {
        if paths.iter().all(|path| self.spelled(path).is_some()) {
            return Ok(());
        }
        self.renew_at_login(self.transfer_limit())
    }

    /// How `path` is called where the session is, if it has a name there.
    fn spelled<'p>(&self, path: &'p RemotePath) -> Option<Cow<'p, str>> {
        if path.is_absolute() {
            return Some(path.as_str().into());
        }
        if self.login_directory.is_absolute() {
            // An earlier session was not told.
            let absolute = self.login_directory.join(path.as_str()).ok()?;
            return Some(absolute.as_str().to_owned().into());
        }
        path.seen_from(self.current_directory.as_ref()?).map(Cow::Borrowed)
    }

    /// As [`Session::path_command`], for a command that changes something: once it was sent, an
    /// error leaves its outcome unknown.
    fn path_change(&mut self, verb: Verb, path: &RemotePath) -> Result<Reply, Failure> {
        self.check_quiet()?;
        self.path_command(verb, path).map_err(|e| {
            // It could not be sent as it is.
            if e.is(Cause::Unsendable) { e } else { e.with_outcome_unknown() }
        })
    }

    /// The error of a refusal about `path`.
    pub(super) fn path_refusal(&mut self, reply: &Reply, verb: Verb, path: &RemotePath) -> Failure {
        self.refusal(reply, Phase::Path, verb, &format!("{verb} {path}")).with_path(path)
    }

    /// For answers that nothing depends on: only the end of the session is an error.
    pub(super) fn ignore_refusal(
        &mut self,
        reply: &Reply,
        verb: Verb,
        path: &RemotePath,
    ) -> Result<(), Failure> {
        let error = self.path_refusal(reply, verb, path);
        if self.poisoned { Err(error) } else { Ok(()) }
    }
}

pub(super) fn file_status(reply: &Reply) -> String {
    String::from_utf8_lossy(reply.first_line()).trim().to_owned()
}
