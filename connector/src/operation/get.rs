//! Get: one file by its ID. A missing file is an empty success.

use host_sdk::{Error, ErrorKind, InputDocument, Properties};

use super::fetch::{RemoteFile, deliver};
use super::path_of_id;
use super::run::Run;
use crate::config::GetSettings;
use crate::descriptor::property;

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
    let mut properties = Properties::new()
        .with(property::FILE_NAME, path.file_name())
        .with(property::REMOTE_DIRECTORY, path.parent().as_str());
    if settings.all_metadata
        && let Some(modified) = run.repeat(|session| session.modified(&path))?
    {
        properties.insert(property::TIMESTAMP, modified.text(&run.session()?.settings().zone));
    }
    let file = RemoteFile { path, size, properties };
    match deliver(run, input.id(), &file, &settings.reading) {
        Err(e) if e.kind() == ErrorKind::NotFound => {
            log::debug!("{} does not exist: an empty success", file.path);
            Ok(())
        }
        other => other,
    }
}
