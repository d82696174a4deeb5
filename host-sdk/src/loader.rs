//! Finds, opens and checks the libraries of connectors.
//!
//! A library runs in the host's own process from the moment it is opened: open none that you do
//! not trust. It is never unloaded, because threads and thread-local values of it may live on.

use std::collections::BTreeMap;
use std::env::consts::{DLL_PREFIX, DLL_SUFFIX};
use std::ffi::CStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use libloading::Library;
use serde_json::Value;

use crate::abi::interface::{HANDSHAKE_SYMBOL, Handshake, InterfaceVersion, MAGIC};
use crate::abi::types::ModuleRef;
use crate::abi::{ImportedConnector, layout, lent_services, record_places};
use crate::connector::{Connection, Connector};
use crate::context::Context;
use crate::descriptor::ConnectorDescriptor;
use crate::error::Error;
use crate::manifest::Manifest;
use crate::services::HostServices;

mod load_error;

pub use crate::abi::layout::LayoutMismatch;
pub use load_error::LoadError;

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

    /// The libraries of all connectors in the order of their ids; where two directories hold the
    /// same id, the one that [`SearchPath::find`] takes.
    #[must_use]
    pub fn available(&self) -> Vec<PathBuf> {
        self.libraries().into_values().collect()
    }

    /// Finds and loads the connector `id`.
    ///
    /// # Errors
    ///
    /// As [`SearchPath::find`] and [`load`]; [`LoadError::OtherId`] when the library holds
    /// another connector than its name says.
    pub fn load(
        &self,
        id: &str,
        services: Arc<dyn HostServices>,
    ) -> Result<LoadedConnector, LoadError> {
        let path = self.find(id)?;
        let library = open(&path)?;
        if library.manifest.id != id {
            let found = library.manifest.id;
            return Err(LoadError::OtherId { path, asked: id.to_owned(), found });
        }
        library.create(&path, services)
    }

    fn libraries(&self) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        // A directory that cannot be read holds nothing; `find` names all that were searched.
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

/// A connector of a library, which is a [`Connector`] as any other.
pub struct LoadedConnector {
    manifest: Manifest,
    path: PathBuf,
    connector: ImportedConnector,
}

impl LoadedConnector {
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
/// The first call puts a panic hook before the program's own, which it goes on to call: it
/// remembers where a callback of the host panicked, for the error that the connector gets.
///
/// # Errors
///
/// A [`LoadError`] for every reason to refuse it. Whatever was refused, the host goes on.
pub fn load(path: &Path, services: Arc<dyn HostServices>) -> Result<LoadedConnector, LoadError> {
    open(path)?.create(path, services)
}

/// A library that fits, before a connector is made.
struct OpenLibrary {
    manifest: Manifest,
    module: ModuleRef,
}

impl OpenLibrary {
    fn create(
        self,
        path: &Path,
        services: Arc<dyn HostServices>,
    ) -> Result<LoadedConnector, LoadError> {
        record_places(false);
        let connector = ImportedConnector::create(self.module, lent_services(services))
            .map_err(|error| LoadError::CreateFailed { path: path.to_owned(), error })?;
        Ok(LoadedConnector { manifest: self.manifest, path: path.to_owned(), connector })
    }
}

fn open(path: &Path) -> Result<OpenLibrary, LoadError> {
    let not_a_library = |reason: String| LoadError::NotALibrary { path: path.to_owned(), reason };
    let not_a_connector =
        |reason: String| LoadError::NotAConnector { path: path.to_owned(), reason };
    // An absolute path: the system's loader would look for a bare name in directories of its own.
    let file = fs::canonicalize(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => LoadError::NoSuchFile { path: path.to_owned() },
        _ => not_a_library(error.to_string()),
    })?;
    if !file.is_file() {
        return Err(not_a_library("it is not a file".to_owned()));
    }
    // Not dropped: what it holds is used for as long as the program runs.
    let library = std::mem::ManuallyDrop::new(
        open_library(&file).map_err(|error| not_a_library(error.to_string()))?,
    );
    let plugin = check_handshake(path, &library)?;
    let header = header(&library).map_err(not_a_connector)?;
    layout::check(header, plugin).map_err(|mismatch| LoadError::LayoutDiffers {
        path: path.to_owned(),
        connector: plugin,
        host: InterfaceVersion::CURRENT,
        mismatch: Box::new(mismatch),
    })?;
    // SAFETY: the layout of the library's module was found compatible just above.
    let module = unsafe { header.init_root_module_with_unchecked_layout::<ModuleRef>() }
        .map_err(|error| not_a_connector(one_line(&error.to_string())))?;
    let manifest = serde_json::from_str(&module.manifest())
        .map_err(|error| not_a_connector(format!("its manifest is unreadable: {error}")))?;
    Ok(OpenLibrary { manifest, module })
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<Library, libloading::Error> {
    use libloading::os::unix;
    // Everything is resolved now, so that a library that lacks something is refused and does not
    // end the host later; its symbols stay its own, so that connectors lie side by side.
    // SAFETY: the library's initialisers run; the caller chose to trust them.
    unsafe { unix::Library::open(Some(path), unix::RTLD_NOW | unix::RTLD_LOCAL) }.map(Library::from)
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> Result<Library, libloading::Error> {
    // SAFETY: the library's initialisers run; the caller chose to trust them.
    unsafe { Library::new(path) }
}

fn check_handshake(path: &Path, library: &Library) -> Result<InterfaceVersion, LoadError> {
    // SAFETY: only the symbol's address is taken here; that it is a handshake shows below.
    let symbol = unsafe { library.get::<*const Handshake>(HANDSHAKE_SYMBOL.to_bytes_with_nul()) }
        .map_err(|_| LoadError::NotAConnector {
        path: path.to_owned(),
        reason: format!("it does not export {}", HANDSHAKE_SYMBOL.to_string_lossy()),
    })?;
    // SAFETY: what exports this symbol holds at least the magic bytes, or lies about its name.
    let magic = unsafe { (**symbol).magic };
    if magic != MAGIC {
        return Err(LoadError::NotAConnector {
            path: path.to_owned(),
            reason: "its handshake is not ours".to_owned(),
        });
    }
    // SAFETY: the magic bytes vouch for the record, which only ever grows and is never changed.
    let handshake = unsafe { &**symbol };
    if handshake.interface_major != InterfaceVersion::CURRENT.major {
        // SAFETY: the record's id is a string of the library's, ended by a zero byte.
        let id = unsafe { CStr::from_ptr(handshake.id) }.to_string_lossy().into_owned();
        return Err(LoadError::OtherInterface {
            path: path.to_owned(),
            id,
            connector: handshake.interface(),
            host: InterfaceVersion::CURRENT,
        });
    }
    if handshake.unwinds == 0 {
        return Err(LoadError::PanicsAbort { path: path.to_owned() });
    }
    Ok(handshake.interface())
}

fn header(library: &Library) -> Result<&'static LibHeader, String> {
    // SAFETY: the symbol is written by abi_stable alone, which starts it with its header.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) }
            .map(|symbol| *symbol)
            .map_err(|_| "it exports no root module".to_owned())?;
    header.upgrade().map_err(|error| one_line(&error.to_string()))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
