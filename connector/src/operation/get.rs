//! Get: one file by its ID. A missing file is an empty success.

use host_sdk::InputDocument;

use super::execution::Execution;
use super::read::deliver::deliver;
use super::read::remote_file::RemoteFile;
use super::target::path_of_id;
use crate::config::GetSettings;
use crate::failure::{Cause, Failure};
use crate::file::path::RemotePath;
use crate::session::Session;

/// Answers one input.
pub(super) fn answer(
    execution: &mut Execution,
    settings: &GetSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Failure> {
    let path = path_of_id(execution, input)?;
    // Nothing but RETR decides whether there is a file to read: a server may refuse SIZE alone.
    let size = execution.repeat(|session| size_if_given(session, &path))?;
    let mut modified = None;
    if settings.all_metadata {
        modified = execution.repeat(|session| session.modified_and_zone(&path))?;
    }
    let file = RemoteFile {
        has_size_answer: size.is_some(),
        ..RemoteFile::new(path, size, modified, execution.session()?.zone())
    };
    match deliver(execution, input.id(), &file, &settings.reading) {
        Err(e) if e.is(Cause::Missing) => {
            log::info!("{} does not exist: there is nothing to get", file.path);
            Ok(())
        }
        other => other,
    }
}

/// The size of a file in bytes; `None` where the server does not say, for whatever reason.
fn size_if_given(session: &mut Session, path: &RemotePath) -> Result<Option<u64>, Failure> {
    match session.size(path) {
        Err(e) if e.is_answer() && session.is_usable() => Ok(None),
        other => other,
    }
}
