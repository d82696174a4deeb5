//! What the sessions of a connection learn about their server, for those that come after them.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use super::spelling::Spelling;
use crate::config::ConnectionSettings;
use crate::file::path::RemotePath;
use crate::file::temporary_name::TemporaryName;
use crate::file::time::zone::ServerTimeZone;
use crate::transport::tls::factory::TlsFactory;

/// How long a directory that was looked through for leftovers is left alone.
const SWEEP_INTERVAL: Duration = Duration::from_secs(24 * 60 * 60);

/// How many directories are remembered for that; no others are looked through.
const MAXIMUM_SWEPT: usize = 64;

/// The longest name, in bytes, that every server is taken to keep as it is.
const COMMON_NAME: usize = 32;

/// What was learnt of the server, for the next session.
#[derive(Default)]
pub(crate) struct ServerBehaviour {
    /// Whether sessions begin with TLS 1.2, because with TLS 1.3 the tickets run out.
    pub(super) prefer_tls_12: AtomicBool,
    /// Whether the server refused a data connection that did not resume the TLS session.
    pub(super) wants_reuse: AtomicBool,
    /// Whether EPSV was refused or led nowhere while PASV worked.
    pub(super) prefer_pasv: AtomicBool,
    /// Whether directories cannot be made or not be removed, so that no name can be locked.
    forbids_locks: AtomicBool,
    /// Whether a directory was removed.
    can_unlock: AtomicBool,
    /// Whether nothing but RNTO is accepted after RNFR, once that is known.
    insists_on_rnto: OnceLock<bool>,
    /// Whether MKD of a directory that exists was refused.
    makes_once: AtomicBool,
    /// How long a name is, in bytes, that the server is known not to shorten, beyond
    /// [`COMMON_NAME`].
    kept_name: AtomicUsize,
    /// Whether the server has not answered a command that was sent before its turn.
    forbids_ahead: AtomicBool,
    /// Whether the server hangs up when it is asked for a time (MDTM).
    hangs_up_on_times: AtomicBool,
    /// How it spells paths.
    pub(super) spelling: Spelling,
    /// The directories where the leftovers of killed uploads were looked for, and when.
    swept: Mutex<HashMap<RemotePath, Instant>>,
    /// The names that uploads of this process have until they are complete, beside the usual ones.
    temporary_names: Mutex<Vec<TemporaryName>>,
    /// Where uploads of this process are under way.
    uploads: Mutex<HashSet<RemotePath>>,
    /// The zone that listings are printed in, once it was measured; unknown for good where that
    /// failed.
    pub(super) zone: OnceLock<ServerTimeZone>,
}

impl ServerBehaviour {
    /// Whether names can be locked, as far as is known.
    pub(crate) fn may_lock(&self) -> bool {
        !self.forbids_locks.load(Ordering::Relaxed)
    }

    /// Notes that names cannot be locked; whether that is news.
    pub(crate) fn forbid_locks(&self) -> bool {
        !self.forbids_locks.swap(true, Ordering::Relaxed)
    }

    /// Whether a directory was removed before.
    pub(crate) fn can_unlock(&self) -> bool {
        self.can_unlock.load(Ordering::Relaxed)
    }

    /// Notes that a directory was removed.
    pub(crate) fn note_unlock(&self) {
        self.can_unlock.store(true, Ordering::Relaxed);
    }

    /// Whether nothing but RNTO is accepted after RNFR; `None` where that is not known yet.
    pub(super) fn insists_on_rnto(&self) -> Option<bool> {
        self.insists_on_rnto.get().copied()
    }

    /// Notes whether nothing but RNTO is accepted after RNFR.
    pub(super) fn note_insists_on_rnto(&self, insists: bool) {
        // Another session may have been faster, with the same result.
        let _ = self.insists_on_rnto.set(insists);
    }

    /// Whether MKD of a directory that exists was refused before.
    pub(crate) fn makes_once(&self) -> bool {
        self.makes_once.load(Ordering::Relaxed)
    }

    /// Notes that MKD of a directory that exists is refused.
    pub(crate) fn note_makes_once(&self) {
        self.makes_once.store(true, Ordering::Relaxed);
    }

    /// Whether a name of `length` bytes may be shortened, as far as is known.
    pub(crate) fn may_shorten(&self, length: usize) -> bool {
        length > COMMON_NAME.max(self.kept_name.load(Ordering::Relaxed))
    }

    /// Notes that a name of `length` bytes is kept.
    pub(crate) fn note_kept_name(&self, length: usize) {
        // One question for each 32 bytes: limits are powers of two.
        self.kept_name.fetch_max(length.next_multiple_of(32), Ordering::Relaxed);
    }

    /// Whether the server can be asked for times, as far as is known.
    pub(crate) fn may_ask_times(&self) -> bool {
        !self.hangs_up_on_times.load(Ordering::Relaxed)
    }

    /// Whether commands may be sent before the reply to the one before them has come.
    pub(super) fn may_send_ahead(&self) -> bool {
        !self.forbids_ahead.load(Ordering::Relaxed)
    }

    /// Notes that the server does not take that.
    pub(super) fn forbid_ahead(&self) {
        self.forbids_ahead.store(true, Ordering::Relaxed);
    }

    /// Notes that the server hangs up when it is asked for a time.
    pub(crate) fn forbid_times(&self) {
        self.hangs_up_on_times.store(true, Ordering::Relaxed);
    }

    /// Notes that uploads have names such as `name` until they are complete.
    pub(crate) fn note_temporary_name(&self, name: TemporaryName) {
        let mut known = self.temporary_names.lock().unwrap_or_else(PoisonError::into_inner);
        if !known.contains(&name) {
            known.push(name);
        }
    }

    /// The names that were noted.
    pub(crate) fn temporary_names(&self) -> Vec<TemporaryName> {
        self.temporary_names.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that an upload to `path` begins; whether no other one of this process is under way there.
    pub(crate) fn begin_upload(&self, path: &RemotePath) -> bool {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        uploads.insert(path.clone())
    }

    /// Notes that the upload to `path` is over.
    pub(crate) fn end_upload(&self, path: &RemotePath) {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// The paths to which uploads of this process are under way.
    pub(crate) fn uploads(&self) -> HashSet<RemotePath> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Notes that `directory` is looked through for leftovers; whether that is due, once a day.
    pub(crate) fn begin_sweep(&self, directory: &RemotePath) -> bool {
        let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
        swept.retain(|_, at| at.elapsed() < SWEEP_INTERVAL);
        if swept.len() >= MAXIMUM_SWEPT || swept.contains_key(directory) {
            return false;
        }
        swept.insert(directory.clone(), Instant::now());
        true
    }

    /// Has sessions begin with TLS 1.2 from now on; whether that is news.
    pub(super) fn prefer_tls_12(&self) -> bool {
        let news = !self.prefer_tls_12.swap(true, Ordering::Relaxed);
        if news {
            log::info!("the server gives too few TLS 1.3 tickets: using TLS 1.2 from now on");
        }
        news
    }
}

/// What all sessions of a connection share.
pub(crate) struct Shared {
    pub(crate) settings: ConnectionSettings,
    pub(crate) tls: Option<TlsFactory>,
    pub(crate) server: ServerBehaviour,
}
