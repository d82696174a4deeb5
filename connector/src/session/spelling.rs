//! How a server spells paths, as far as its answers have shown.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

/// What was learnt about a server's paths.
#[derive(Default)]
pub(crate) struct Spelling {
    /// Whether a directory is spelled with a slash at its end, by a person or by PWD.
    ends_in_slash: AtomicBool,
    /// Whether a path outside of the working directory was accepted.
    takes_full_paths: AtomicBool,
    /// Whether the way back to the directory after login is known.
    way_to_login: AtomicU8,
}

/// What the text of PWD after login is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LoginName {
    /// Nothing has shown it yet.
    Untried,
    /// Paths that begin with it lead where they should.
    Full,
    /// It leads back to the directory after login, and paths that begin with it lead nowhere.
    Alone,
    /// It leads nowhere, such as a path outside of the user's own tree.
    Useless,
}

impl Spelling {
    /// Notes that a directory is spelled with a slash at its end.
    pub(super) fn note_slash(&self) {
        self.ends_in_slash.store(true, Ordering::Relaxed);
    }

    /// Whether directories are spelled with a slash at their ends.
    pub(super) fn ends_in_slash(&self) -> bool {
        self.ends_in_slash.load(Ordering::Relaxed)
    }

    /// Notes that a path outside of the working directory was accepted.
    pub(super) fn note_full_path(&self) {
        self.takes_full_paths.store(true, Ordering::Relaxed);
    }

    /// Whether a path outside of the working directory was accepted before.
    pub(super) fn takes_full_paths(&self) -> bool {
        self.takes_full_paths.load(Ordering::Relaxed)
    }

    /// Notes what the text of PWD after login is good for.
    pub(super) fn note_login_name(&self, name: LoginName) {
        self.way_to_login.store(name as u8, Ordering::Relaxed);
    }

    /// What the text of PWD after login is good for.
    pub(super) fn login_name(&self) -> LoginName {
        let known = [LoginName::Full, LoginName::Alone, LoginName::Useless];
        let noted = self.way_to_login.load(Ordering::Relaxed);
        known.into_iter().find(|name| *name as u8 == noted).unwrap_or(LoginName::Untried)
    }
}
