//! The five operations and their settings.

use host_sdk::descriptor::{Field, InputKind, OperationDescriptor, OutputKind, Parameter};

use super::filter::filter;
use super::ids::{CREATE, DELETE, GET, LIST, QUERY, ids, property};
use super::selection::{
    follow_symbolic_links, maximum, maximum_age, minimum_age, minimum_size, newest_only, recursive,
    sort_by, strict_listing,
};
use super::upload_name::{temporary_name, upload_name};

pub(super) fn all() -> Vec<OperationDescriptor> {
    vec![create(), query(), get(), list(), delete()]
}

fn create() -> OperationDescriptor {
    // An upload that is added to a file has no name of its own until it is complete.
    let replacing = ["createUniqueName", "overwrite", "generateError"];
    OperationDescriptor {
        id: CREATE.to_owned(),
        label: "Create".to_owned(),
        help: "Writes one file for each input document, under its File Name. The output tells \
               the name and directory as they really are."
            .to_owned(),
        input: InputKind::Document,
        output: OutputKind::Json,
        fields: vec![
            transfer_format(),
            checksum(),
            Field::choice(
                "actionIfFileExists",
                "Action if File Exists",
                &[
                    ("createUniqueName", "Create Unique Name"),
                    ("overwrite", "Overwrite"),
                    ("append", "Append"),
                    ("generateError", "Generate Error"),
                ],
                "What happens when the name is taken: output.txt becomes output1.txt, the file is \
                 replaced, the document is added at its end, or the document is refused.",
            ),
            Field::text(
                "stagingDirectory",
                "Staging Directory",
                "Where the upload lies until it is complete; then it is renamed into place. \
                 Ignored with Append.",
            )
            .visible_when("actionIfFileExists", &replacing),
            Field::text(
                "temporaryExtension",
                "Temporary Extension",
                "What the upload's name ends in until it is complete; .tmp and tmp mean the same. \
                 Ignored with Append.",
            )
            .visible_when("actionIfFileExists", &replacing),
            upload_name().visible_when("actionIfFileExists", &replacing),
            temporary_name().visible_when("actionIfFileExists", &replacing),
            Field::boolean(
                "createDirectories",
                "Create Directories",
                true,
                "Whether missing directories are made.",
            ),
            Field::boolean(
                "verify",
                "Verify",
                true,
                "Whether the server has to have as many bytes as were sent (SIZE) before a file \
                 gets its name. To be switched off for servers that change what they store.",
            )
            .advanced(),
            Field::boolean(
                "preserveTimestamp",
                "Preserve Timestamp",
                false,
                "Whether the file gets the time of the document's Timestamp, where the server can \
                 set times (MFMT). Ignored with Append.",
            )
            .advanced()
            .visible_when("actionIfFileExists", &replacing),
            Field::text(
                "permissions",
                "Permissions",
                "The permission bits that the file gets, where the server has SITE CHMOD. \
                 Ignored with Append.",
            )
            .advanced()
            .in_format("three or four octal digits")
            .visible_when("actionIfFileExists", &replacing),
            include_all_metadata("Whether the output carries the file's timestamp."),
            parallel_transfers(
                "How many documents are written at once, each over a session of its own, up to the \
                 connection's Maximum Connections. Documents of the same name are then written in \
                 no certain order. 1 with Append.",
            ),
            return_application_errors(),
        ],
        parameters: Vec::new(),
        filter: None,
        dynamic_properties: ids(&[
            property::FILE_NAME,
            property::REMOTE_DIRECTORY,
            property::STAGING_DIRECTORY,
            property::TEMPORARY_EXTENSION,
            property::TIMESTAMP,
        ]),
    }
}

fn query() -> OperationDescriptor {
    OperationDescriptor {
        id: QUERY.to_owned(),
        label: "Query".to_owned(),
        help: "Reads every file of a directory that the filter selects: one output document for \
               each, its content as the body."
            .to_owned(),
        input: InputKind::None,
        output: OutputKind::Binary,
        fields: vec![
            transfer_format(),
            verify_reading(),
            checksum(),
            delete_after_reading(),
            move_after_reading(),
            fail_if_unable_to_delete(),
            maximum("maximumFiles", "Maximum Number of Files to Return", "files"),
            follow_symbolic_links(),
            recursive(),
            strict_listing(),
            minimum_age("are left for the next time"),
            maximum_age(),
            minimum_size(),
            newest_only(),
            sort_by("files are read"),
            parallel_transfers(
                "How many files are read at once, each over a session of its own, up to the \
                 connection's Maximum Connections. Documents then come in no certain order.",
            ),
            return_application_errors(),
        ],
        parameters: Vec::new(),
        filter: Some(filter(false)),
        dynamic_properties: ids(&[property::REMOTE_DIRECTORY]),
    }
}

