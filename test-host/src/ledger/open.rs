//! Opens the database that an address names.

use host_sdk::Error;

use super::address::{check_table, check_url};
use super::ledger::Ledger;
use super::sqlite::SqliteLedger;

/// Opens the database at `url` and makes its tables where they are missing.
///
/// # Errors
///
/// `configuration` below `url` or `table` where it cannot be opened or does not fit; `busy` while
/// another process has locked it.
pub(crate) fn open(url: &str, table: &str) -> Result<Box<dyn Ledger>, Error> {
    let path = check_url(url).map_err(|e| e.under("url"))?;
    check_table(table).map_err(|e| e.under("table"))?;
    Ok(Box::new(SqliteLedger::open(path, table)?))
}
