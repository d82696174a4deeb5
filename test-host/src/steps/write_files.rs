//! Writes each body to a local file, and passes the document on.
//!
//! Names come from untrusted peers: a name is one component of a path and nothing else, and the
//! directory of a document stays below that of the step. A file gets its name only when it is
//! complete and on the disk. By default it replaces a file of an earlier run. Two documents of one run with the same name do not replace each other: the second one fails. An
//! incomplete file is a temporary file, removed when the document fails. One that a later run can
//! resume is kept beside it ([`PartialFiles`]).

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use host_sdk::{Error, ErrorKind, Properties};
use tempfile::NamedTempFile;

use super::file_name::check_name;
use super::file_time::set_time;
use super::partial_files::PartialFiles;
use super::relative_directory::RelativeDirectory;
use crate::engine::document::{Document, End};
use crate::engine::run::Run;
use crate::engine::step_input::{Acknowledgement, BodySink, OnKeptBytes, StepInput};
use crate::locks::lock;
use crate::process::model::IfExists;
use host_sdk::kit::shortage;

/// How many names are tried for one document.
const MOST_NAMES: u32 = 10_000;

/// How many kept bytes of a file are read at a time.
const CHUNK: usize = 256 * 1024;

/// The directory that the step writes to, with those below it.
pub(crate) struct Directory {
    path: PathBuf,
    /// What this run has written, so that no document replaces another.
    written: Mutex<HashSet<(RelativeDirectory, String)>>,
    /// The partial files of each directory below.
    partial_files: Mutex<HashMap<RelativeDirectory, Arc<PartialFiles>>>,
}

/// How a document that is whole was published.
enum Published {
    Written,
    /// A file of its name was there, and stays.
    Skipped,
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
            written: Mutex::default(),
            partial_files: Mutex::default(),
        }))
    }

    /// The partial files of the directory `below`.
    fn partial_files(&self, below: &RelativeDirectory) -> Arc<PartialFiles> {
        let mut all = lock(&self.partial_files);
        let of = all.entry(below.clone());
        Arc::clone(of.or_insert_with(|| Arc::new(PartialFiles::of(below.below(&self.path)))))
    }

    /// Gives `file` its final name.
    fn publish(
        &self,
        file: NamedTempFile,
        below: &RelativeDirectory,
        name: &str,
        if_exists: IfExists,
    ) -> Result<Published, Error> {
        let shown = below.shown(name);
        let failed = |e: &io::Error| io_error(&format!("file \"{shown}\" could not be written"), e);
        file.as_file().sync_all().map_err(|e| failed(&e))?;
        let reserved = (below.clone(), folded(name));
        if !lock(&self.written).insert(reserved.clone()) && if_exists != IfExists::Unique {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("another document of this run has the file name \"{shown}\" already"),
            )
            .with_hint(
                "give them different names with a setProperties step, or set ifExists to unique",
            ));
        }
        let published = below
            .make(&self.path)
            .map_err(|e| failed(&e))
            .and_then(|()| self.persist(file, below, name, if_exists));
        match &published {
            Ok(_) => self.partial_files(below).remove_stale(name, None),
            Err(_) => _ = lock(&self.written).remove(&reserved),
        }
        published
    }

    fn persist(
        &self,
        file: NamedTempFile,
        below: &RelativeDirectory,
        name: &str,
        if_exists: IfExists,
    ) -> Result<Published, Error> {
        let shown = below.shown(name);
        let failed = |e: &io::Error| io_error(&format!("file \"{shown}\" could not be written"), e);
        let directory = below.below(&self.path);
        let taken = |e: &io::Error| e.kind() == io::ErrorKind::AlreadyExists;
        match if_exists {
            // The directory entry is replaced, so that a link of this name is not followed.
            IfExists::Replace => {
                file.persist(directory.join(name)).map_err(|e| failed(&e.error))?;
            }
            IfExists::Skip | IfExists::Error => {
                match file.persist_noclobber(directory.join(name)) {
                    Ok(_) => {}
                    Err(e) if taken(&e.error) && if_exists == IfExists::Skip => {
                        return Ok(Published::Skipped);
                    }
                    Err(e) if taken(&e.error) => {
                        return Err(Error::new(
                            ErrorKind::AlreadyExists,
                            format!("file \"{shown}\" exists already"),
                        )
                        .with_hint("set ifExists to replace, skip or unique"));
                    }
                    Err(e) => return Err(failed(&e.error)),
                }
            }
            IfExists::Unique => {
                let mut file = file;
                let mut number = 0;
                loop {
                    match file.persist_noclobber(directory.join(numbered(name, number))) {
                        Ok(_) => break,
                        Err(e) if taken(&e.error) && number < MOST_NAMES => file = e.file,
                        Err(e) => return Err(failed(&e.error)),
                    }
                    number += 1;
                }
            }
        }
        // Each new directory is an entry of the one above it.
        for path in below.upwards(&self.path) {
            sync_directory(&path).map_err(|e| failed(&e))?;
        }
        Ok(Published::Written)
    }
}

