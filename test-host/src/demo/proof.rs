//! Compares the rows of the database with the files of the server.

use std::fs;
use std::io::{self, Read};
use std::path::Path;

use demo_server::DemoFile;
use host_sdk::Error;
use rusqlite::{Connection, OpenFlags};

use crate::engine::digest::Digest;

/// The table of the example.
pub(crate) const TABLE: &str = "files";

/// What the comparison found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Rows whose bytes are all correct.
    pub(crate) right: u64,
    /// Bytes in these.
    pub(crate) bytes: u64,
    /// What is wrong, one line each.
    pub(crate) wrong: Vec<String>,
}

fn unusable<E: std::fmt::Display>(path: &Path) -> impl Fn(E) -> Error + '_ {
    move |e| Error::configuration("", format!("database {} cannot be used: {e}", path.display()))
}

/// Removes the database of an earlier demonstration, and nothing else.
///
/// # Errors
///
/// `configuration` when there is something else at `path`.
pub(crate) fn discard_earlier(path: &Path, process: &str) -> Result<(), Error> {
    if !path.exists() {
        return Ok(());
    }
    let foreign = || {
        Error::configuration(
            "",
            format!("{} is there, and not of an earlier demonstration", path.display()),
        )
        .with_hint("name another file with --database")
    };
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(unusable(path))?;
    let others: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {TABLE} WHERE process <> ?1"), [process], |row| {
            row.get(0)
        })
        .map_err(|_| foreign())?;
    drop(connection);
    if others > 0 {
        return Err(foreign());
    }
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        if let Err(error) = fs::remove_file(&file)
            && error.kind() != io::ErrorKind::NotFound
        {
            let shown = path.display();
            return Err(Error::configuration("", format!("{shown} cannot be removed: {error}")));
        }
    }
    Ok(())
}

/// Reads every row of the database at `path` and compares it with its file.
///
/// # Errors
///
/// `configuration` when the database cannot be read.
pub(crate) fn compare(path: &Path, files: &[DemoFile]) -> Result<Comparison, Error> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .map_err(unusable(path))?;
    let mut comparison = Comparison::default();
    let rows: i64 = connection
        .query_row(&format!("SELECT count(*) FROM {TABLE}"), [], |row| row.get(0))
        .map_err(unusable(path))?;
    if u64::try_from(rows) != Ok(files.len() as u64) {
        comparison.wrong.push(format!("{rows} rows for {} files", files.len()));
    }
    let mut statement = connection
        .prepare(&format!("SELECT id, size, sha256 FROM {TABLE} WHERE file_name = ?1"))
        .map_err(unusable(path))?;
    for file in files {
        let row: Result<(i64, i64, String), _> =
            statement.query_row([&file.name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
        let Ok((id, size, sha256)) = row else {
            comparison.wrong.push(format!("{}: no row", file.name));
            continue;
        };
        // The columns of a row prove nothing. Its bytes do.
        let (bytes, digest) = digest(&connection, path, id)?;
        let right = bytes == file.size
            && digest == file.sha256
            && sha256 == file.sha256
            && u64::try_from(size) == Ok(file.size);
        if right {
            comparison.right += 1;
            comparison.bytes += bytes;
        } else {
            comparison.wrong.push(format!(
                "{}: {bytes} bytes with SHA-256 {digest}, not {} with {}",
                file.name, file.size, file.sha256
            ));
        }
    }
    Ok(comparison)
}

fn digest(connection: &Connection, path: &Path, id: i64) -> Result<(u64, String), Error> {
    let mut blob =
        connection.blob_open("main", TABLE, "content", id, true).map_err(unusable(path))?;
    let mut digest = Digest::default();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        let count = blob.read(&mut chunk).map_err(unusable(path))?;
        if count == 0 {
            break;
        }
        digest.update(&chunk[..count]);
    }
    let end = digest.end(host_sdk::Properties::new());
    Ok((end.bytes, end.sha256.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{self, Batches, NewRow, RowBody};

    #[test]
    fn a_wrong_byte_and_a_missing_row_are_found() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.db");
        let ledger = ledger::open(&format!("sqlite:{}", path.display()), TABLE).unwrap();
        let batches = Batches::new(ledger);
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        for (name, body) in [("a", b"abc"), ("b", b"abd")] {
            let properties = host_sdk::Properties::new().with("fileName", name);
            let row = NewRow {
                process: "p".to_owned(),
                step: "s".into(),
                source: "c".into(),
                properties,
                size: 3,
                sha256: sha256.into(),
                body: RowBody::Memory(body.to_vec()),
            };
            batches.add(row).wait().unwrap();
        }
        let file = |name: &str| DemoFile { name: name.into(), size: 3, sha256: sha256.into() };
        let comparison = compare(&path, &[file("a"), file("b"), file("c")]).unwrap();
        assert_eq!((comparison.right, comparison.bytes), (1, 3));
        assert_eq!(comparison.wrong.len(), 3, "{:?}", comparison.wrong);
        assert!(discard_earlier(&path, "q").is_err());
        drop(batches);
        discard_earlier(&path, "p").unwrap();
        assert!(!path.exists());
        fs::write(&path, "mine").unwrap();
        assert!(discard_earlier(&path, "p").is_err());
        assert_eq!(fs::read(&path).unwrap(), b"mine");
    }
}
