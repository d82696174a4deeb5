//! Where documents are stored, once each.

mod address;
mod ledger;
mod open;
mod sqlite;
mod times;

pub(crate) use address::{check_table, check_url};
pub(crate) use ledger::{Ledger, Row, Stored};
pub(crate) use open::open;
