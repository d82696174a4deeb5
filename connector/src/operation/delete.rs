//! Delete: one file by its ID. A missing file is an error.

use host_sdk::{Error, InputDocument};

use super::path_of_id;
use super::run::Run;

/// Answers one input.
pub(super) fn answer(run: &mut Run, input: &mut dyn InputDocument) -> Result<(), Error> {
    let path = path_of_id(run, input)?;
    run.delete_named(&path)
}
