//! Commands about files: MDTM, MLST, MFMT, RNFR and RNTO, SITE CHMOD (RFC 959 §4.1, RFC 3659), and
//! SYST.

use std::time::Instant;

use jiff::civil::DateTime;

use super::session::Session;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::{Modified, parse_time_val};
use crate::file::time::text::format_time_val;
use crate::listing::formats::mlsd::parse_mlst;
use crate::listing::{Entry, Kind, RawEntry};
use crate::protocol::refusal::Phase;
use crate::protocol::reply::Reply;
use crate::protocol::verb::{Command, Verb};

impl Session {
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
        let (from_text, to_text) = self.two_texts(from, to)?;
        let sent = self.command(Command::new(Verb::Rnfr, from_text));
        let reply = sent.map_err(|e| e.with_path(from))?;
        if !reply.is_pending() {
            return Err(self.path_refusal(&reply, Verb::Rnfr, from));
        }
        if expires.is_some_and(|expires| Instant::now() >= expires) {
            let message = format!("RNFR {from} took too long for {to} to be still locked");
            return Err(Failure::new(Cause::Unavailable, message).with_transient(true));
        }
        let reply = self.text_change(Verb::Rnto, to, to_text)?;
        if reply.is_done() {
            return Ok(());
        }
        let error = self.path_refusal(&reply, Verb::Rnto, to);
        Err(if reply.closes_session() { error.with_outcome_unknown() } else { error })
    }
}

pub(super) fn file_status(reply: &Reply) -> String {
    String::from_utf8_lossy(reply.first_line()).trim().to_owned()
}
