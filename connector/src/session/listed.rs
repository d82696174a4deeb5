//! What a listing has shown: whether it is still there, which directory it is, and its size.

use super::existence::leaves_open;
use super::session::Session;
use super::size::SizeAnswer;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::listing::Kind;
use crate::listing::formats::mlsd::parse_mlst;
use crate::protocol::verb::{Command, Verb};

impl Session {
    /// Enters `directory`, which a listing has shown. A refusal in whatever words proves nothing: it
    /// is gone only where a new listing does not show it.
    ///
    /// # Errors
    ///
    /// `notFound` where it is gone; `permission`; what a command can fail with.
    pub(crate) fn enter_listed(&mut self, directory: &RemotePath) -> Result<(), Failure> {
        let Some(reply) = self.enter(directory)? else { return Ok(()) };
        let error = self.path_refusal(&reply, Verb::Cwd, directory);
        self.ignore_refusal(&reply, Verb::Cwd, directory)?;
        if reply.may_mean_missing() && !self.is_still_listed(directory)? {
            return Err(error.into_missing());
        }
        Err(error)
    }

    /// Whether `path`, which a listing has shown, is still there: SIZE, then a new listing. MLST is
    /// not asked: a server that does not find what it lists says so of it in every answer. What
    /// cannot be told counts as yes.
    ///
    /// # Errors
    ///
    /// What a command or a data connection can fail with.
    pub(crate) fn is_still_there(&mut self, path: &RemotePath) -> Result<bool, Failure> {
        match self.ask_size(path)? {
            SizeAnswer::Bytes(_) => Ok(true),
            _ => self.is_still_listed(path),
        }
    }

    /// As [`Session::is_still_there`], by a listing alone.
    fn is_still_listed(&mut self, path: &RemotePath) -> Result<bool, Failure> {
        match self.listed_entry(path) {
            Ok(entry) => Ok(entry.is_some()),
            Err(e) if e.is(Cause::Missing) => {
                let parent = path.parent();
                Ok(!parent.is_top() && self.is_still_listed(&parent)?)
            }
            Err(e) if leaves_open(&e) && self.is_usable() => Ok(true),
            Err(e) => Err(e),
        }
    }

    /// The size in bytes of the file `path` as MLST states it, else a listing of its directory;
    /// `None` where neither does.
    ///
    /// # Errors
    ///
    /// What a command or a data connection can fail with.
    pub(crate) fn size_shown(&mut self, path: &RemotePath) -> Result<Option<u64>, Failure> {
        if self.features.mlst
            && let Some(size) = self.facts(path)?.and_then(|entry| entry.size)
        {
            return Ok(Some(size));
        }
        match self.listed_entry(path) {
            // The size of a link is mostly its own.
            Ok(entry) => Ok(entry.filter(|it| it.kind == Kind::RegularFile).and_then(|it| it.size)),
            Err(e) if (e.is(Cause::Missing) || leaves_open(&e)) && self.is_usable() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Turns the fact `unique` on in MLSD, where the server offers it and leaves it out: it tells
    /// one directory from another, whatever links lead there.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn ask_for_unique(&mut self) -> Result<(), Failure> {
        if !self.lists_with_facts() || self.features.type_is_off {
            return Ok(());
        }
        let Some(facts) = self.features.facts_with_unique.take() else { return Ok(()) };
        let reply = self.command(Command::new(Verb::Opts, format!("MLST {facts}")))?;
        self.ignore_refusal(&reply, Verb::Opts, &RemotePath::root())
    }

    /// What the server knows `directory` by (MLST, fact `unique`); `None` where it does not tell.
    ///
    /// # Errors
    ///
    /// What a command can fail with.
    pub(crate) fn unique_of(
        &mut self,
        directory: &RemotePath,
    ) -> Result<Option<Box<str>>, Failure> {
        if !self.features.mlst {
            return Ok(None);
        }
        let reply = self.path_command(Verb::Mlst, directory)?;
        if !reply.is_done() {
            return self.ignore_refusal(&reply, Verb::Mlst, directory).map(|()| None);
        }
        let entry = reply.inner_lines().find_map(parse_mlst);
        Ok(entry.and_then(|entry| entry.decode(self.shared.settings.encoding).unique))
    }
}
