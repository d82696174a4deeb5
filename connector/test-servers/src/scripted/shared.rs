//! What the connections of one scripted server have in common, and what is kept of each.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use rustls::ServerConfig;

use super::wire::Timeouts;

/// `endless` ends here, for a client that would take anything.
pub(super) const ENDLESS: usize = 256 << 20;

/// What the connections of one scripted server have in common.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) timeouts: Timeouts,
    pub(super) tls: Arc<ServerConfig>,
    /// With a certificate of another authority.
    pub(super) untrusted: Arc<ServerConfig>,
    pub(super) sent_control: Arc<AtomicUsize>,
    pub(super) sent_data: Arc<AtomicUsize>,
    pub(super) cut_control: Option<usize>,
    pub(super) cut_data: Option<usize>,
}

/// What happened on one control connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    pub(super) lines: Vec<String>,
    pub(super) commands: Vec<String>,
    /// The same commands, with whole paths where names count from the working directory.
    pub(super) whole: Vec<String>,
    pub(super) uploads: Vec<Vec<u8>>,
    pub(super) mismatch: Option<String>,
}

/// Why a conversation ends before its last line.
#[derive(Debug)]
pub(super) enum Stop {
    Mismatch(String),
    /// By the script's own `close`, `reset` or cut.
    AsWritten,
}

pub(super) fn mismatch<T>(words: impl Into<String>) -> Result<T, Stop> {
    Err(Stop::Mismatch(words.into()))
}
