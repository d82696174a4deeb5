//! The settings of the name that an upload has until it is complete.

use host_sdk::descriptor::Field;

pub(super) fn upload_name() -> Field {
    let field = Field::choice(
        "uploadName",
        "Upload Name",
        &[("temporary", "Temporary"), ("final", "Final")],
        "The name that an upload has until it is complete: another one, from which it is renamed, so \
         that nobody sees half of a file, or the one that the file is to have, for servers where the \
         user may not rename, and for mailboxes that take a file as soon as it is there. With Final, \
         whoever looks sees what has arrived so far, two uploads that look for a free name at once \
         may find the same one, and a file that is gone after its upload counts as taken. Ignored \
         with Append.",
    )
    .advanced();
    ["stagingDirectory", "temporaryExtension", "temporaryName"].into_iter().fold(
        field,
        |field, other| {
            let message = "an upload under its final name has no other name or place before: leave \
                           one of the two out";
            field.refused_with(&["final"], other, &[], message)
        },
    )
}

pub(super) fn temporary_name() -> Field {
    Field::text(
        "temporaryName",
        "Temporary Name",
        "The name that an upload has until it is complete, where Temporary Extension does not do: \
         {name} is the file's own name, {stem} that without its extension, {extension} its extension \
         with the dot, {random} 16 random hexadecimal digits and {random:8} 8 of them. \
         {random}{extension} suits servers that take files of certain extensions alone. It is never \
         longer than 255 bytes. What killed uploads leave under such a name is not removed later. \
         Ignored with Append.",
    )
    .advanced()
    .in_format("a pattern such as .{name}.{random}.part")
    .refused_with(
        &[],
        "temporaryExtension",
        &[],
        "both say what an upload is called until it is complete: leave one of them out",
    )
}
