//! The properties that documents carry in and out.

use host_sdk::descriptor::TrackedProperty;

use super::ids::{CREATE, DELETE, GET, LIST, QUERY, ids, property};

pub(super) fn all() -> Vec<TrackedProperty> {
    vec![
        tracked(
            property::FILE_NAME,
            "File Name",
            "The file's name. Create takes it, with directories if it has any; Query and Get set \
             it, without.",
            &[CREATE],
            &[QUERY, GET],
        ),
        tracked(
            property::REMOTE_DIRECTORY,
            "Remote Directory",
            "The directory on the server. On an input it overrides that of the connection when it \
             is not blank; on an output it is absolute, or in the server's own words where it has no \
             Unix paths.",
            &[CREATE, QUERY, DELETE, GET, LIST],
            &[QUERY, GET],
        ),
        tracked(
            property::RELATIVE_DIRECTORY,
            "Relative Directory",
            "The directory of the file below the one that was queried, with / between names; . for \
             that one itself.",
            &[],
            &[QUERY],
        ),
        tracked(
            property::STAGING_DIRECTORY,
            "Staging Directory",
            "Overrides the operation's Staging Directory when it is not blank.",
            &[CREATE],
            &[],
        ),
        tracked(
            property::TEMPORARY_EXTENSION,
            "Temporary Extension",
            "Overrides the operation's Temporary Extension when it is not blank.",
            &[CREATE],
            &[],
        ),
        tracked(
            property::TIMESTAMP,
            "Timestamp",
            "When the file was last modified, as yyyy-MM-dd HH:mm:ss.SSS in the server's local \
             time. Get sets it with Include all metadata; Create takes it with Preserve Timestamp.",
            &[CREATE],
            &[QUERY, GET],
        ),
        tracked(
            property::TIMESTAMP_UTC,
            "Timestamp (UTC)",
            "The Timestamp in UTC, as RFC 3339 writes it. Not set where the server's time zone is \
             unknown. Get sets it with Include all metadata.",
            &[],
            &[QUERY, GET],
        ),
        tracked(
            property::TIMESTAMP_PRECISION,
            "Timestamp Precision",
            "How exactly the server told the Timestamp: day, minute, second or millisecond. What \
             it did not tell is 0 in the Timestamp. Of data sets z/OS tells only the day when they \
             were last referred to. Get sets it with Include all metadata.",
            &[],
            &[QUERY, GET],
        ),
    ]
}

fn tracked(
    id: &str,
    label: &str,
    help: &str,
    input_of: &[&str],
    output_of: &[&str],
) -> TrackedProperty {
    TrackedProperty {
        id: id.to_owned(),
        label: label.to_owned(),
        help: help.to_owned(),
        input_of: ids(input_of),
        output_of: ids(output_of),
    }
}
