//! Delete: one file by its ID. A missing file is an error.

use host_sdk::{Error, InputDocument};

use super::{Run, path_of_id};

/// Answers one input.
pub(super) fn answer(run: &mut Run, input: &mut dyn InputDocument) -> Result<(), Error> {
    let path = path_of_id(run, input)?;
    run.session()?.delete(&path)
}
