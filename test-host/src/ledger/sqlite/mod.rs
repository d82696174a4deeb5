//! The ledger in SQLite.

mod database;
mod store;

pub(super) use store::SqliteLedger;
