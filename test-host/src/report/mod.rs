//! What a run reports: its events, as lines of JSON or as brief text.

pub mod events;
mod identity;
mod json_lines;
mod line_queue;
mod output;
pub(crate) mod progress;
mod quoted_json;
mod reporter;
mod text;

pub use identity::RunIdentity;
pub use json_lines::JsonLines;
pub use quoted_json::QuotedJson;
pub(crate) use reporter::LogForwarder;
pub use reporter::{LogCounts, Reporter, Verbosity};
pub use text::Text;
