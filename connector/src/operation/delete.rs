//! Delete: one file by its ID. A missing file is an error.

use host_sdk::InputDocument;

use super::execution::Execution;
use super::target::path_of_id;
use crate::failure::Failure;

/// Answers one input.
pub(super) fn answer(
    execution: &mut Execution,
    input: &mut dyn InputDocument,
) -> Result<(), Failure> {
    let path = path_of_id(execution, input)?;
    execution.delete_named(&path)
}
