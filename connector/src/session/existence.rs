//! Whether something of a name is there. A refusal proves nothing: absence is proven by a complete
//! listing that does not hold the name, or by a reply about that very name whose words say so.

use super::file::file_status;
use super::list::file::is_plain;
use super::list::list::EntrySink;
use super::session::Session;
use crate::config::TransferFormat;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::listing::Entry;
use crate::protocol::verb::Verb;

/// What is known about a name on the server.
#[derive(Debug)]
pub(crate) enum Presence {
    /// Something of that name is there.
    Present,
    /// Nothing of that name is there, and that is proven.
    Absent,
    /// The server refuses every question that would decide it; the error says so.
    Unknown(Failure),
}

impl Presence {
    /// Whether it is there.
    ///
    /// # Errors
    ///
    /// `permission` where that cannot be decided.
    pub(crate) fn decided(self) -> Result<bool, Failure> {
        match self {
            Self::Present => Ok(true),
            Self::Absent => Ok(false),
            Self::Unknown(error) => Err(error),
        }
    }
}

/// The answer to SIZE (RFC 3659 §4).
pub(crate) enum SizeAnswer {
    /// The size in bytes.
    Bytes(u64),
    /// Nothing of that name is there: the server says so.
    Missing(Failure),
    /// Refused with 550: missing, out of reach, or no file.
    Denied,
    /// Refused for another reason, or without a number.
    Unanswered,
}

impl Session {
    /// Asks for the size of a file in bytes.
    ///
    /// # Errors
    ///
    /// `unavailable` for a refusal that may pass (4yz); what a command can fail with.
    pub(crate) fn ask_size(&mut self, path: &RemotePath) -> Result<SizeAnswer, Failure> {
        self.set_format(TransferFormat::Binary)?;
        let reply = self.path_command(Verb::Size, path)?;
        if reply.is_file_status() {
            let size = file_status(&reply).parse();
            return Ok(size.map_or(SizeAnswer::Unanswered, SizeAnswer::Bytes));
        }
        let error = self.path_refusal(&reply, Verb::Size, path);
        if reply.closes_session()
            || (reply.is_transient_refusal() && !self.says_missing(&reply, path))
        {
            return Err(error);
        }
        self.ignore_refusal(&reply, Verb::Size, path)?;
        Ok(if self.says_missing(&reply, path) {
            SizeAnswer::Missing(error.into_missing())
        } else if reply.denies_file() {
            SizeAnswer::Denied
        } else {
            SizeAnswer::Unanswered
        })
    }

    /// The size of a file in bytes; `None` where the server does not say.
    ///
    /// # Errors
    ///
    /// `notFound` where the server says that nothing of that name is there; as
    /// [`Session::ask_size`].
    pub(crate) fn size(&mut self, path: &RemotePath) -> Result<Option<u64>, Failure> {
        match self.ask_size(path)? {
            SizeAnswer::Bytes(size) => Ok(Some(size)),
            SizeAnswer::Missing(error) => Err(error),
            SizeAnswer::Denied | SizeAnswer::Unanswered => Ok(None),
        }
    }

    /// As [`Session::size`], but a 550 is looked into: servers refuse SIZE with it also for files
    /// that are there.
    ///
    /// # Errors
    ///
    /// `notFound` where the absence is proven; as [`Session::size`].
    pub(crate) fn size_or_missing(&mut self, path: &RemotePath) -> Result<Option<u64>, Failure> {
        match self.ask_size(path)? {
            SizeAnswer::Bytes(size) => Ok(Some(size)),
            SizeAnswer::Missing(error) => Err(error),
            SizeAnswer::Unanswered => Ok(None),
            SizeAnswer::Denied => match self.is_listed(path)? {
                Presence::Absent => Err(nothing_there(path)),
                Presence::Present | Presence::Unknown(_) => Ok(None),
            },
        }
    }

