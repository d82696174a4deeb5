//! What the connector does, whatever the server: one suite that every flavour runs.

mod create;
mod delete;
mod get;
mod list;
mod query;

use crate::support::Bench;

/// One behaviour, by the name that a report shows.
pub(crate) struct Behaviour {
    pub(crate) name: &'static str,
    pub(crate) prove: fn(&Bench),
}

/// Makes behaviours of functions, by their names.
macro_rules! behaviours {
    ($($name:ident),* $(,)?) => {
        &[$($crate::behaviours::Behaviour { name: stringify!($name), prove: $name }),*]
    };
}
use behaviours;

/// Every behaviour with its operation.
pub(crate) fn all() -> Vec<(&'static str, &'static Behaviour)> {
    let operations: [(&str, &[Behaviour]); 5] = [
        ("create", create::BEHAVIOURS),
        ("query", query::BEHAVIOURS),
        ("get", get::BEHAVIOURS),
        ("list", list::BEHAVIOURS),
        ("delete", delete::BEHAVIOURS),
    ];
    operations
        .into_iter()
        .flat_map(|(operation, behaviours)| behaviours.iter().map(move |one| (operation, one)))
        .collect()
}
