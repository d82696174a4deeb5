//! The ledger in SQLite.

#[cfg(test)]
mod batches_tests;
mod database;
mod store;

pub(super) use store::SqliteLedger;
