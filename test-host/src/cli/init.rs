//! `init`: writes a process with comments to begin with.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use host_sdk::Error;

use super::failure::{Failure, print_note};
use super::options::Options;
use super::schema::SCHEMAS;
use crate::exit_code::ExitCode;

/// Where the schemas are written, beside the process.
const SCHEMA_DIRECTORY: &str = "schemas";

#[derive(Debug, Args)]
pub(super) struct InitArguments {
    /// What the process does
    #[arg(long, value_enum, default_value_t = Template::Database)]
    from: Template,
    /// The file to write; it must not exist. `-` is standard output
    #[arg(default_value = "process.json")]
    file: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Template {
    /// Files from a server into a database
    Database,
    /// A local folder with everything in it to a server
    Backup,
    /// One large file to a local folder
    Iso,
    /// A tree of a server to a local folder
    Mirror,
}

impl Template {
    fn text(self) -> &'static str {
        match self {
            Self::Database => include_str!("../../templates/database.json"),
            Self::Backup => include_str!("../../templates/backup.json"),
            Self::Iso => include_str!("../../templates/iso.json"),
            Self::Mirror => include_str!("../../templates/mirror.json"),
        }
    }
}

pub(super) fn init(arguments: &InitArguments, options: &Options) -> Result<ExitCode, Failure> {
    let InitArguments { from, file } = arguments;
    if file == Path::new("-") {
        io::stdout().lock().write_all(from.text().as_bytes())?;
        return Ok(ExitCode::Success);
    }
    write_new(file, from.text())?;
    let schemas = file.parent().unwrap_or(Path::new("")).join(SCHEMA_DIRECTORY);
    fs::create_dir_all(&schemas).map_err(|e| refused(&schemas, &e))?;
    for (name, text) in SCHEMAS {
        let path = schemas.join(format!("{name}.schema.json"));
        // Those of an earlier process serve this one, too.
        if !path.exists() {
            write_new(&path, text)?;
        }
    }
    if !options.quiet {
        let shown = file.display();
        print_note(&format!("{shown} is written; change host, user and paths, then"));
        print_note(&format!("  test-host validate {shown}"));
    }
    Ok(ExitCode::Success)
}

fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| refused(path, &e))
}

fn refused(path: &Path, error: &io::Error) -> Error {
    Error::configuration("", format!("{} cannot be written: {error}", path.display()))
}
