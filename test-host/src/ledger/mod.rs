//! Where documents are stored, once each.

mod address;
mod batches;
mod ledger;
mod open;
mod sqlite;
mod times;

pub(crate) use address::{check_table, check_url};
pub(crate) use batches::{Batches, NewRow, RowBody, Ticket};
pub(crate) use ledger::Stored;
pub(crate) use open::open;
