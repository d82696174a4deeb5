//! Get: one file by its ID. A missing file is an empty success.

use host_sdk::{Error, ErrorKind, InputDocument};

use super::fetch::{RemoteFile, deliver};
use super::path_of_id;
use super::run::Run;
use crate::config::GetSettings;

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &GetSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let path = path_of_id(run, input)?;
    let size = run.repeat(|session| match session.known_size(&path) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        size => size.map(Some),
    });
    let Some(size) = size? else {
        log::debug!("{path} does not exist: an empty success");
        return Ok(());
    };
    let mut modified = None;
    if settings.all_metadata {
        modified = run.repeat(|session| session.modified_and_zone(&path))?;
    }
    let file = RemoteFile::new(path, size, modified, run.session()?.zone());
    match deliver(run, input.id(), &file, &settings.reading) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            log::debug!("{} does not exist: an empty success", file.path);
            Ok(())
        }
        other => other,
    }
}
