//! A suite that any connector can run.
//!
//! [`run`] takes a connector, native or loaded, and a [`Profile`] of it: settings that work,
//! inputs, and what is expected of them. The [`Report`] names every promise it examined, kept,
//! broken or skipped:
//!
//! ```no_run
//! # fn example(connector: &dyn host_sdk::Connector) {
//! use host_sdk::conformance::{self, InputCase, OperationCase, Profile};
//! use host_sdk::Properties;
//! use serde_json::json;
//!
//! let echo = OperationCase::new("echo", json!({"operation": "echo"}))
//!     .input(InputCase::document(Properties::new(), "hello").gives_body("hello"));
//! let profile = Profile::new(json!({})).operation(echo);
//! conformance::run(connector, &profile).assert_passed(&[]);
//! # }
//! ```

mod configuring;
mod describing;
mod executing;
mod profile;
mod report;
mod suite;

pub use profile::{InputCase, OperationCase, Profile};
pub use report::{Check, Report, Verdict};
pub use suite::run;
