//! Whether a name is free, asked while an upload of our own is beside it: RNFR shows the difference
//! also where nothing may be listed.

use super::existence::{Presence, hidden, undecided};
use super::session::Session;
use super::size::SizeAnswer;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::reply::Reply;
use crate::protocol::verb::Verb;

impl Session {
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
        let listed = self.list_parent(candidate, &mut |entry| {
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
            self.leave_renaming()?;
            return Ok(None);
        }
        self.ignore_refusal(&reply, Verb::Rnfr, path)?;
        Ok(Some(reply))
    }

    /// Goes on after an RNFR that no RNTO follows. ProFTPD takes nothing but RNTO then, not even QUIT:
    /// another session goes on. Whether a server is like that is asked once for a connection.
    fn leave_renaming(&mut self) -> Result<(), Failure> {
        let insists = match self.shared.server.insists_on_rnto() {
            Some(insists) => insists,
            None => {
                let insists = self.command(Verb::Noop)?.is_out_of_sequence();
                self.shared.server.note_insists_on_rnto(insists);
                insists
            }
        };
        if insists {
            log::info!("the server wants the renaming to be finished: another session goes on");
            self.renew(self.transfer_limit())?;
        }
        Ok(())
    }
}
