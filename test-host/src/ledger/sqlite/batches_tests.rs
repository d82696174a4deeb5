//! Rows that are committed together.

use std::path::Path;
use std::sync::Arc;

use host_sdk::{ErrorKind, Properties};
use rusqlite::Connection;

use super::store::SqliteLedger;
use crate::ledger::batches::{Batches, NewRow, RowBody};
use crate::ledger::ledger::Stored;

fn batches_of(path: &Path) -> Arc<Batches> {
    Batches::new(Box::new(SqliteLedger::open(path, "files").unwrap()))
}

fn new_row(number: usize, size: u64) -> NewRow {
    NewRow {
        process: "p".to_owned(),
        step: "s".into(),
        source: "c".into(),
        properties: Properties::new()
            .with("fileName", number.to_string())
            .with("timestamp", "2026-01-01 00:00:00.000"),
        size,
        sha256: "x".into(),
        body: RowBody::Memory(b"abc".to_vec()),
    }
}

#[test]
fn documents_that_wait_together_are_committed_together() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let batches = batches_of(&path);
    let commits = || {
        let watching = Connection::open(&path).unwrap();
        let count = |sql: &str| watching.query_row(sql, [], |row| row.get::<_, i64>(0));
        (count("SELECT count(*) FROM files").unwrap(), count("PRAGMA data_version").unwrap())
    };
    let mut tickets: Vec<_> = (0..100).map(|number| batches.add(new_row(number, 3))).collect();
    // One of another size than its body, one that is stored already, and one that is given up.
    let wrong = batches.add(new_row(100, 4));
    let again = batches.add(new_row(7, 3));
    drop(batches.add(new_row(101, 3)));
    assert_eq!(commits().0, 0);
    assert_eq!(tickets.pop().unwrap().wait().unwrap(), Stored::New);
    assert_eq!(commits().0, 100);
    assert_eq!(wrong.wait().unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(again.wait().unwrap(), Stored::Already);
    for ticket in tickets {
        assert_eq!(ticket.wait().unwrap(), Stored::New);
    }
    assert_eq!(commits().0, 100);
}

#[test]
fn many_threads_share_commits_and_each_gets_its_result() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.db");
    let batches = batches_of(&path);
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let batches = Arc::clone(&batches);
            scope.spawn(move || {
                for number in 0..50 {
                    let size = if number % 10 == 9 { 4 } else { 3 };
                    let stored = batches.add(new_row(thread * 50 + number, size)).wait();
                    assert_eq!(stored.is_ok(), size == 3);
                }
            });
        }
    });
    let rows: i64 = Connection::open(&path)
        .unwrap()
        .query_row("SELECT count(*) FROM files", [], |row| row.get(0))
        .unwrap();
    assert_eq!(rows, 360);
}
