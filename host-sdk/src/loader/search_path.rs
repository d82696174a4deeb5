//! Finds libraries by the ids of their connectors.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::library::Library;
use super::load_error::LoadError;
use super::loaded::LoadedConnector;
use crate::host::services::HostServices;

/// What follows an id in the name of a connector's library.
const FILE_STEM_END: &str = "_connector";

/// The directories in which connectors are looked for, in this order.
#[derive(Clone, Debug, Default)]
pub struct SearchPath {
    directories: Vec<PathBuf>,
}

impl SearchPath {
    /// Searches `directories`, the first one first.
    #[must_use]
    pub fn new(directories: Vec<PathBuf>) -> Self {
        Self { directories }
    }

    /// The directories, in the order in which they are searched.
    #[must_use]
    pub fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// The library of the connector `id`.
    ///
    /// # Errors
    ///
    /// [`LoadError::UnknownConnector`], naming the directories and what is there instead.
    pub fn find(&self, id: &str) -> Result<PathBuf, LoadError> {
        let name = file_name(id);
        self.directories
            .iter()
            .map(|directory| directory.join(&name))
            .find(|path| path.is_file())
            .ok_or_else(|| LoadError::UnknownConnector {
                id: id.to_owned(),
                directories: self.directories.clone(),
                available: self.libraries().into_keys().collect(),
            })
    }

    /// The libraries of all connectors in the order of their ids; if two directories have the
    /// same id, the one that [`SearchPath::find`] takes.
    #[must_use]
    pub fn available(&self) -> Vec<PathBuf> {
        self.libraries().into_values().collect()
    }

    /// Finds and loads the connector `id`.
    ///
    /// # Errors
    ///
    /// As [`SearchPath::find`] and [`load`](super::load); [`LoadError::OtherId`] if the library contains
    /// another connector than its name says.
    pub fn load(
        &self,
        id: &str,
        services: Arc<dyn HostServices>,
    ) -> Result<LoadedConnector, LoadError> {
        let path = self.find(id)?;
        let library = Library::open(&path)?;
        if library.manifest().id != id {
            let found = library.manifest().id.clone();
            return Err(LoadError::OtherId { path, asked: id.to_owned(), found });
        }
        LoadedConnector::create(library, &path, services)
    }

    fn libraries(&self) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        // A directory that cannot be read counts as empty; `find` names all that were searched.
        for entry in self.directories.iter().filter_map(|dir| fs::read_dir(dir).ok()).flatten() {
            let Ok(path) = entry.map(|entry| entry.path()) else { continue };
            if let Some(id) = id_of(&path).filter(|_| path.is_file()) {
                found.entry(id).or_insert(path);
            }
        }
        found
    }
}

/// The name of the library of the connector `id`.
fn file_name(id: &str) -> String {
    format!("{DLL_PREFIX}{}{FILE_STEM_END}{DLL_SUFFIX}", id.replace('-', "_"))
}

fn id_of(path: &Path) -> Option<String> {
    let stem = path.file_name()?.to_str()?.strip_prefix(DLL_PREFIX)?.strip_suffix(DLL_SUFFIX)?;
    stem.strip_suffix(FILE_STEM_END).map(|id| id.replace('_', "-"))
}
