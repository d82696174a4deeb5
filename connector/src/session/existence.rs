//! Whether something of a name is there. A refusal proves nothing: absence is proven by a complete
//! listing that does not hold the name, or by a reply about that very name whose words say so.

use super::commands::file_status;
use super::session::Session;
use crate::config::TransferFormat;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::file::time::modified::Modified;
use crate::listing::Entry;
use crate::protocol::reply::{Repeated, Reply};
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
    pub(crate) fn known(self) -> Result<bool, Failure> {
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
        self.presence(path)?.known()
    }

    /// Whether `candidate` is taken, asked while `own` is there. An RNFR that is refused for the one
    /// and accepted for the other shows the difference, also where nothing may be listed; one that is
    /// refused for a name that nobody has shows how this server says so. No RNTO follows, so nothing
    /// is renamed.
    ///
    /// # Errors
    ///
    /// As [`Session::presence`].
    pub(crate) fn presence_beside(
        &mut self,
        candidate: &RemotePath,
        own: &RemotePath,
    ) -> Result<Presence, Failure> {
        match self.ask_size(candidate)? {
            SizeAnswer::Bytes(_) => return Ok(Presence::Present),
            SizeAnswer::Missing(_) => return Ok(Presence::Absent),
            SizeAnswer::Denied | SizeAnswer::Unanswered => {}
        }
        if self.features.mlst
            && let Some(presence) = self.ask_facts(candidate)?
        {
            return Ok(presence);
        }
        let nobodys = candidate.unique_sibling("none")?;
        let Some(refusal) = self.ask_source(candidate)? else {
            // Some servers look only at RNTO, and accept any name.
            if self.ask_source(&nobodys)?.is_some() {
                return Ok(Presence::Present);
            }
            return self.is_listed_beside(candidate, own);
        };
        if self.says_missing(&refusal, candidate) {
            return Ok(Presence::Absent);
        }
        // The rights of another directory say nothing about this one.
        if refusal.is_permanent_refusal()
            && own.parent() == candidate.parent()
            && self.refuses_as_missing(candidate, &refusal, &nobodys)?
            && self.ask_source(own)?.is_none()
        {
            return Ok(Presence::Absent);
        }
        self.is_listed_beside(candidate, own)
    }

    /// Whether RNFR of `candidate` was refused as it is for `nobodys`, a name that is not there: for
    /// no reason that the server names, or in the same words.
    fn refuses_as_missing(
        &mut self,
        candidate: &RemotePath,
        refusal: &Reply,
        nobodys: &RemotePath,
    ) -> Result<bool, Failure> {
        if refusal.refuses_without_reason(self.repeated(candidate)) {
            return Ok(true);
        }
        let missing = self.ask_source(nobodys)?;
        Ok(missing.is_some_and(|missing| {
            refusal.says_the_same(self.repeated(candidate), &missing, self.repeated(nobodys))
        }))
    }

    /// As [`Session::is_listed`], where `own` is known to be there. A listing that does not show it
    /// hides more than that: names with a dot, or in another encoding.
    fn is_listed_beside(
        &mut self,
        candidate: &RemotePath,
        own: &RemotePath,
    ) -> Result<Presence, Failure> {
        let is_beside = own.parent() == candidate.parent();
        let mut shows_own = false;
        let mut is_similar = false;
        let listed = self.list_strict(&candidate.parent(), &mut |entry| {
            shows_own |= entry.name == own.file_name();
            // Some servers take names that differ in case for the same one.
            is_similar |= entry.name.to_lowercase() == candidate.file_name().to_lowercase();
            Ok(true)
        });
        match listed {
            Ok(()) if is_similar => Ok(Presence::Present),
            Ok(()) if shows_own || (!is_beside && !candidate.file_name().starts_with('.')) => {
                Ok(Presence::Absent)
            }
            Ok(()) => Ok(Presence::Unknown(undecided(candidate, &hidden(own)))),
            Err(e) => self.undecided_by(candidate, e),
        }
    }

    /// Names `path` as the source of a renaming (RNFR); `None` where the server accepts it.
    fn ask_source(&mut self, path: &RemotePath) -> Result<Option<Reply>, Failure> {
        let reply = self.path_command(Verb::Rnfr, path)?;
        if reply.is_pending() {
            self.is_renaming = true;
            return Ok(None);
        }
        self.ignore_refusal(&reply, Verb::Rnfr, path)?;
        Ok(Some(reply))
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
            Ok(None) => Ok(Presence::Absent),
            Err(e) => self.undecided_by(path, e),
        }
    }

    /// What a failed listing says about `path`.
    fn undecided_by(&mut self, path: &RemotePath, error: Failure) -> Result<Presence, Failure> {
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
    fn ask_facts(&mut self, path: &RemotePath) -> Result<Option<Presence>, Failure> {
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

    /// Whether a refusal says about `path` itself that nothing is there.
    pub(super) fn says_missing(&self, reply: &Reply, path: &RemotePath) -> bool {
        reply.says_missing(self.repeated(path))
    }

    fn repeated<'p>(&self, path: &'p RemotePath) -> Repeated<'p> {
        Repeated { path: path.as_str(), encoding: self.shared.settings.encoding }
    }

    /// The entry `path` as a new listing of its directory shows it; `None` where the listing is
    /// whole and does not hold it.
    ///
    /// # Errors
    ///
    /// As [`Session::list_strict`].
    pub(crate) fn listed_entry(&mut self, path: &RemotePath) -> Result<Option<Entry>, Failure> {
        let mut found = None;
        self.list_strict(&path.parent(), &mut |entry| {
            if entry.name == path.file_name() {
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

fn nothing_there(path: &RemotePath) -> Failure {
    Failure::new(Cause::Missing, format!("{path} does not exist")).with_path(path)
}

/// The reason why a listing decides nothing: it may leave out names like `path`.
fn hidden(path: &RemotePath) -> Failure {
    let message = format!("the server does not list names like {}", path.file_name());
    Failure::new(Cause::Denied, message)
}

fn undecided(path: &RemotePath, refusal: &Failure) -> Failure {
    Failure::new(
        Cause::Denied,
        format!("whether {path} exists cannot be found out: {}", refusal.message()),
    )
    .with_path(path)
    .with_hint("give the user the right to list the directory, or to ask for sizes (SIZE, MLST)")
}
