//! Refusals about a path: their errors, and whether they say that nothing is there.

use super::session::Session;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::protocol::refusal::Phase;
use crate::protocol::reply::{Repeated, Reply};
use crate::protocol::verb::Verb;

impl Session {
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

    /// Whether a refusal says about `path` itself that nothing is there.
    pub(super) fn says_missing(&self, reply: &Reply, path: &RemotePath) -> bool {
        reply.says_missing(self.repeated(path))
    }

    pub(super) fn repeated<'p>(&self, path: &'p RemotePath) -> Repeated<'p> {
        Repeated { path: path.as_str(), encoding: self.shared.settings.encoding }
    }
}
