//! A process is prepared (connectors loaded, every setting checked), then run.

mod durability;
#[cfg(test)]
mod durability_tests;
#[cfg(test)]
mod failure_tests;
mod prepare;
#[cfg(test)]
mod refused_tests;
// On other systems nothing is kept for a later run.
#[cfg(test)]
#[cfg(target_os = "linux")]
mod resume_tests;
mod run;
#[cfg(test)]
mod run_tests;
#[cfg(test)]
mod scripted;

pub use prepare::{Prepared, Refusal};
pub use run::RunOutcome;
