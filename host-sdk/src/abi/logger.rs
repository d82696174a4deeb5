//! The connector's side: its `log` records go to the host.
//!
//! A library has `log` statics of its own, so the host's logger is not seen from here.

use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use abi_stable::std_types::RStr;
use log::{Level, LevelFilter, Log, Metadata, Record};

use crate::host::services::ExecutionScope;
use connector_interface::types::{HostServicesObject, LogRecord};

static FORWARDER: OnceLock<Forwarder> = OnceLock::new();

/// This crate, in the paths of modules.
const THIS_CRATE: &str = "host_sdk";

struct Forwarder {
    services: RwLock<Arc<HostServicesObject>>,
    silence: &'static [&'static str],
    /// The crate whose words the records are; those of its dependencies are only of use to debug.
    own_crate: &'static str,
}

/// Sends the library's records to `services` from now on, except those of the targets in
/// `silence` and below them. What other crates than `own_module`'s and this one log comes at the
/// level debug at most: it is no error, warning or news of the connector's.
///
/// A library has one logger: where a program makes several connectors of one library, the last
/// one's services take all records.
pub(super) fn forward(
    services: HostServicesObject,
    silence: &'static [&'static str],
    own_module: &'static str,
) {
    let level = match services.max_level() {
        0 => LevelFilter::Off,
        1 => LevelFilter::Error,
        2 => LevelFilter::Warn,
        3 => LevelFilter::Info,
        4 => LevelFilter::Debug,
        _ => LevelFilter::Trace,
    };
    let services = Arc::new(services);
    let forwarder = FORWARDER.get_or_init(|| Forwarder {
        services: RwLock::new(Arc::clone(&services)),
        silence,
        own_crate: crate_of(own_module),
    });
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
        let level = level_of(record, self.own_crate);
        if level > log::max_level() || self.is_silenced(record.target()) {
            return;
        }
        // Formatting may log again, and the host may take its time: neither under the lock.
        let message = record.args().to_string();
        let services = Arc::clone(&self.services.read().unwrap_or_else(PoisonError::into_inner));
        services.log(LogRecord {
            execution: ExecutionScope::current().into(),
            level: level as u8,
            line: record.line().unwrap_or(0),
            target: RStr::from_str(record.target()),
            file: RStr::from_str(record.file().unwrap_or_default()),
            message: RStr::from_str(&message),
        });
    }

    fn flush(&self) {}
}

/// The level that a record counts with.
fn level_of(record: &Record<'_>, own_crate: &str) -> Level {
    let origin = record.module_path().map(crate_of);
    let is_own = origin.is_none_or(|origin| [own_crate, THIS_CRATE].contains(&origin));
    if is_own { record.level() } else { record.level().max(Level::Debug) }
}

/// The crate of a module's path.
fn crate_of(module: &str) -> &str {
    module.split("::").next().unwrap_or(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dependency_logs_is_no_error_of_the_connector() {
        for (module, level, counts) in [
            (Some("kv_connector::store"), Level::Error, Level::Error),
            (Some("kv_connector"), Level::Info, Level::Info),
            (Some("host_sdk::kit"), Level::Warn, Level::Warn),
            (Some("rustls_platform_verifier::verification"), Level::Error, Level::Debug),
            (Some("rustls::conn"), Level::Trace, Level::Trace),
            (Some("kv_connector_other"), Level::Warn, Level::Debug),
            (None, Level::Warn, Level::Warn),
        ] {
            let record = Record::builder().module_path(module).level(level).build();
            assert_eq!(level_of(&record, "kv_connector"), counts, "{module:?}");
        }
    }
}