    /// What the server states of a file's size, by whatever means: SIZE, MLST, or LIST of that file.
    ///
    /// # Errors
    ///
    /// As [`Session::ask_size`]; what a data connection can fail with.
    pub(crate) fn stated_size(&mut self, path: &RemotePath) -> Result<SizeAnswer, Failure> {
        let answer = self.ask_size(path)?;
        if matches!(answer, SizeAnswer::Bytes(_) | SizeAnswer::Missing(_)) {
            return Ok(answer);
        }
        Ok(self.listed_size(path)?.map_or(answer, SizeAnswer::Bytes))
    }

    /// The size that MLST states, or LIST of that file.
    ///
    /// # Errors
    ///
    /// What a command or a data connection can fail with.
    pub(crate) fn listed_size(&mut self, path: &RemotePath) -> Result<Option<u64>, Failure> {
        let entry = if self.features.mlst {
            self.facts(path)?
        } else if is_plain(path.file_name()) {
            match self.list_file(&path.parent(), path.file_name()) {
                Err(e) if e.is_answer() && self.is_usable() => None,
                other => other?,
            }
        } else {
            None
        };
        Ok(entry.filter(|entry| entry.rounded_size.is_none()).and_then(|entry| entry.size))
    }

    /// Whether something of this name is there: SIZE, MLST, then a listing of its directory.
    ///
    /// # Errors
    ///
    /// What a command or a data connection can fail with.
    pub(crate) fn presence(&mut self, path: &RemotePath) -> Result<Presence, Failure> {
        match self.ask_size(path)? {
            SizeAnswer::Bytes(_) => Ok(Presence::Present),
            SizeAnswer::Missing(_) => Ok(Presence::Absent),
            SizeAnswer::Denied | SizeAnswer::Unanswered => self.is_listed(path),
        }
    }

    /// Whether something of this name is there.
    ///
    /// # Errors
    ///
    /// `permission` where that cannot be decided; as [`Session::presence`].
    pub(crate) fn exists(&mut self, path: &RemotePath) -> Result<bool, Failure> {
        self.presence(path)?.decided()
    }

    /// Whether something of this name is listed: MLST where the server has it, else a listing of
    /// the directory.
    ///
    /// # Errors
    ///
    /// What a command or a data connection can fail with.
    pub(crate) fn is_listed(&mut self, path: &RemotePath) -> Result<Presence, Failure> {
        if self.features.mlst
            && let Some(presence) = self.ask_facts(path)?
        {
            return Ok(presence);
        }
        match self.listed_entry(path) {
            Ok(Some(_)) => Ok(Presence::Present),
            Ok(None) if path.file_name().starts_with('.') && !self.lists_with_facts() => {
                // LIST leaves such names out on most servers.
                Ok(Presence::Unknown(undecided(path, &hidden(path))))
            }
            Ok(None) if path.is_own() && holds_signs(path.file_name()) => {
                Ok(Presence::Unknown(undecided(path, &hidden(path))))
            }
            Ok(None) => Ok(Presence::Absent),
            Err(e) => self.undecided_by(path, e),
        }
    }

    /// What a failed listing says about `path`.
    pub(super) fn undecided_by(
        &mut self,
        path: &RemotePath,
        error: Failure,
    ) -> Result<Presence, Failure> {
        match error.cause() {
            // The directory itself is missing.
            Cause::Missing => Ok(Presence::Absent),
            _ if leaves_open(&error) && self.is_usable() => {
                Ok(Presence::Unknown(undecided(path, &error)))
            }
            _ => Err(error),
        }
    }

    /// What MLST says (RFC 3659 §7); `None` where it decides nothing.
    pub(super) fn ask_facts(&mut self, path: &RemotePath) -> Result<Option<Presence>, Failure> {
        let reply = self.path_command(Verb::Mlst, path)?;
        if reply.is_done() {
            return Ok(Some(Presence::Present));
        }
        self.ignore_refusal(&reply, Verb::Mlst, path)?;
        Ok(self.says_missing(&reply, path).then_some(Presence::Absent))
    }

