//! A whole connector: it writes documents to files of a folder, and reads the files that requests
//! name. The example `notes_host` runs it.

#![forbid(unsafe_code)]

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_sdk::descriptor::{Field, InputKind, OperationDescriptor, OutputKind, Parameter};
use host_sdk::kit::random_suffix;
use host_sdk::{
    Connection, Connector, ConnectorDescriptor, Context, Error, ErrorKind, InputDocument,
    Operation, Outcome, Properties, Settings, Summary,
};
use serde_json::{Value, json};

// Makes the library a connector; the id begins the library's name.
host_sdk::export_connector!(|| NotesConnector, "notes", label = "Notes");

struct NotesConnector;

/// The settings of a connection, declared once: hosts show them, `Settings::check` checks them.
fn fields() -> Vec<Field> {
    vec![Field::text("folder", "Folder", "The folder of the notes; it must exist.").required()]
}

impl Connector for NotesConnector {
    fn descriptor(&self) -> Result<ConnectorDescriptor, Error> {
        let new = OperationDescriptor::new;
        let mut read = new("read", "Read", "Reads a note.", InputKind::Id, OutputKind::Binary);
        let help = "Writes a note, named by the property `fileName`.";
        let write = new("write", "Write", help, InputKind::Document, OutputKind::None);
        let (id, label, help) = ("id".into(), "Name".into(), "The name of the note.".into());
        read.parameters = vec![Parameter { id, label, help, required: true }];
        let all = vec![read, write];
        Ok(ConnectorDescriptor::new("notes", "Notes", "Notes in a folder.", fields(), all))
    }

    // Checks only. What the settings name is opened by the first execution.
    fn connect(&self, settings: &Value, _context: Context) -> Result<Arc<dyn Connection>, Error> {
        Ok(Arc::new(Folder(Settings::check(&fields(), settings)?.require("folder")?)))
    }
}

struct Folder(PathBuf);

impl Connection for Folder {
    fn operation(&self, settings: &Value) -> Result<Arc<dyn Operation>, Error> {
        let shape = [
            Field::text("operation", "Operation", "").required(),
            Field::group("options", "Options", Vec::new(), "").or(json!({})),
        ];
        let id: String = Settings::check(&shape, settings)?.require("operation")?;
        let folder = self.0.clone();
        match id.as_str() {
            "read" => Ok(Arc::new(Notes { folder, work: Notes::read })),
            "write" => Ok(Arc::new(Notes { folder, work: Notes::write })),
            _ => Err(Error::configuration("operation", "expected \"read\" or \"write\"")),
        }
    }
}

/// One operation: what it does with an input, and where.
struct Notes {
    folder: PathBuf,
    work: fn(&Self, &Context, &mut dyn InputDocument) -> Result<Moved, Error>,
}

/// The numbers of results and of bytes.
type Moved = (u64, u64);

impl Operation for Notes {
    fn execute(&self, context: Context) -> Result<Summary, Error> {
        let mut summary = Summary::default();
        while let Some(mut input) = context.next_input()? {
            // An input that fails does not end the others, unless the host cancels.
            let outcome = match (self.work)(self, &context, input.as_mut()) {
                Ok((results, bytes)) => {
                    summary.results += results;
                    summary.bytes += bytes;
                    Outcome::Success
                }
                Err(e) if e.kind() == ErrorKind::Cancelled => return Err(e),
                Err(e) if e.kind() == ErrorKind::Host => Outcome::Failure(e),
                Err(e) => Outcome::ApplicationError(e),
            };
            context.input_done(input.id(), &outcome)?;
            summary.inputs += 1;
        }
        Ok(summary)
    }
}

impl Notes {
    fn read(&self, to: &Context, input: &mut dyn InputDocument) -> Result<Moved, Error> {
        let path = self.folder.join(checked(input.header().parameter("id"))?);
        let mut file = File::open(&path).map_err(|e| failed(&path, &e))?;
        let mut result = to.begin_result(input.id(), &Properties::new())?;
        let read = |buffer: &mut [u8]| file.read(buffer).map_err(|e| failed(&path, &e));
        let bytes = copy(read, |bytes| result.write(bytes))?;
        // Ok means that the note is safe with the host. A connector that moves deletes it now.
        result.finish(&Outcome::Success, &Properties::new())?;
        Ok((1, bytes))
    }

    fn write(&self, _: &Context, input: &mut dyn InputDocument) -> Result<Moved, Error> {
        let path = self.folder.join(checked(input.header().properties.get("fileName"))?);
        // No reader must see half a note: it gets its name once it is complete.
        let part = self.folder.join(format!(".{:016x}", random_suffix()));
        let written = File::create(&part).map_err(|e| failed(&part, &e)).and_then(|mut file| {
            let write = |bytes: &[u8]| file.write_all(bytes).map_err(|e| failed(&part, &e));
            let bytes = copy(|buffer| input.read(buffer), write)?;
            let placed = file.sync_all().and_then(|()| fs::rename(&part, &path));
            placed.map(|()| (0, bytes)).map_err(|e| failed(&path, &e))
        });
        written.inspect_err(|_| _ = fs::remove_file(&part))
    }
}

/// Moves a body piece by piece: it may be larger than the memory.
fn copy(
    mut read: impl FnMut(&mut [u8]) -> Result<usize, Error>,
    mut write: impl FnMut(&[u8]) -> Result<(), Error>,
) -> Result<u64, Error> {
    let (mut buffer, mut total) = (vec![0; 64 * 1024], 0);
    loop {
        let length = read(&mut buffer)?;
        let Some(bytes) = buffer.get(..length).filter(|it| !it.is_empty()) else { break Ok(total) };
        write(bytes)?;
        total += length as u64;
    }
}

/// The name of a note; one from outside must not lead out of the folder.
fn checked(name: Option<&str>) -> Result<&str, Error> {
    let is_plain = |name: &&str| {
        !name.trim().is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', ':'])
    };
    name.filter(is_plain).ok_or_else(|| Error::new(ErrorKind::Document, "the input names no note"))
}

fn failed(path: &Path, error: &io::Error) -> Error {
    let is_missing = error.kind() == io::ErrorKind::NotFound;
    let kind = if is_missing { ErrorKind::NotFound } else { ErrorKind::Other };
    Error::new(kind, format!("{} failed: {error}", path.display()))
}
