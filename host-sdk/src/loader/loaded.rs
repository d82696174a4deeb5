//! Loads a connector, which then works as any other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::library::Library;
use super::load_error::LoadError;
use crate::abi::context_export;
use crate::abi::guard::record_panic_locations;
use crate::abi::import::ImportedConnector;
use crate::connector::{Connection, Connector};
use crate::descriptor::connector::ConnectorDescriptor;
use crate::error::Error;
use crate::host::context::Context;
use crate::host::services::HostServices;
use crate::manifest::Manifest;

/// A connector of a library, which is a [`Connector`] as any other.
pub struct LoadedConnector {
    manifest: Manifest,
    path: PathBuf,
    connector: ImportedConnector,
}

impl LoadedConnector {
    /// Has `library`, opened from `path`, make a connector that uses `services`.
    pub(super) fn create(
        library: Library,
        path: &Path,
        services: Arc<dyn HostServices>,
    ) -> Result<Self, LoadError> {
        record_panic_locations(false);
        let (manifest, module) = library.into_parts();
        let connector = ImportedConnector::create(module, context_export::services(services))
            .map_err(|error| LoadError::CreateFailed { path: path.to_owned(), error })?;
        Ok(Self { manifest, path: path.to_owned(), connector })
    }

    /// What the library says of itself.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The library's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl std::fmt::Debug for LoadedConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LoadedConnector")
            .field("manifest", &self.manifest)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Connector for LoadedConnector {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        self.connector.descriptor()
    }

    fn connect(&self, settings: &Value, context: Context) -> Result<Arc<dyn Connection>, Error> {
        self.connector.connect(settings, context)
    }
}

/// Loads the connector in the library at `path`; blocks for about a millisecond.
///
/// The first call puts a panic hook before the program's own, and calls that one too: it
/// remembers where a callback of the host panicked, for the error that the connector gets.
///
/// # Errors
///
/// A [`LoadError`] for every reason to refuse it. The host continues after each of them.
pub fn load(path: &Path, services: Arc<dyn HostServices>) -> Result<LoadedConnector, LoadError> {
    LoadedConnector::create(Library::open(path)?, path, services)
}
