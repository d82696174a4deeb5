//! Opening the database: its address, its tables and their names.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use host_sdk::{Error, ErrorKind};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, OptionalExtension, Transaction, TransactionBehavior, params,
};

use super::{Ledger, failed};

/// The ledger's table.
pub(super) const LEDGER: &str = "document_ledger";

/// How long another process may hold the database.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// The pause before the tables are made once more.
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
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Self {
            connection: Mutex::new(connection),
            table: table.to_owned(),
            directory: directory.unwrap_or(Path::new(".")).to_owned(),
        })
    }
}

/// Makes the tables where they are missing, however many processes start with the same new file.
///
/// SQLite does not wait for another process in every place: it answers at once where two change
/// the journal of one file, and where a read became a write. All of it can be done a second time,
/// so it is tried until [`BUSY_TIMEOUT`] is over.
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
    // A transaction that writes from its first statement on waits for its turn.
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

#[cfg(test)]
mod tests {
    use super::*;

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
}
