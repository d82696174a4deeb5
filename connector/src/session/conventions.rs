//! How a server wants to be spoken to, as its sessions learn it: the next session begins with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long FEAT is left out where it failed: the network may have been to blame.
const FEAT_PAUSE: Duration = Duration::from_secs(60 * 60);

/// What was learnt of the conversation with a server.
#[derive(Debug, Default)]
pub(super) struct Conventions {
    /// The second of the two passive commands works, and the first leads nowhere.
    pub(super) second_passive_first: Habit,
    /// AUTH SSL is granted, and AUTH TLS is not.
    pub(super) auth_ssl: Habit,
    /// PROT is granted after the login, and refused before it.
    pub(super) protects_after_login: Habit,
    /// A reply that looked like a second one to the command before was the answer.
    pub(super) answers_once: Habit,
    /// The TLS handshake of a data connection is awaited before the transfer is announced.
    pub(super) hello_first: Habit,
    /// Directories are listed in the representation type A alone.
    pub(super) lists_in_ascii: Habit,
    /// Directories are listed in the representation type I.
    pub(super) lists_in_binary: Habit,
    /// LIST takes no option.
    pub(super) list_takes_no_option: Habit,
    /// A data connection is agreed on only for a transfer that PRET announces.
    pub(super) needs_pret: Habit,
    /// When FEAT failed.
    feat_failed: Mutex<Option<Instant>>,
}

/// Something that is so, once it was noticed.
#[derive(Debug, Default)]
pub(super) struct Habit(AtomicBool);

impl Habit {
    /// Whether it is so, as far as is known.
    pub(super) fn is_known(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes that it is so.
    pub(super) fn note(&self) {
        self.set(true);
    }

    /// Notes whether it is so.
    pub(super) fn set(&self, is_so: bool) {
        self.0.store(is_so, Ordering::Relaxed);
    }
}

impl Conventions {
    /// Whether FEAT is left out for now.
    pub(super) fn skips_feat(&self) -> bool {
        let failed = self.feat_failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_some_and(|at| at.elapsed() < FEAT_PAUSE)
    }

    /// Notes that FEAT failed.
    pub(super) fn note_feat_failed(&self) {
        let mut failed = self.feat_failed.lock().unwrap_or_else(PoisonError::into_inner);
        *failed = Some(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feat_is_left_out_once_it_failed() {
        let conventions = Conventions::default();
        assert!(!conventions.skips_feat());
        conventions.note_feat_failed();
        assert!(conventions.skips_feat());
    }
}