/// The name that is tried after `number` others were taken: `a (1).txt`.
fn numbered(name: &str, number: u32) -> String {
    if number == 0 {
        return name.to_owned();
    }
    match name.rsplit_once('.') {
        Some((base, extension)) if !base.is_empty() => format!("{base} ({number}).{extension}"),
        _ => format!("{name} ({number})"),
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
    pub(crate) run: Arc<Run>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) if_exists: IfExists,
    /// True if files get the time of their documents.
    pub(crate) preserve_timestamp: bool,
    /// True if documents that a service refused in an earlier step are written.
    pub(crate) store_errors: bool,
    pub(crate) next: Arc<dyn StepInput>,
}

impl StepInput for WriteFiles {
    fn begin(&self, document: &Document) -> Result<Box<dyn BodySink>, Error> {
        // Rejected before the body is moved.
        if let Some(name) = document.properties.get("fileName") {
            check_name(name)?;
        }
        let below = directory_of(&document.properties)?.unwrap_or_default();
        let root = &self.directory.path;
        below.make(root).map_err(|e| {
            io_error(&format!("directory {} cannot be made", below.below(root).display()), &e)
        })?;
        let path = &below.below(root);
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
            run: Arc::clone(&self.run),
            directory: Arc::clone(&self.directory),
            below,
            if_exists: self.if_exists,
            preserve_timestamp: self.preserve_timestamp,
            properties: document.properties.clone(),
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
    run: Arc<Run>,
    directory: Arc<Directory>,
    below: RelativeDirectory,
    if_exists: IfExists,
    preserve_timestamp: bool,
    properties: Properties,
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
        let partial_files = self.directory.partial_files(&self.below);
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
        let Self { run, directory, below, if_exists, name, mut file, store_errors, next, .. } =
            *self;
        let mut properties = self.properties;
        // A complete file is published or removed, not kept.
        file.disable_cleanup(false);
        if end.refused.is_some() && !store_errors {
            drop(file);
            return next.close(end);
        }
        properties.extend(&end.properties);
        let below = directory_of(&end.properties)?.unwrap_or(below);
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
        if self.preserve_timestamp {
            set_time(file.as_file(), &properties)?;
        }
        match directory.publish(file, &below, &name, if_exists)? {
            Published::Written => {}
            Published::Skipped => run.add_work(|work| work.skipped += 1),
        }
        next.close(end)
    }
}

/// The directory that a document names, if it does.
fn directory_of(properties: &Properties) -> Result<Option<RelativeDirectory>, Error> {
    properties.get("relativeDirectory").map(RelativeDirectory::parse).transpose()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cancellation::Cancellation;
    use crate::engine::digest::Digest;
    use crate::engine::document::DocumentState;
    use crate::engine::step_input::Durable;
    use crate::report::Reporter;
    use crate::report::events::Event;

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
        let here = RelativeDirectory::default();
        directory.publish(file, &here, "a", IfExists::Replace).unwrap();
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

    struct Silent;

    impl Reporter for Silent {
        fn event(&self, _: &Event) {}

        fn new_execution(&self, _: &str) -> u64 {
            0
        }

        fn step_of(&self, _: u64) -> Option<String> {
            None
        }
    }

    /// Takes everything.
    struct Nowhere;

    impl StepInput for Nowhere {
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
            run: Run::new("p".to_owned(), Arc::new(Silent), Cancellation::new()),
            if_exists: IfExists::Replace,
            preserve_timestamp: false,
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
            directory.publish(file, &RelativeDirectory::default(), "a", IfExists::Replace).map(drop)
        };
        let directory = Directory::open(path).unwrap();
        publish(&directory, "one").unwrap();
        assert_eq!(publish(&directory, "two").unwrap_err().kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(inside.path().join("a")).unwrap(), "one");
        publish(&Directory::open(path).unwrap(), "three").unwrap();
        assert_eq!(fs::read_to_string(inside.path().join("a")).unwrap(), "three");
        assert_eq!(fs::read_dir(inside.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_taken_name_is_kept_skipped_numbered_or_refused() {
        let inside = tempfile::tempdir().unwrap();
        let path = inside.path().to_str().unwrap();
        fs::write(inside.path().join("a.txt"), "old").unwrap();
        let here = RelativeDirectory::default();
        let publish = |if_exists| {
            let mut file = NamedTempFile::new_in(inside.path()).unwrap();
            file.write_all(b"new").unwrap();
            Directory::open(path).unwrap().publish(file, &here, "a.txt", if_exists)
        };
        assert!(matches!(publish(IfExists::Skip), Ok(Published::Skipped)));
        assert_eq!(publish(IfExists::Error).err().unwrap().kind(), ErrorKind::AlreadyExists);
        publish(IfExists::Unique).unwrap();
        publish(IfExists::Unique).unwrap();
        let mut names: Vec<String> = fs::read_dir(inside.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["a (1).txt", "a (2).txt", "a.txt"]);
        assert_eq!(fs::read_to_string(inside.path().join("a.txt")).unwrap(), "old");
    }
}
