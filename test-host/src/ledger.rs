//! A SQLite database of documents: rows, and a ledger that makes storing effectively once.
//!
//! Connectors deliver at least once: a document whose acknowledgement was lost comes again. Row
//! and ledger entry are written in one transaction, so that it finds itself there the second
//! time.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use host_sdk::{Error, ErrorKind, Properties};
use jiff::Timestamp;
use rusqlite::blob::ZeroBlob;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};

use crate::locks::lock;

/// The ledger's table.
const LEDGER: &str = "document_ledger";

/// How long another process may hold the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The most bytes that SQLite, as it is built here, keeps in one row, less some for the other
/// columns (`SQLITE_MAX_LENGTH` is 1,000,000,000).
pub(crate) const LARGEST_BODY: u64 = 1_000_000_000 - 1024 * 1024;

/// How much of a body is copied at once.
const CHUNK: usize = 256 * 1024;

const COLUMNS: [&str; 10] = [
    "process",
    "source",
    "file_name",
    "remote_directory",
    "timestamp",
    "size",
    "sha256",
    "content",
    "properties",
    "received_at",
];

/// Where documents are stored.
pub(crate) struct Ledger {
    connection: Mutex<Connection>,
    table: String,
    directory: PathBuf,
}

/// What is stored of a document beside its body.
pub(crate) struct Row<'a> {
    pub(crate) process: &'a str,
    pub(crate) step: &'a str,
    pub(crate) source: &'a str,
    pub(crate) properties: &'a Properties,
    pub(crate) size: u64,
    pub(crate) sha256: &'a str,
}

/// Whether a document was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stored {
    New,
    /// The ledger has it; there is no second row.
    Known,
}

/// The path of `sqlite:PATH`.
///
/// # Errors
///
/// `configuration` for any other address.
pub(crate) fn check_url(url: &str) -> Result<&Path, Error> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Err(Error::configuration(
            "",
            "postgres is not supported yet; use sqlite: and a path",
        ));
    }
    match url.strip_prefix("sqlite:") {
        Some("") => Err(Error::configuration("", "sqlite: needs a path, such as sqlite:files.db")),
        // Both would be lost or shared in ways that nobody who writes this expects.
        Some(":memory:") => {
            Err(Error::configuration("", "a database in memory is gone when the process ends"))
        }
        Some(path) => Ok(Path::new(path.strip_prefix("//").unwrap_or(path))),
        None => {
            Err(Error::configuration("", "expected sqlite: and a path, such as sqlite:files.db"))
        }
    }
}

/// # Errors
///
/// `configuration` for what is no plain name, or a name that is taken.
pub(crate) fn check_table(table: &str) -> Result<(), Error> {
    let plain = table.len() <= 63
        && table.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        return Err(Error::configuration(
            "",
            "a table's name is up to 63 letters, digits and \"_\", and begins with no digit",
        ));
    }
    let lowercase = table.to_ascii_lowercase();
    if lowercase == LEDGER || lowercase.starts_with("sqlite_") {
        return Err(Error::configuration("", format!("the name \"{table}\" is reserved")));
    }
    Ok(())
}