fn get() -> OperationDescriptor {
    OperationDescriptor {
        id: GET.to_owned(),
        label: "Get".to_owned(),
        help: "Reads one file by its ID. A missing file is an empty success: no document, no \
               error."
            .to_owned(),
        input: InputKind::Id,
        output: OutputKind::Binary,
        fields: vec![
            transfer_format(),
            verify_reading(),
            checksum(),
            include_all_metadata("Whether the document carries the file's timestamp."),
            delete_after_reading(),
            move_after_reading(),
            fail_if_unable_to_delete(),
            parallel_transfers(
                "How many documents are answered at once, each over a session of its own, up to the \
                 connection's Maximum Connections. Documents then come in no certain order.",
            ),
            return_application_errors(),
        ],
        parameters: vec![id_parameter()],
        filter: None,
        dynamic_properties: ids(&[property::REMOTE_DIRECTORY]),
    }
}

fn list() -> OperationDescriptor {
    OperationDescriptor {
        id: LIST.to_owned(),
        label: "List".to_owned(),
        help: "Lists a directory: one JSON document for each entry that the filter selects."
            .to_owned(),
        input: InputKind::None,
        output: OutputKind::Json,
        fields: vec![
            maximum("maximumResults", "Maximum Results", "entries"),
            recursive(),
            strict_listing(),
            minimum_age("are left out"),
            maximum_age(),
            minimum_size(),
            newest_only(),
            sort_by("entries are told"),
            return_application_errors(),
        ],
        parameters: Vec::new(),
        filter: Some(filter(true)),
        dynamic_properties: ids(&[property::REMOTE_DIRECTORY]),
    }
}

fn delete() -> OperationDescriptor {
    OperationDescriptor {
        id: DELETE.to_owned(),
        label: "Delete".to_owned(),
        help: "Deletes one file by its ID. A missing file is an error.".to_owned(),
        input: InputKind::Id,
        output: OutputKind::None,
        fields: vec![
            parallel_transfers(
                "How many documents are answered at once, each over a session of its own, up to the \
                 connection's Maximum Connections.",
            ),
            return_application_errors(),
        ],
        parameters: vec![id_parameter()],
        filter: None,
        dynamic_properties: ids(&[property::REMOTE_DIRECTORY]),
    }
}

fn transfer_format() -> Field {
    Field::choice(
        "transferFormat",
        "Transfer Format",
        &[("binary", "Binary"), ("ascii", "ASCII")],
        "Whether bytes travel as they are, or as text whose line ends are converted between this \
         side's LF and the network's CRLF (RFC 959 §3.1.1.1).",
    )
}

fn checksum() -> Field {
    Field::choice(
        "checksum",
        "Checksum",
        &[
            ("none", "None"),
            ("auto", "Automatic"),
            ("sha256", "SHA-256"),
            ("sha512", "SHA-512"),
            ("sha1", "SHA-1"),
            ("md5", "MD5"),
            ("crc32", "CRC-32"),
        ],
        "Whether files are compared with a checksum that the server computes (HASH, XSHA256 and \
         their like). Automatic does so with binary files where the server can; an algorithm is \
         demanded. The server reads each file once more for it. Not with Append.",
    )
    .advanced()
}

fn include_all_metadata(help: &str) -> Field {
    Field::boolean("includeAllMetadata", "Include all metadata", false, help)
}

fn delete_after_reading() -> Field {
    Field::boolean(
        "deleteAfterReading",
        "Delete file(s) after reading",
        false,
        "Whether a file is deleted once its document is durable in what comes after.",
    )
    .consuming_source()
}

fn move_after_reading() -> Field {
    Field::text(
        "moveAfterReading",
        "Move file(s) after reading",
        "The directory that a file is moved to once its document is durable in what comes after; \
         it counts from the file's own directory and is made if it is missing. A name that is \
         taken there gets a number.",
    )
    .consuming_source()
}

fn verify_reading() -> Field {
    Field::boolean(
        "verify",
        "Verify",
        true,
        "Whether as many bytes have to arrive as the server says that the file has (SIZE). To be \
         switched off for files that grow while they are read, and for servers that store other \
         bytes than they send.",
    )
    .advanced()
    .warned_with(
        &["false"],
        "deleteAfterReading",
        &["true"],
        "files are deleted although nothing proves that all of their bytes arrived",
    )
    .warned_with(
        &["false"],
        "moveAfterReading",
        &[],
        "files are moved although nothing proves that all of their bytes arrived",
    )
}

fn fail_if_unable_to_delete() -> Field {
    Field::boolean(
        "failIfUnableToDelete",
        "Fail if unable to delete",
        false,
        "Whether a file is an error without a document where the server says beforehand that it \
         cannot be deleted or moved (the fact perm of MLSD and MLST). In every other case its \
         document is delivered, and a failure follows it.",
    )
    .advanced()
}

fn parallel_transfers(help: &str) -> Field {
    Field::integer("parallelTransfers", "Parallel Transfers", 1, help).up_to(64).or(1)
}

fn return_application_errors() -> Field {
    Field::boolean(
        "returnApplicationErrors",
        "Return Application Error Responses",
        false,
        "Whether a refused document flows on with the error as properties, instead of ending as \
         an error.",
    )
}

fn id_parameter() -> Parameter {
    Parameter {
        id: "id".to_owned(),
        label: "ID".to_owned(),
        help: "The file's name; directories before it count from the Remote Directory, an \
               absolute path replaces it."
            .to_owned(),
        required: true,
    }
}
