//! A SQLite database: its connection, its tables, its limits and its errors.

use std::path::Path;
use std::time::{Duration, Instant};

use host_sdk::{Error, ErrorKind};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use crate::ledger::address::LEDGER;

/// The largest body of a row in bytes: `SQLITE_MAX_LENGTH` (1,000,000,000) minus room for the other
/// columns.
pub(super) const LARGEST_BODY: u64 = 1_000_000_000 - 1024 * 1024;

/// How long to wait for another process that has locked the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause before the tables are made again.
const PAUSE: Duration = Duration::from_millis(10);

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

/// Opens the database at `path` and makes its tables where they are missing.
///
/// # Errors
///
/// `configuration` below `url` or `table` where it cannot be opened or does not fit; `busy`
/// while another process has locked it.
pub(super) fn open(path: &Path, table: &str) -> Result<Connection, Error> {
    let shown = path.display();
    let unusable = |e: rusqlite::Error| match database_error(&e) {
        error if error.kind() == ErrorKind::Busy => error,
        _ => Error::configuration("url", format!("database {shown} cannot be used: {e}")),
    };
    // Without SQLITE_OPEN_URI, which reads settings from the path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags(path, flags).map_err(unusable)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(unusable)?;
    prepare(&connection, table).map_err(unusable)?;
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
    Ok(connection)
}

/// Makes the tables where they are missing, also if many processes start with the same new file.
///
/// SQLite does not always wait for another process. It fails at once if two processes change the
/// journal mode of one file, or if a read becomes a write. All of it can be repeated, so it is
/// repeated until [`BUSY_TIMEOUT`] is over.
fn prepare(connection: &Connection, table: &str) -> Result<(), rusqlite::Error> {
    let started = Instant::now();
    loop {
        match try_prepare(connection, table) {
            Err(error) if is_passing(&error) && started.elapsed() < BUSY_TIMEOUT => {
                std::thread::sleep(PAUSE);
            }
            other => return other,
        }
    }
}

fn is_passing(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::SchemaChanged
        )
    )
}

fn try_prepare(connection: &Connection, table: &str) -> Result<(), rusqlite::Error> {
    connection.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")?;
    // A transaction that starts with a write lock waits for its turn.
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS \"{table}\" (
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
    ))?;
    transaction.commit()
}

/// The error of a body that does not fit into a row.
pub(super) fn too_large() -> Error {
    Error::new(
        ErrorKind::Quota,
        format!("the body is larger than the {LARGEST_BODY} bytes that a row of SQLite can hold"),
    )
    .with_hint("store it with a writeFiles step")
}

/// The error of a statement.
pub(super) fn database_error(error: &rusqlite::Error) -> Error {
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

    #[test]
    fn a_table_of_another_shape_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE files (id, process)").unwrap();
        let error = open(&path, "files").err().unwrap();
        assert_eq!(error.report().path.as_deref(), Some("table"));
        assert!(error.message().contains("\"source\""), "{error}");
    }
}
