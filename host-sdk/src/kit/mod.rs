//! What authors of connectors and of hosts need again and again: cancellation, deadlines, retries,
//! text that is safe to print.

mod backoff;
mod cancel;
mod deadline;
pub mod lossless;
pub mod quantity;
mod random;
pub mod shortage;
pub mod text;
mod wildcard;

pub use backoff::{Backoff, RETRY_TARGET, RetryPolicy};
pub use cancel::{CancelToken, Registration, TimeoutGuard};
pub use deadline::Deadline;
pub use random::random_suffix;
pub use wildcard::Wildcard;
