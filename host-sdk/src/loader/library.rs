//! Opens a library and checks what it says of itself.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::path::Path;

use abi_stable::library::{AbiHeaderRef, LibHeader, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use libloading::Library as DynamicLibrary;

use super::load_error::LoadError;
use crate::abi::layout;
use crate::manifest::Manifest;
use connector_interface::handshake::{HANDSHAKE_SYMBOL, Handshake, InterfaceVersion, MAGIC};
use connector_interface::types::ModuleRef;

/// A library of a connector whose interface fits this build's.
pub(super) struct Library {
    manifest: Manifest,
    module: ModuleRef,
}

impl Library {
    /// Opens the library at `path` and checks that it is a connector of a fitting interface.
    pub(super) fn open(path: &Path) -> Result<Self, LoadError> {
        let not_a_library =
            |reason: String| LoadError::NotALibrary { path: path.to_owned(), reason };
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
        // Not dropped: its code is used until the process ends.
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
        Ok(Self { manifest, module })
    }

    /// What the library says of itself.
    pub(super) fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The manifest, and the module that makes connectors.
    pub(super) fn into_parts(self) -> (Manifest, ModuleRef) {
        (self.manifest, self.module)
    }
}

#[cfg(unix)]
fn open_library(path: &Path) -> Result<DynamicLibrary, libloading::Error> {
    use libloading::os::unix;
    // Everything is resolved now, so that a library that lacks something is refused and does not
    // end the host later; its symbols stay its own, so that connectors lie side by side.
    // SAFETY: the library's initialisers run; the caller chose to trust them.
    unsafe { unix::Library::open(Some(path), unix::RTLD_NOW | unix::RTLD_LOCAL) }
        .map(DynamicLibrary::from)
}

#[cfg(not(unix))]
fn open_library(path: &Path) -> Result<DynamicLibrary, libloading::Error> {
    // SAFETY: the library's initialisers run; the caller chose to trust them.
    unsafe { DynamicLibrary::new(path) }
}

fn check_handshake(path: &Path, library: &DynamicLibrary) -> Result<InterfaceVersion, LoadError> {
    // SAFETY: only the symbol's address is taken here; that it is a handshake shows below.
    let symbol = unsafe { library.get::<*const Handshake>(HANDSHAKE_SYMBOL.to_bytes_with_nul()) }
        .map_err(|_| LoadError::NotAConnector {
        path: path.to_owned(),
        reason: format!("it does not export {}", HANDSHAKE_SYMBOL.to_string_lossy()),
    })?;
    // SAFETY: a library that exports this symbol has at least the magic bytes there.
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

fn header(library: &DynamicLibrary) -> Result<&'static LibHeader, String> {
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
