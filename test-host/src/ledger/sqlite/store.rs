//! Rows and their ledger entries, each pair in one transaction.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use host_sdk::{Error, ErrorKind, Properties};
use jiff::Timestamp;
use rusqlite::blob::ZeroBlob;
use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use super::database::{self, LARGEST_BODY, database_error, too_large};
use crate::ledger::address::LEDGER;
use crate::ledger::ledger::{Ledger, Row, Stored};
use crate::ledger::times::StatedTime;
use crate::locks::lock;

/// How many bytes of a body are copied at a time.
const CHUNK: usize = 256 * 1024;

/// A SQLite database in which documents are stored.
pub(crate) struct SqliteLedger {
    connection: Mutex<Connection>,
    table: String,
    directory: PathBuf,
}

impl SqliteLedger {
    /// Opens the database at `path` and makes its tables where they are missing.
    ///
    /// # Errors
    ///
    /// `configuration` below `url` or `table` where it cannot be opened or does not fit; `busy`
    /// while another process has locked it.
    pub(crate) fn open(path: &Path, table: &str) -> Result<Self, Error> {
        let connection = database::open(path, table)?;
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Self {
            connection: Mutex::new(connection),
            table: table.to_owned(),
            directory: directory.unwrap_or(Path::new(".")).to_owned(),
        })
    }
}

impl Ledger for SqliteLedger {
    fn directory(&self) -> &Path {
        &self.directory
    }

    fn check_size(&self, size: u64) -> Result<(), Error> {
        if size > LARGEST_BODY { Err(too_large()) } else { Ok(()) }
    }