impl Ledger {
    /// Opens the database at `url` and makes its tables where they are missing.
    ///
    /// # Errors
    ///
    /// `configuration` below `url` or `table` where it cannot be opened or does not fit; `busy`
    /// while another process holds it.
    pub(crate) fn open(url: &str, table: &str) -> Result<Self, Error> {
        let path = check_url(url).map_err(|e| e.under("url"))?;
        check_table(table).map_err(|e| e.under("table"))?;
        let shown = path.display();
        let unusable = |e: rusqlite::Error| match failed(&e) {
            error if error.kind() == ErrorKind::Busy => error,
            _ => Error::configuration("url", format!("database {shown} cannot be used: {e}")),
        };
        // Without the flag that takes a path for an address with settings of its own.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let connection = Connection::open_with_flags(path, flags).map_err(unusable)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
        connection
            .execute_batch(&format!(
                "PRAGMA journal_mode = WAL;
                 PRAGMA synchronous = FULL;
                 CREATE TABLE IF NOT EXISTS \"{table}\" (
                     id INTEGER PRIMARY KEY,
                     process TEXT NOT NULL,
                     source TEXT NOT NULL,
                     file_name TEXT,
                     remote_directory TEXT,
                     timestamp TEXT,
                     size INTEGER NOT NULL,
                     sha256 TEXT NOT NULL,
                     properties TEXT NOT NULL,
                     received_at TEXT NOT NULL,
                     -- The last one: SQLite makes room for a blob without memory only there.
                     content BLOB NOT NULL
                 );
                 CREATE TABLE IF NOT EXISTS {LEDGER} (
                     process TEXT NOT NULL,
                     step TEXT NOT NULL,
                     source TEXT NOT NULL,
                     remote_directory TEXT NOT NULL,
                     file_name TEXT NOT NULL,
                     timestamp TEXT NOT NULL,
                     size INTEGER NOT NULL,
                     sha256 TEXT NOT NULL,
                     received_at TEXT NOT NULL,
                     PRIMARY KEY (process, step, source, remote_directory, file_name, timestamp,
                                  size, sha256)
                 ) WITHOUT ROWID;"
            ))
            .map_err(unusable)?;
        for column in COLUMNS {
            let found: Option<i64> = connection
                .query_row(
                    "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2",
                    params![table, column],
                    |row| row.get(0),
                )
                .optional()
                .map_err(unusable)?;
            if found.is_none() {
                return Err(Error::configuration(
                    "table",
                    format!("table \"{table}\" of {shown} has no column \"{column}\""),
                )
                .with_hint("name a table that is not there yet; it is made as it must be"));
            }
        }
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Self {
            connection: Mutex::new(connection),
            table: table.to_owned(),
            directory: directory.unwrap_or(Path::new(".")).to_owned(),
        })
    }

    /// The directory of the database, on whose disk there must be room for bodies anyway.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Stores a document of `row.size` bytes, read from `body`, unless it has been.
    ///
    /// # Errors
    ///
    /// `quota` when the disk is full or the body too large, `busy` when another process holds
    /// the database, otherwise `host`.
    pub(crate) fn store(&self, row: &Row<'_>, body: &mut dyn Read) -> Result<Stored, Error> {
        let mut connection = lock(&self.connection);
        let transaction = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| failed(&e))?;
        let file_name = row.properties.get("fileName");
        let timestamp = row.properties.get("timestamp");
        let directory = row.properties.get("remoteDirectory");
        let size = i64::try_from(row.size).unwrap_or(i64::MAX);
        let now = Timestamp::now().to_string();
        // Without a time, the next version of a file could not be told from this one come again. A
        // server may tell the one time as its clock shows it, the next time in UTC, by another
        // measure of the difference: either of the two proves that this is the same version.
        let times = [timestamp, row.properties.get("timestampUtc")];
        let mut known = false;
        for time in times.into_iter().flatten() {
            let Some(file_name) = file_name else { break };
            let new = transaction
                .prepare_cached(&format!(
                    "INSERT INTO {LEDGER} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                     ON CONFLICT DO NOTHING"
                ))
                .and_then(|mut statement| {
                    statement.execute(params![
                        row.process,
                        row.step,
                        row.source,
                        directory.unwrap_or_default(),
                        file_name,
                        time,
                        size,
                        row.sha256,
                        now
                    ])
                })
                .map_err(|e| failed(&e))?;
            known |= new == 0;
        }
        if known {
            transaction.commit().map_err(|e| failed(&e))?;
            return Ok(Stored::Known);
        }
        let properties = serde_json::to_string(row.properties)
            .map_err(|e| Error::internal(format!("the properties cannot be written: {e}")))?;
        transaction
            .prepare_cached(&format!(
                "INSERT INTO \"{}\" (process, source, file_name, remote_directory, timestamp, size,
                     sha256, content, properties, received_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                self.table
            ))
            .and_then(|mut statement| {
                statement.execute(params![
                    row.process,
                    row.source,
                    file_name,
                    directory,
                    timestamp,
                    size,
                    row.sha256,
                    ZeroBlob(row.size),
                    properties,
                    now
                ])
            })
            .map_err(|e| failed(&e))?;
        if row.size > 0 {
            let id = transaction.last_insert_rowid();
            let mut blob = transaction
                .blob_open("main", self.table.as_str(), "content", id, false)
                .map_err(|e| failed(&e))?;
            copy(body, &mut blob)?;
            blob.close().map_err(|e| failed(&e))?;
        }
        transaction.commit().map_err(|e| failed(&e))?;
        Ok(Stored::New)
    }
}

fn copy(body: &mut dyn Read, blob: &mut impl Write) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = match body.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(broken(&error)),
        };
        blob.write_all(&chunk[..count]).map_err(|e| broken(&e))?;
    }
}

fn broken(error: &io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("the body could not be stored: {error}"))
}

