//! The connectors that a process may name.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use host_sdk::{Connector, HostServices, LoadError, LoadedConnector, SearchPath};

use crate::locks::lock;

/// The environment variable with the directories of connectors, in the form of `PATH`.
pub const PATH_VARIABLE: &str = "CONNECTOR_PATH";

/// Loads each connector once, by id.
pub struct Connectors {
    path: SearchPath,
    services: Arc<dyn HostServices>,
    loaded: Mutex<BTreeMap<String, Arc<dyn Connector>>>,
}

impl Connectors {
    /// Searches `path`. Connectors get `services`.
    #[must_use]
    pub fn new(path: SearchPath, services: Arc<dyn HostServices>) -> Self {
        Self { path, services, loaded: Mutex::default() }
    }

    /// The connector `id`.
    ///
    /// # Errors
    ///
    /// A [`LoadError`] for every reason to refuse its library.
    pub fn connector(&self, id: &str) -> Result<Arc<dyn Connector>, LoadError> {
        let mut loaded = lock(&self.loaded);
        if let Some(connector) = loaded.get(id) {
            return Ok(Arc::clone(connector));
        }
        let connector: Arc<dyn Connector> = Arc::new(self.path.load(id, self.services.clone())?);
        loaded.insert(id.to_owned(), Arc::clone(&connector));
        Ok(connector)
    }

    /// Every library of a connector in the path, loaded or with the reason why not.
    #[must_use]
    pub fn all(&self) -> Vec<(PathBuf, Result<LoadedConnector, LoadError>)> {
        self.path
            .available()
            .into_iter()
            .map(|path| {
                let loaded = host_sdk::loader::load(&path, self.services.clone());
                (path, loaded)
            })
            .collect()
    }

    /// The directories that are searched, for messages.
    #[must_use]
    pub fn searched(&self) -> String {
        let shown = self.path.directories().iter().map(|path| path.display().to_string());
        shown.collect::<Vec<_>>().join(", ")
    }

    /// Uses `connector` for `id` without a library.
    #[cfg(test)]
    pub(crate) fn with(self, id: &str, connector: Arc<dyn Connector>) -> Self {
        lock(&self.loaded).insert(id.to_owned(), connector);
        self
    }
}

/// The directories to search: those `given`, else those of the environment, else the one that
/// the executable is in.
#[must_use]
pub fn search_path(given: &[PathBuf]) -> SearchPath {
    if !given.is_empty() {
        return SearchPath::new(given.to_vec());
    }
    match std::env::var_os(PATH_VARIABLE).filter(|paths| !paths.is_empty()) {
        Some(paths) => SearchPath::new(std::env::split_paths(&paths).collect()),
        None => SearchPath::new(
            std::env::current_exe()
                .ok()
                .and_then(|executable| executable.parent().map(PathBuf::from))
                .into_iter()
                .collect(),
        ),
    }
}
