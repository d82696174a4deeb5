//! Get: one file by its ID. A missing file is an empty success.

use host_sdk::{Error, ErrorKind, InputDocument, Properties};

use super::fetch::{RemoteFile, deliver};
use super::{Run, path_of_id};
use crate::config::GetSettings;
use crate::descriptor::property;

/// Answers one input.
pub(super) fn answer(
    run: &mut Run,
    settings: &GetSettings,
    input: &mut dyn InputDocument,
) -> Result<(), Error> {
    let path = path_of_id(run, input)?;
    let session = run.session()?;
    let size = match session.size(&path) {
        Ok(size) => size,
        Err(e) if e.kind() == ErrorKind::NotFound => {
            // SIZE is refused for other reasons as well: only a look settles it.
            if !session.exists(&path)? {
                log::debug!("{path} does not exist: an empty success");
                return Ok(());
            }
            None
        }
        Err(e) => return Err(e),
    };
    let mut properties = Properties::new()
        .with(property::FILE_NAME, path.file_name())
        .with(property::REMOTE_DIRECTORY, path.parent().as_str());
    if settings.all_metadata
        && let Some(modified) = session.modified(&path)?
    {
        properties.insert(property::TIMESTAMP, modified.text(&session.settings().zone));
    }
    let file = RemoteFile { path, size, properties };
    deliver(run, input.id(), &file, settings.format, &settings.after)
}
