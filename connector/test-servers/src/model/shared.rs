//! What the sessions of a model server share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ServerConfig;

use super::world::World;

/// How often a thread looks whether the server is over.
pub(super) const POLL: Duration = Duration::from_millis(1);

/// What the sessions share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) world: Mutex<World>,
    /// TLS from the first byte, on data connections too.
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) over: AtomicBool,
}

impl Shared {
    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Acquire)
    }
}
