//! Numbers that differ, for pauses and for names that must not meet.

use std::hash::{BuildHasher, Hasher, RandomState};

/// A number that differs in each call and in each process. It is not a secret: do not use it for
/// keys or passwords.
#[must_use]
pub fn random_suffix() -> u64 {
    RandomState::new().build_hasher().finish()
}
