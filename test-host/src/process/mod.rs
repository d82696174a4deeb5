//! Processes: the file, its checks, and its run.

mod durability;
#[cfg(test)]
mod durability_tests;
#[cfg(test)]
mod failure_tests;
mod fields;
pub mod model;
mod parse;
#[cfg(test)]
mod refused_tests;
// Elsewhere nothing is kept for a later run.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod resume_tests;
mod run;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod scripted;
pub mod template;
mod validate;

pub use model::Process;
pub use run::RunOutcome;
pub(crate) use validate::Outside;
pub use validate::{Prepared, Refusal};