    fn store_all(&self, documents: &mut [(Row<'_>, &mut dyn Read)]) -> Vec<Result<Stored, Error>> {
        let mut connection = lock(&self.connection);
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let mut transaction = match begun {
            Ok(transaction) => transaction,
            Err(e) => return vec![Err(database_error(&e)); documents.len()],
        };
        let mut results = Vec::with_capacity(documents.len());
        for (row, body) in documents.iter_mut() {
            let stored = self.store_one(&mut transaction, row, *body);
            // Some errors, such as a full disk, undo the whole transaction.
            if transaction.is_autocommit() {
                let undone = || Error::internal("the transaction ended before its commit");
                let error = stored.err().unwrap_or_else(undone);
                return vec![Err(error); documents.len()];
            }
            results.push(stored);
        }
        match transaction.commit() {
            Ok(()) => results,
            Err(e) => {
                let failed = database_error(&e);
                results.into_iter().map(|result| result.and(Err(failed.clone()))).collect()
            }
        }
    }
}

impl SqliteLedger {
    /// Stores one document within `transaction`, or nothing of it.
    fn store_one(
        &self,
        transaction: &mut Transaction<'_>,
        row: &Row<'_>,
        body: &mut dyn Read,
    ) -> Result<Stored, Error> {
        let savepoint = transaction.savepoint().map_err(|e| database_error(&e))?;
        let stored = self.insert(&savepoint, row, body)?;
        savepoint.commit().map_err(|e| database_error(&e))?;
        Ok(stored)
    }

    fn insert(
        &self,
        transaction: &Connection,
        row: &Row<'_>,
        body: &mut dyn Read,
    ) -> Result<Stored, Error> {
        let file_name = row.properties.get("fileName");
        let timestamp = row.properties.get("timestamp");
        let directory = row.properties.get("remoteDirectory");
        let size = i64::try_from(row.size).map_err(|_| too_large())?;
        let now = Timestamp::now().to_string();
        // Without a time, a new version of a file could not be told from a repeated delivery.
        let known = match file_name {
            Some(file_name) => recognise(transaction, row, file_name, size, &now),
            None => Ok(false),
        };
        let known = known.map_err(|e| database_error(&e))?;
        if known {
            return Ok(Stored::Already);
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
            .map_err(|e| database_error(&e))?;
        if row.size == 0 {
            copy(body, &mut io::sink(), 0)?;
        } else {
            let id = transaction.last_insert_rowid();
            let mut blob = transaction
                .blob_open("main", self.table.as_str(), "content", id, false)
                .map_err(|e| database_error(&e))?;
            copy(body, &mut blob, row.size)?;
            blob.close().map_err(|e| database_error(&e))?;
        }
        Ok(Stored::New)
    }
}

/// Whether the ledger has this version of a file. Records the times that identify it from now on.
///
/// A server can state a time on its own clock, and the next time in UTC, with another measured
/// offset. Either of the two proves that this is the same version. Of statements that agree, the
/// most precise one is kept.
fn recognise(
    transaction: &Connection,
    row: &Row<'_>,
    file_name: &str,
    size: i64,
    now: &str,
) -> Result<bool, rusqlite::Error> {
    let directory = directory_of(row.properties);
    let of_file = "process = ?1 AND step = ?2 AND source = ?3 AND remote_directory = ?4
         AND file_name = ?5 AND size = ?6 AND sha256 = ?7";
    let (process, step, source, sha256) = (row.process, row.step, row.source, row.sha256);
    let mut known = false;
    for time in StatedTime::of(row.properties) {
        let (first, end) = time.range();
        let entries = transaction
            .prepare_cached(&format!(
                "SELECT timestamp FROM {LEDGER}
                 WHERE {of_file} AND timestamp >= ?8 AND timestamp < ?9"
            ))?
            .query_map(
                params![process, step, source, directory, file_name, size, sha256, first, end],
                |row| row.get::<_, String>(0),
            )?
            .collect::<Result<Vec<_>, _>>()?;
        let mut is_noted = false;
        for entry in entries {
            let noted = StatedTime::from_entry(&entry);
            if !noted.agrees(&time) {
                continue;
            }
            known = true;
            if time.is_finer_than(&noted) {
                let delete = format!("DELETE FROM {LEDGER} WHERE {of_file} AND timestamp = ?8");
                transaction.prepare_cached(&delete)?.execute(params![
                    process, step, source, directory, file_name, size, sha256, entry
                ])?;
            } else {
                is_noted = true;
            }
        }
        if !is_noted {
            let insert = format!(
                "INSERT INTO {LEDGER} VALUES (?1, ?2, ?3, ?4, ?5, ?8, ?6, ?7, ?9)
                 ON CONFLICT DO NOTHING"
            );
            let entry = time.entry();
            transaction.prepare_cached(&insert)?.execute(params![
                process, step, source, directory, file_name, size, sha256, entry, now
            ])?;
        }
    }
    Ok(known)
}

/// The directory that distinguishes files of one name: on the server, or below the directory of a
/// readFiles step.
fn directory_of(properties: &Properties) -> &str {
    let local = || properties.get("directory").filter(|directory| *directory != ".");
    properties.get("remoteDirectory").or_else(local).unwrap_or_default()
}

/// Copies all of `body` into `blob`, which has `size` bytes. Missing bytes would stay zeros, and
/// further ones would be lost.
fn copy(body: &mut dyn Read, blob: &mut impl Write, size: u64) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    let mut copied = 0;
    loop {
        let count = match body.read(&mut chunk) {
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(io_error(&error)),
        };
        copied += count as u64;
        if copied > size || (count == 0 && copied < size) {
            return Err(Error::internal(format!(
                "the body to be stored does not have the {size} bytes of its document"
            )));
        }
        if count == 0 {
            return Ok(());
        }
        blob.write_all(&chunk[..count]).map_err(|e| io_error(&e))?;
    }
}

fn io_error(error: &io::Error) -> Error {
    Error::new(ErrorKind::Host, format!("the body could not be stored: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    impl SqliteLedger {
        fn store(&self, row: Row<'_>, body: &mut dyn Read) -> Result<Stored, Error> {
            self.store_all(&mut [(row, body)]).pop().unwrap()
        }
    }

    fn row(properties: &Properties) -> Row<'_> {
        Row { process: "p", step: "s", source: "c", properties, size: 3, sha256: "x" }
    }

    #[test]
    fn a_document_with_an_identity_is_stored_once() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let named = Properties::new()
            .with("fileName", "a.txt")
            .with("timestamp", "2026-01-01 00:00:00.000");
        let ledger = SqliteLedger::open(&path, "files").unwrap();
        assert_eq!(ledger.store(row(&named), &mut &b"abc"[..]).unwrap(), Stored::New);
        assert_eq!(ledger.store(row(&named), &mut &b"abc"[..]).unwrap(), Stored::Already);
        let again = SqliteLedger::open(&path, "files").unwrap();
        assert_eq!(again.store(row(&named), &mut &b"abc"[..]).unwrap(), Stored::Already);
        let other = named.clone().with("remoteDirectory", "/b");
        assert_eq!(again.store(row(&other), &mut &b"abc"[..]).unwrap(), Stored::New);
        let nameless = Properties::new().with("fileName", "a.txt");
        assert_eq!(again.store(row(&nameless), &mut &b"abc"[..]).unwrap(), Stored::New);
        assert_eq!(again.store(row(&nameless), &mut &b"abc"[..]).unwrap(), Stored::New);
        let rows: i64 = lock(&again.connection)
            .query_row("SELECT count(*) FROM files WHERE content = x'616263'", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 4);
    }

    #[test]
    fn the_same_version_is_known_by_either_of_its_times() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let ledger = SqliteLedger::open(&path, "files").unwrap();
        let store = |timestamp: &str, utc: Option<&str>| {
            let mut properties =
                Properties::new().with("fileName", "a.txt").with("timestamp", timestamp);
            if let Some(utc) = utc {
                properties.insert("timestampUtc", utc);
            }
            ledger.store(row(&properties), &mut &b"abc"[..]).unwrap()
        };
        let (noon, two) = ("2026-07-01 12:00:00.000", "2026-07-01 14:00:00.000");
        let utc = Some("2026-07-01T12:00:00Z");
        assert_eq!(store(noon, utc), Stored::New);
        // With another measured offset, without one, and in the other season.
        assert_eq!(store(two, utc), Stored::Already);
        assert_eq!(store(two, None), Stored::Already);
        assert_eq!(store(noon, Some("2026-07-01T11:00:00Z")), Stored::Already);
        assert_eq!(store("2026-07-02 12:00:00.000", Some("2026-07-02T12:00:00Z")), Stored::New);
    }

