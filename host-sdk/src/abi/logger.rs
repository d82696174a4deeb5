//! The connector's side: its `log` records go to the host.
//!
//! A library has `log` statics of its own, so the host's logger is not seen from here.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use abi_stable::std_types::RStr;
use log::{LevelFilter, Log, Metadata, Record};

use crate::host::services::ExecutionScope;
use connector_interface::types::{HostServicesObject, LogRecord};

static FORWARDER: OnceLock<Forwarder> = OnceLock::new();

struct Forwarder {
    services: RwLock<Arc<HostServicesObject>>,
    silence: &'static [&'static str],
}

/// Sends the library's records to `services` from now on, except those of the targets in
/// `silence` and below them.
///
/// A library has one logger: where a program makes several connectors of one library, the last
/// one's services take all records.
pub(super) fn forward(services: HostServicesObject, silence: &'static [&'static str]) {
    let level = match services.max_level() {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    let services = Arc::new(services);
    let forwarder = FORWARDER
        .get_or_init(|| Forwarder { services: RwLock::new(Arc::clone(&services)), silence });
    *forwarder.services.write().unwrap_or_else(PoisonError::into_inner) = services;
    // Fails from the second time on, when the forwarder is the logger already.
    _ = log::set_logger(forwarder);
    log::set_max_level(level);
}

impl Forwarder {
    fn is_silenced(&self, target: &str) -> bool {
        self.silence.iter().any(|silenced| {
            target
                .strip_prefix(silenced)
                .is_some_and(|below| below.is_empty() || below.starts_with("::"))
        })
    }
}

impl Log for Forwarder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= log::max_level() && !self.is_silenced(metadata.target())
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Formatting may log again, and the host may take its time: neither under the lock.
        let message = record.args().to_string();
        let services = Arc::clone(&self.services.read().unwrap_or_else(PoisonError::into_inner));
        services.log(LogRecord {
            execution: ExecutionScope::current().into(),
            level: record.level() as u8,
            line: record.line().unwrap_or(0),
            target: RStr::from_str(record.target()),
            file: RStr::from_str(record.file().unwrap_or_default()),
            message: RStr::from_str(&message),
        });
    }

    fn flush(&self) {}
}
