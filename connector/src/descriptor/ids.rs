//! The ids of operations and of document properties.

/// Writes one file for each document.
pub(crate) const CREATE: &str = "create";
/// Reads every file that matches.
pub(crate) const QUERY: &str = "query";
/// Reads one file.
pub(crate) const GET: &str = "get";
/// Lists a directory.
pub(crate) const LIST: &str = "list";
/// Deletes one file.
pub(crate) const DELETE: &str = "delete";

/// Ids of document properties.
pub(crate) mod property {
    /// A name without directories on the way out; on the way in it may hold some.
    pub(crate) const FILE_NAME: &str = "fileName";
    /// A directory, absolute on the way out.
    pub(crate) const REMOTE_DIRECTORY: &str = "remoteDirectory";
    /// The directory of a file below the one that was queried.
    pub(crate) const RELATIVE_DIRECTORY: &str = "relativeDirectory";
    /// Where an upload lies until it is complete.
    pub(crate) const STAGING_DIRECTORY: &str = "stagingDirectory";
    /// What an upload's name ends in until it is complete.
    pub(crate) const TEMPORARY_EXTENSION: &str = "temporaryExtension";
    /// When the file was last modified.
    pub(crate) const TIMESTAMP: &str = "timestamp";
    /// The same time in UTC.
    pub(crate) const TIMESTAMP_UTC: &str = "timestampUtc";
    /// How exactly the server told it.
    pub(crate) const TIMESTAMP_PRECISION: &str = "timestampPrecision";
}

/// A list of ids, as the descriptor wants it.
pub(super) fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}
