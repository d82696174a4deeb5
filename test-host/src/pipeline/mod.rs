//! A process is prepared (connectors loaded, every setting checked), then run.

mod configure;
mod durability;
#[cfg(test)]
mod durability_tests;
#[cfg(test)]
mod failure_tests;
mod json_path;
mod literals;
mod prepare;
mod refusal;
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
mod settings_advice;
mod templates;

pub use prepare::{Examined, Prepared};
pub use refusal::Refusal;
pub use run::RunOutcome;
