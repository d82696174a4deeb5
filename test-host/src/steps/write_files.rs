//! Writes each body to a local file, and passes the document on.
//!
//! Names come from untrusted peers: a name is one component of a path and nothing else. A file gets
//! its name only when it is complete and on the disk. It replaces a file of an earlier run. Two
//! documents of one run with the same name do not replace each other: the second one fails. An
//! incomplete file is a temporary file, removed when the document fails. One that a later run can
//! resume is kept beside it ([`PartialFiles`]).

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use host_sdk::{Error, ErrorKind};
use tempfile::NamedTempFile;

use super::file_name::check_name;
use super::partial_files::PartialFiles;
use crate::engine::document::{Document, End};
use crate::engine::stage::{Acknowledgement, BodySink, OnKeptBytes, Stage};
use crate::locks::lock;
use host_sdk::kit::shortage;

/// How many kept bytes of a file are read at a time.
const CHUNK: usize = 256 * 1024;

/// The directory that the step writes to.
pub(crate) struct Directory {
    path: PathBuf,
    /// The names that this run has written, so that no document replaces another.
    names: Mutex<HashSet<String>>,
    partial_files: PartialFiles,
}

impl Directory {
    /// Opens the directory at `path`, and makes it where it is missing.
    ///
    /// # Errors
    ///
    /// `configuration` when it cannot be made.
    pub(crate) fn open(path: &str) -> Result<Arc<Self>, Error> {
        fs::create_dir_all(path).map_err(|e| {
            Error::configuration("directory", format!("directory {path} cannot be made: {e}"))
        })?;
        Ok(Arc::new(Self {
            path: path.into(),
            names: Mutex::default(),
            partial_files: PartialFiles::of(path.into()),
        }))
    }

    /// Gives `file` its final name.
    fn publish(&self, file: NamedTempFile, name: &str) -> Result<(), Error> {
        let failed = |e: &io::Error| io_error(&format!("file \"{name}\" could not be written"), e);
        file.as_file().sync_all().map_err(|e| failed(&e))?;
        let reserved = folded(name);
        if !lock(&self.names).insert(reserved.clone()) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("another document of this run has the file name \"{name}\" already"),
            )
            .with_hint("give them different names with a setProperties step"));
        }
        // The directory entry is replaced, so that a link of this name is not followed.
        let published = file
            .persist(self.path.join(name))
            .map_err(|e| failed(&e.error))
            .and_then(|_| sync_directory(&self.path).map_err(|e| failed(&e)));
        match published {
            Ok(()) => self.partial_files.remove_stale(name, None),
            Err(_) => _ = lock(&self.names).remove(&reserved),
        }
        published
    }
}

/// The form of a name in which equal names of this system's usual file systems are equal.
fn folded(name: &str) -> String {
    if cfg!(any(windows, target_os = "macos")) { name.to_lowercase() } else { name.to_owned() }
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> io::Result<()> {
    // A directory has no handle to flush here. A rename is in the journal of the file system.
    Ok(())
}

fn io_error(what: &str, error: &io::Error) -> Error {
    shortage::advised(Error::new(ErrorKind::Host, format!("{what}: {error}")), error)
}

/// The step writeFiles.
pub(crate) struct WriteFiles {
    pub(crate) directory: Arc<Directory>,
    /// True if documents that a service refused in an earlier step are written.
    pub(crate) store_errors: bool,
    pub(crate) next: Arc<dyn Stage>,
}

impl Stage for WriteFiles {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        // Rejected before the body is moved.
        if let Some(name) = document.properties.get("fileName") {
            check_name(name)?;
        }
        let path = &self.directory.path;
        let mut builder = tempfile::Builder::new();
        builder.prefix(".").suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // The mode of any new file, not that of a temporary one.
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let file = builder
            .tempfile_in(path)
            .map_err(|e| io_error(&format!("no file can be made in {}", path.display()), &e))?;
        Ok(Box::new(FileWriter {
            directory: Arc::clone(&self.directory),
            name: document.properties.get("fileName").map(str::to_owned),
            file,
            is_kept: false,
            store_errors: self.store_errors,
            next: self.next.begin(document)?,
        }))
    }
}

/// An incomplete file. If it is dropped, it is removed, unless it is kept for a later run.
struct FileWriter {
    directory: Arc<Directory>,
    name: Option<String>,
    file: NamedTempFile,
    is_kept: bool,
    store_errors: bool,
    next: Box<dyn BodySink>,
}

