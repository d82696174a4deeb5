//! The settings by which query and list select.

use host_sdk::descriptor::Field;

pub(super) fn recursive() -> Field {
    Field::integer(
        "recursive",
        "Recursive",
        -1,
        "How many levels of directories below the Remote Directory are included. 0 is none, -1 \
         is all.",
    )
    .or(0)
}

pub(super) fn follow_symbolic_links() -> Field {
    Field::boolean(
        "followSymbolicLinks",
        "Follow symbolic links",
        false,
        "Whether links count as what they lead to. A link that leads nowhere is an error then.",
    )
}

pub(super) fn strict_listing() -> Field {
    Field::boolean(
        "strictListing",
        "Strict Listing",
        false,
        "Whether one entry or directory that cannot be read ends the operation with an error. \
         Otherwise it is an error by itself, and the others go on.",
    )
    .advanced()
}

pub(super) fn minimum_age(consequence: &str) -> Field {
    Field::duration(
        "minimumAge",
        "Minimum Age (ms)",
        0,
        &format!(
            "How long ago a file must have been modified: younger ones may still be being \
             written, and {consequence}. 0 is no minimum."
        ),
    )
    .or(0)
}

pub(super) fn maximum_age() -> Field {
    Field::duration(
        "maximumAge",
        "Maximum Age (ms)",
        0,
        "How long ago a file may have been modified: older ones are left out. 0 is no maximum.",
    )
    .or(0)
    .advanced()
}

pub(super) fn minimum_size() -> Field {
    Field::size(
        "minimumSize",
        "Minimum Size",
        "How many bytes a file must have: smaller ones are left out. Blank is no minimum.",
    )
    .advanced()
}

pub(super) fn newest_only() -> Field {
    Field::boolean(
        "newestOnly",
        "Newest Only",
        false,
        "Whether only the newest of the files that are selected counts. Where a listing does not \
         tell which of two is newer, MDTM decides.",
    )
    .advanced()
    .refused_with(
        &["true"],
        "sortBy",
        &["fileName", "timestamp", "size"],
        "one file has no order: leave out sortBy, or newestOnly",
    )
}

pub(super) fn sort_by(what: &str) -> Field {
    Field::choice(
        "sortBy",
        "Sort By",
        &[
            ("none", "As listed"),
            ("fileName", "File Name"),
            ("timestamp", "Timestamp"),
            ("size", "Size"),
        ],
        &format!(
            "The order in which {what}: as the server lists them, by path, the oldest first, or \
             the smallest first. What the server does not tell comes last."
        ),
    )
}

pub(super) fn maximum(id: &str, label: &str, what: &str) -> Field {
    Field::integer(
        id,
        label,
        -1,
        &format!("How many {what} are returned at most. -1 is all; 0 is an error."),
    )
    .except(0)
    .or(-1)
}