    /// When the entry `path` was last modified, as a listing of its directory states.
    ///
    /// # Errors
    ///
    /// As [`Session::list`].
    pub(crate) fn entry_modified(
        &mut self,
        path: &RemotePath,
    ) -> Result<Option<Modified>, Failure> {
        Ok(self.listed_entry(path)?.and_then(|entry| entry.modified))
    }

    /// Lists the directory of `path`, all of it or nothing.
    ///
    /// # Errors
    ///
    /// `notFound` where that directory is missing; as [`Session::list_strict`].
    pub(super) fn list_parent(
        &mut self,
        path: &RemotePath,
        each: &mut EntrySink<'_>,
    ) -> Result<(), Failure> {
        let directory = path.parent();
        match self.list_strict(&directory, each) {
            Err(e) => Err(self.explained_directory(&directory, e)?),
            listed => listed,
        }
    }

    /// The failure of a directory that was not entered (CWD): it is missing where its parent's listing
    /// proves it.
    ///
    /// # Errors
    ///
    /// What a command or a data connection can fail with.
    pub(crate) fn explained_directory(
        &mut self,
        directory: &RemotePath,
        failure: Failure,
    ) -> Result<Failure, Failure> {
        let is_open = failure.is_refusal_of(Verb::Cwd)
            && matches!(failure.cause(), Cause::Denied | Cause::Unavailable)
            && !directory.is_top()
            && self.is_usable();
        if is_open && matches!(self.is_listed(directory)?, Presence::Absent) {
            return Ok(failure.into_missing());
        }
        Ok(failure)
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

    /// The entry `path` as a new listing of its directory shows it; `None` where the listing is
    /// whole and does not hold it.
    ///
    /// # Errors
    ///
    /// As [`Session::list_strict`].
    pub(crate) fn listed_entry(&mut self, path: &RemotePath) -> Result<Option<Entry>, Failure> {
        let mut found = None;
        let name = path.file_name();
        // Servers with words of their own for paths tell no case apart.
        let is_same = |listed: &str| match path.is_own() {
            true => listed.eq_ignore_ascii_case(name),
            false => listed == name,
        };
        self.list_parent(path, &mut |entry| {
            if is_same(&entry.name) {
                found = Some(entry);
            }
            // To the end: a lone look is not worth a listing that is cut.
            Ok(true)
        })?;
        Ok(found)
    }
}

/// Whether a failed listing leaves the question open: it is refused, or not all of it can be read.
pub(super) fn leaves_open(error: &Failure) -> bool {
    let is_refusal = error.is_answer()
        && matches!(
            error.cause(),
            Cause::Denied | Cause::Unavailable | Cause::Unsupported | Cause::Nonsense
        );
    is_refusal || error.is(Cause::Unproven)
}

/// Whether `name` may be more than a name to a server with words of its own for paths, so that no
/// listing shows it in this form: a whole path, a member, a version.
fn holds_signs(name: &str) -> bool {
    name.contains(['\'', '"', '(', ')', '[', ']', '<', '>', ';', ':', '\\', '/'])
}

fn nothing_there(path: &RemotePath) -> Failure {
    Failure::new(Cause::Missing, format!("{path} does not exist")).with_path(path)
}

/// The reason why a listing decides nothing: it may leave out names like `path`.
pub(super) fn hidden(path: &RemotePath) -> Failure {
    let message = format!("the server does not list names like {}", path.file_name());
    Failure::new(Cause::Denied, message)
}

pub(super) fn undecided(path: &RemotePath, refusal: &Failure) -> Failure {
    Failure::new(
        Cause::Denied,
        format!("whether {path} exists cannot be found out: {}", refusal.message()),
    )
    .with_path(path)
    .with_hint("give the user the right to list the directory, or to ask for sizes (SIZE, MLST)")
}