impl BodySink for FileWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        // From the first byte on, there is something to keep.
        self.file.disable_cleanup(self.is_kept);
        self.file.write_all(bytes).map_err(|e| io_error("the file could not be written", &e))?;
        self.next.write(bytes)
    }

    fn resume(&mut self, identity: &str, on_kept: &mut OnKeptBytes<'_>) -> Result<(), Error> {
        let partial_files = &self.directory.partial_files;
        let Some(file) = self.name.as_ref().and_then(|name| partial_files.open(name, identity))
        else {
            return Ok(());
        };
        self.file = file;
        self.is_kept = true;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = self.file.read(&mut buffer);
            let count =
                count.map_err(|e| io_error("what is kept of the file cannot be read", &e))?;
            if count == 0 {
                return Ok(());
            }
            let bytes = buffer
                .get(..count)
                .ok_or_else(|| Error::internal("a read of a file was longer than its buffer"))?;
            self.file.disable_cleanup(true);
            self.next.write(bytes)?;
            on_kept(bytes)?;
        }
    }

    fn discard(&mut self) -> Result<(), Error> {
        self.is_kept = false;
        self.file.disable_cleanup(false);
        // If it cannot be removed, no later run resumes it.
        let emptied = self.file.as_file().set_len(0);
        emptied.map_err(|e| io_error("the file could not be emptied", &e))
    }

    fn close(self: Box<Self>, end: &End) -> Result<Box<dyn Acknowledgement>, Error> {
        let Self { directory, name, mut file, store_errors, next, .. } = *self;
        // A complete file is published or removed, not kept.
        file.disable_cleanup(false);
        if end.refused.is_some() && !store_errors {
            drop(file);
            return next.close(end);
        }
        let late = end.properties.get("fileName").map(str::to_owned);
        let name = late.or(name).unwrap_or_else(|| format!("document-{}", uuid::Uuid::new_v4()));
        check_name(&name)?;
        let written = file.as_file().metadata();
        let written = written.map_err(|e| io_error("the file could not be looked at", &e))?.len();
        if written != end.bytes {
            return Err(Error::internal(format!(
                "file \"{name}\" has {written} bytes, and its document {}",
                end.bytes
            )));
        }
        directory.publish(file, &name)?;
        next.close(end)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use host_sdk::Properties;

    use super::*;
    use crate::engine::digest::Digest;
    use crate::engine::document::DocumentState;
    use crate::engine::stage::Durable;

    #[test]
    fn a_link_in_the_place_of_a_file_is_replaced_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let victim = outside.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let inside = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(&victim, inside.path().join("a")).unwrap();
        let directory = Directory::open(inside.path().to_str().unwrap()).unwrap();
        let mut file = NamedTempFile::new_in(inside.path()).unwrap();
        file.write_all(b"new").unwrap();
        directory.publish(file, "a").unwrap();
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(fs::read_to_string(inside.path().join("a")).unwrap(), "new");
    }

    fn document(name: &str) -> Document {
        Document {
            state: Arc::new(DocumentState::new(1)),
            source: "c".into(),
            properties: Properties::new().with("fileName", name),
            origins: BTreeMap::new(),
            size: None,
            answers: None,
        }
    }

    /// Takes everything.
    struct Nowhere;

    impl Stage for Nowhere {
        fn begin(&self, _: &Document) -> Result<Box<dyn BodySink>, Error> {
            Ok(Box::new(Self))
        }
    }

    impl BodySink for Nowhere {
        fn write(&mut self, _: &[u8]) -> Result<(), Error> {
            Ok(())
        }

        fn close(self: Box<Self>, _: &End) -> Result<Box<dyn Acknowledgement>, Error> {
            Ok(Box::new(Durable))
        }
    }

    #[test]
    fn a_file_that_is_shorter_than_its_document_gets_no_name() {
        let inside = tempfile::tempdir().unwrap();
        let step = WriteFiles {
            directory: Directory::open(inside.path().to_str().unwrap()).unwrap(),
            store_errors: false,
            next: Arc::new(Nowhere),
        };
        let mut digest = Digest::default();
        digest.update(b"abc");
        let mut sink = step.begin(&document("a")).unwrap();
        sink.write(b"ab").unwrap();
        let error = sink.close(&digest.end(Properties::new())).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert_eq!(fs::read_dir(inside.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_second_document_of_a_name_fails_and_a_later_run_replaces() {
        let inside = tempfile::tempdir().unwrap();
        let path = inside.path().to_str().unwrap();
        let publish = |directory: &Directory, body: &str| {
            let mut file = NamedTempFile::new_in(inside.path()).unwrap();
            file.write_all(body.as_bytes()).unwrap();
            directory.publish(file, "a")
        };
        let directory = Directory::open(path).unwrap();
        publish(&directory, "one").unwrap();
        assert_eq!(publish(&directory, "two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(inside.path().join("a")).unwrap(), "one");
        publish(&Directory::open(path).unwrap(), "three").unwrap();
        assert_eq!(fs::read_to_string(inside.path().join("a")).unwrap(), "three");
        assert_eq!(fs::read_dir(inside.path()).unwrap().count(), 1);
    }
}
