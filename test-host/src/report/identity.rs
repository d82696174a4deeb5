//! Which run of which process a line belongs to.

use std::collections::BTreeMap;

/// Which run of which process a report is of, and what its steps connect to.
#[derive(Clone, Debug, Default)]
pub struct RunIdentity {
    /// A number of this run alone.
    pub run: String,
    /// The process's name; empty where it cannot be read.
    pub process: String,
    /// For each step with a connection, its name and address, such as `partner
    /// (acme@ftp.example.com:21)`.
    pub services: BTreeMap<String, String>,
}

impl RunIdentity {
    /// A new run of `process`.
    #[must_use]
    pub fn new(process: &str) -> Self {
        let number = uuid::Uuid::new_v4().simple().to_string();
        let run = number.get(..12).unwrap_or(&number).to_owned();
        Self { run, process: process.to_owned(), services: BTreeMap::new() }
    }
}

/// Now, in UTC, to the millisecond: `2026-11-27T22:00:00.123Z`.
pub(super) fn time() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
