//! Browse: every operation works on one object type, the file.

use host_sdk::descriptor::OutputKind;
use host_sdk::{BrowseAnswer, BrowseRequest, Error, ObjectType};
use serde_json::{Value, json};

use crate::descriptor::{self, LIST};

/// The id of the one object type.
const FILE: &str = "file";

/// Answers `request`; no server is asked.
///
/// # Errors
///
/// `configuration` for an unknown operation or object type.
pub(crate) fn answer(request: &BrowseRequest) -> Result<BrowseAnswer, Error> {
    let Some(operation) = descriptor::operation(&request.operation) else {
        let known = descriptor::descriptor().operations.iter().map(|known| known.id.as_str());
        let expected = host_sdk::expected_one_of(&request.operation, known);
        return Err(Error::configuration(
            "operation",
            format!("unknown operation \"{}\"; {expected}", request.operation),
        ));
    };
    let object_types = vec![ObjectType { id: FILE.to_owned(), label: "File".to_owned() }];
    let output_profile = match request.object_type.as_deref() {
        None => None,
        Some(FILE) if operation.output == OutputKind::Json => {
            Some(if operation.id == LIST { listed_profile() } else { created_profile() })
        }
        Some(FILE) => None,
        Some(other) => {
            return Err(Error::configuration(
                "objectType",
                format!("unknown object type \"{other}\"; allowed is \"{FILE}\""),
            ));
        }
    };
    Ok(BrowseAnswer { object_types, input_profile: None, output_profile })
}

fn created_profile() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Created file",
        "type": "object",
        "properties": {
            "fileName": {"type": "string", "description": "The name as really created, without directories."},
            "remoteDirectory": {"type": "string", "description": "The path of its directory: absolute, unless the server does not tell where the login leads or has words of its own."},
            "timestamp": {"type": "string", "description": "When it was last modified, in the server's local time, with Include all metadata."},
            "timestampUtc": {"type": "string", "format": "date-time", "description": "The same in UTC."},
            "timestampPrecision": {"enum": ["day", "minute", "second", "millisecond"], "description": "How exactly the server told it."}
        },
        "required": ["fileName", "remoteDirectory"],
        "additionalProperties": false
    })
}

fn listed_profile() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Listed entry",
        "type": "object",
        "properties": {
            "fileName": {"type": "string", "description": "The name without directories."},
            "fileType": {"enum": ["regular_file", "directory", "symbolic_link", "unknown"]},
            "linkPath": {"type": ["string", "null"], "description": "Where a symbolic link points."},
            "remoteDirectory": {"type": "string", "description": "The path of the directory: absolute, unless the server does not tell where the login leads or has words of its own."},
            "timestamp": {"type": ["string", "null"], "description": "When it was last modified, in the server's local time."},
            "size": {"type": ["integer", "null"], "description": "Its size in bytes."},
            "sizeIsRounded": {"const": true, "description": "There where the server tells blocks or a rounded number: the size is about right."},
            "timestampUtc": {"type": ["string", "null"], "format": "date-time", "description": "The timestamp in UTC, where the server's time zone is known."},
            "timestampPrecision": {"enum": ["day", "minute", "second", "millisecond", null], "description": "How exactly the server told the timestamp."},
            "permissions": {"type": "string", "pattern": "^[0-7]{4}$", "description": "The Unix permission bits in octal, where the server tells them."},
            "perm": {"type": "string", "description": "What the user may do with it, in the letters of RFC 3659, where the server tells that."},
            "unique": {"type": "string", "description": "What the server knows it by whatever its name, where it tells that (RFC 3659)."}
        },
        "required": [
            "fileName", "fileType", "linkPath", "remoteDirectory", "timestamp", "size",
            "timestampUtc", "timestampPrecision"
        ],
        "additionalProperties": false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_belong_to_operations_with_json_output() {
        for (operation, has_profile) in
            [("create", true), ("list", true), ("query", false), ("get", false), ("delete", false)]
        {
            let request = BrowseRequest {
                operation: operation.to_owned(),
                object_type: Some(FILE.to_owned()),
            };
            let answer = answer(&request).unwrap();
            assert_eq!(answer.output_profile.is_some(), has_profile, "{operation}");
            assert_eq!(answer.object_types.len(), 1);
        }
    }

    #[test]
    fn an_unknown_operation_is_refused_with_a_suggestion() {
        let request = BrowseRequest { operation: "creat".to_owned(), object_type: None };
        assert!(answer(&request).unwrap_err().message().contains("did you mean \"create\"?"));
    }
}
