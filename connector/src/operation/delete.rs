//! Delete: one file by its ID. A missing file is an error.

use host_sdk::InputDocument;

use super::path_of_id;
use super::run::Run;
use crate::failure::Failure;

/// Answers one input.
pub(super) fn answer(run: &mut Run, input: &mut dyn InputDocument) -> Result<(), Failure> {
    let path = path_of_id(run, input)?;
    run.delete_named(&path)
}
