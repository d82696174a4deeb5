//! What the connector does, as one table: each case tells its section and its sentence, and is
//! proven on every row of the matrix, or once where no server is needed or only a scripted one
//! can show it.

mod beyond;
mod connection;
mod create;
mod delete;
mod descriptor;
mod filters;
mod get;
mod list;
mod purposes;
mod query;
mod removal;
mod runtime;
mod scripted;
mod shared;
mod staging;
mod tracked;

use crate::support::Bench;

/// The sections of the table, in the order in which they are counted.
pub(crate) const SECTIONS: [&str; 12] = [
    "Purposes",
    "Connection",
    "Shared fields",
    "Create",
    "Query",
    "Get",
    "Delete",
    "List",
    "Delete after reading",
    "Tracked properties",
    "Runtime contract",
    "Beyond",
];

/// One case.
pub(crate) struct Behaviour {
    /// One of [`SECTIONS`]; `Beyond` is more than any other product of this kind promises.
    pub(crate) section: &'static str,
    /// What is promised.
    pub(crate) says: &'static str,
    /// The name that failures and quirks use.
    pub(crate) name: &'static str,
    pub(crate) proof: Proof,
}

/// How a case is proven: it panics unless it holds.
pub(crate) enum Proof {
    /// Against the server of each row.
    EveryRow(fn(&Bench)),
    /// Without any of them.
    Once(fn()),
}

/// Makes a table of sections with their cases: what each says, and the function that proves it.
macro_rules! parity {
    ($($section:literal, $proof:ident => { $($says:literal: $name:ident,)* })*) => {
        &[$($(
            $crate::behaviours::Behaviour {
                section: $section,
                says: $says,
                name: stringify!($name),
                proof: $crate::behaviours::Proof::$proof($name),
            }
        ),*),*]
    };
}
use parity;

/// The whole table.
pub(crate) fn all() -> impl Iterator<Item = &'static Behaviour> {
    [
        purposes::CASES,
        connection::CASES,
        descriptor::CASES,
        shared::CASES,
        create::CASES,
        staging::CASES,
        query::CASES,
        filters::CASES,
        get::CASES,
        delete::CASES,
        list::CASES,
        removal::CASES,
        tracked::CASES,
        runtime::CASES,
        beyond::CASES,
        scripted::CASES,
    ]
    .into_iter()
    .flatten()
}

/// The cases of this run: all, or the one that `FTP_TEST_BEHAVIOUR` names.
pub(crate) fn chosen() -> Vec<&'static Behaviour> {
    let Ok(name) = std::env::var("FTP_TEST_BEHAVIOUR") else { return all().collect() };
    let cases: Vec<_> = all().filter(|case| case.name == name).collect();
    assert!(!cases.is_empty(), "FTP_TEST_BEHAVIOUR: {name} is no case");
    cases
}