/// The error of a body that no row can hold.
pub(crate) fn too_large() -> Error {
    Error::new(
        ErrorKind::Quota,
        format!("the body is larger than the {LARGEST_BODY} bytes that a row of SQLite can hold"),
    )
    .with_hint("store it with a writeFiles step")
}

fn failed(error: &rusqlite::Error) -> Error {
    let message = format!("the database refused: {error}");
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            Error::new(ErrorKind::Busy, message)
        }
        Some(ErrorCode::TooBig) => too_large(),
        _ => Error::new(ErrorKind::Host, message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(properties: &Properties) -> Row<'_> {
        Row { process: "p", step: "s", source: "c", properties, size: 3, sha256: "x" }
    }

    #[test]
    fn a_document_with_an_identity_is_stored_once() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("a.db").display());
        let named = Properties::new()
            .with("fileName", "a.txt")
            .with("timestamp", "2026-01-01 00:00:00.000");
        let ledger = Ledger::open(&url, "files").unwrap();
        assert_eq!(ledger.store(&row(&named), &mut &b"abc"[..]).unwrap(), Stored::New);
        assert_eq!(ledger.store(&row(&named), &mut &b"abc"[..]).unwrap(), Stored::Known);
        let again = Ledger::open(&url, "files").unwrap();
        assert_eq!(again.store(&row(&named), &mut &b"abc"[..]).unwrap(), Stored::Known);
        let other = named.clone().with("remoteDirectory", "/b");
        assert_eq!(again.store(&row(&other), &mut &b"abc"[..]).unwrap(), Stored::New);
        let nameless = Properties::new().with("fileName", "a.txt");
        assert_eq!(again.store(&row(&nameless), &mut &b"abc"[..]).unwrap(), Stored::New);
        assert_eq!(again.store(&row(&nameless), &mut &b"abc"[..]).unwrap(), Stored::New);
        let rows: i64 = lock(&again.connection)
            .query_row("SELECT count(*) FROM files WHERE content = x'616263'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 4);
    }

    #[test]
    fn the_same_version_is_known_by_either_of_its_times() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("a.db").display());
        let ledger = Ledger::open(&url, "files").unwrap();
        let store = |timestamp: &str, utc: Option<&str>| {
            let mut properties =
                Properties::new().with("fileName", "a.txt").with("timestamp", timestamp);
            if let Some(utc) = utc {
                properties.insert("timestampUtc", utc);
            }
            ledger.store(&row(&properties), &mut &b"abc"[..]).unwrap()
        };
        let (noon, two) = ("2026-07-01 12:00:00.000", "2026-07-01 14:00:00.000");
        let utc = Some("2026-07-01T12:00:00Z");
        assert_eq!(store(noon, utc), Stored::New);
        // By another measure of the zone, by none, and in the other season.
        assert_eq!(store(two, utc), Stored::Known);
        assert_eq!(store(two, None), Stored::Known);
        assert_eq!(store(noon, Some("2026-07-01T11:00:00Z")), Stored::Known);
        assert_eq!(store("2026-07-02 12:00:00.000", Some("2026-07-02T12:00:00Z")), Stored::New);
    }

    #[test]
    fn addresses_and_names_are_checked() {
        assert!(check_url("sqlite:a/b.db").is_ok());
        for url in ["", "a.db", "sqlite:", "sqlite::memory:", "postgres://h/d", "mysql://h"] {
            assert_eq!(check_url(url).unwrap_err().kind(), ErrorKind::Configuration, "{url}");
        }
        assert!(check_table("_files2").is_ok());
        let names = ["", "2files", "a b", "a\"; drop table x; --", "sqlite_master", LEDGER];
        for table in names {
            assert_eq!(check_table(table).unwrap_err().kind(), ErrorKind::Configuration, "{table}");
        }
    }

    #[test]
    fn a_table_of_another_shape_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE files (id, process)").unwrap();
        let url = format!("sqlite:{}", path.display());
        let error = Ledger::open(&url, "files").err().unwrap();
        assert_eq!(error.report().path.as_deref(), Some("table"));
        assert!(error.message().contains("\"source\""), "{error}");
    }

    #[test]
    fn a_body_beyond_a_row_names_the_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", directory.path().join("a.db").display());
        let ledger = Ledger::open(&url, "files").unwrap();
        let properties = Properties::new();
        let row = Row { size: 1_000_000_001, ..row(&properties) };
        let error = ledger.store(&row, &mut io::empty()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Quota);
        assert!(error.report().hint.as_deref().unwrap().contains("writeFiles"));
    }
}
