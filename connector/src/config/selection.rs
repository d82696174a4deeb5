//! Which entries of a directory are meant: how far it is walked, the filter, the order and the
//! limit.

use std::time::Duration;

use host_sdk::{Error, Settings};
use serde::Deserialize;

use super::filter::EntryFilter;

/// The order in which files are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum SortBy {
    /// As the server lists them.
    None,
    /// By path.
    FileName,
    /// The oldest first.
    Timestamp,
    /// The smallest first.
    Size,
    /// The newest, and no other (`newestOnly`).
    #[serde(skip)]
    Newest,
}

/// How long ago a file must have been modified.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct AgeLimits {
    pub(crate) minimum: Option<Duration>,
    pub(crate) maximum: Option<Duration>,
}

impl AgeLimits {
    /// Whether every file is meant, however old.
    pub(crate) fn is_open(&self) -> bool {
        *self == Self::default()
    }
}

/// How far a directory is walked.
#[derive(Debug)]
pub(crate) struct WalkSettings {
    /// How many levels below the directory; `None` is all.
    pub(crate) depth: Option<u64>,
    pub(crate) follow_links: bool,
    /// Whether one entry that cannot be used ends the walk with an error.
    pub(crate) strict: bool,
}

/// Which entries of a directory are meant, and in which order.
#[derive(Debug)]
pub(crate) struct SelectionSettings {
    pub(crate) walk: WalkSettings,
    pub(crate) filter: EntryFilter,
    /// How many bytes a file must have.
    pub(crate) minimum_size: Option<u64>,
    pub(crate) age: AgeLimits,
    pub(crate) sort_by: SortBy,
    /// `None` is all.
    pub(crate) maximum: Option<u64>,
}

pub(super) fn selection(
    options: &Settings,
    filter: EntryFilter,
    maximum: &str,
) -> Result<SelectionSettings, Error> {
    let follow_links = options.is("followSymbolicLinks");
    Ok(SelectionSettings {
        walk: WalkSettings {
            depth: limit(options, "recursive")?,
            follow_links,
            strict: options.is("strictListing"),
        },
        filter,
        minimum_size: options.get("minimumSize")?,
        age: AgeLimits {
            minimum: options.milliseconds("minimumAge"),
            maximum: options.milliseconds("maximumAge"),
        },
        sort_by: match options.is("newestOnly") {
            true => SortBy::Newest,
            false => options.require("sortBy")?,
        },
        maximum: limit(options, maximum)?,
    })
}

/// The number `id`; -1 is how the reference says "all".
fn limit(options: &Settings, id: &str) -> Result<Option<u64>, Error> {
    let number: i64 = options.require(id)?;
    Ok(u64::try_from(number).ok())
}
