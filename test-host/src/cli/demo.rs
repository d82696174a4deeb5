//! `demo`: placeholder.
use clap::Args;

use super::{Failure, Options};
use crate::exit_code::ExitCode;

#[derive(Debug, Args)]
pub(super) struct DemoArguments {}

pub(super) fn demo(_: &DemoArguments, _: &Options) -> Result<ExitCode, Failure> {
    Ok(ExitCode::Success)
}