    #[test]
    fn a_version_is_known_at_the_coarser_precision() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let ledger = SqliteLedger::open(&path, "files").unwrap();
        let store = |timestamp: &str, precision: &str| {
            let properties = Properties::new()
                .with("fileName", "a.txt")
                .with("timestamp", timestamp)
                .with("timestampPrecision", precision);
            ledger.store(row(&properties), &mut &b"abc"[..]).unwrap()
        };
        assert_eq!(store("2026-01-05 10:20:00.000", "minute"), Stored::New);
        // After half a year, and then from a server that states more.
        assert_eq!(store("2026-01-05 00:00:00.000", "day"), Stored::Already);
        assert_eq!(store("2026-01-05 10:20:31.000", "second"), Stored::Already);
        // The same bytes, delivered twice within a minute.
        assert_eq!(store("2026-01-05 10:20:47.000", "second"), Stored::New);
        assert_eq!(store("2026-01-05 10:20:47.250", "millisecond"), Stored::Already);
        assert_eq!(store("2026-01-06 00:00:00.000", "day"), Stored::New);
    }

    #[test]
    fn a_body_of_another_size_than_its_document_leaves_no_row() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let ledger = SqliteLedger::open(&path, "files").unwrap();
        let properties = Properties::new();
        for (size, body) in [(3, &b"ab"[..]), (3, b""), (2, b"abc"), (0, b"abc")] {
            let row = Row { size, ..row(&properties) };
            let error = ledger.store(row, &mut &*body).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal, "{size}");
        }
        let rows: i64 = lock(&ledger.connection)
            .query_row("SELECT count(*) FROM files", [], |row| row.get(0))
            .unwrap();
        assert_eq!(rows, 0);
    }

    #[test]
    fn a_body_beyond_a_row_names_the_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        let ledger = SqliteLedger::open(&path, "files").unwrap();
        let properties = Properties::new();
        let row = Row { size: 1_000_000_001, ..row(&properties) };
        let error = ledger.store(row, &mut io::empty()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Quota);
        assert!(error.report().hint.as_deref().unwrap().contains("writeFiles"));
    }
}
