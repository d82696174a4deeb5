//! The names of local files that come with documents, from untrusted peers.

use host_sdk::{Error, ErrorKind};

/// The longest name of a file that common file systems take, in bytes.
pub(super) const LONGEST_NAME: usize = 255;

/// Names that Windows reserves for devices, with any extension.
const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];

/// The extension of a partial file.
pub(super) const EXTENSION: &str = ".partial";

/// True if a file `name` could be taken for a partial file.
pub(super) fn is_reserved(name: &str) -> bool {
    name.starts_with('.') && name.ends_with(EXTENSION)
}

/// Checks that `name` is one component of a path, here and on other systems.
///
/// # Errors
///
/// `document` for every other name.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_uppercase();
    let numbered = |device: &str| {
        stem.strip_prefix(device).is_some_and(|rest| {
            rest.chars().count() == 1 && rest != "0" && !rest.is_ascii() || {
                rest.len() == 1 && ("1"..="9").contains(&rest)
            }
        })
    };
    let reason = if name.is_empty() || name.trim().is_empty() {
        "it is blank"
    } else if name == "." || name == ".." {
        "it names a directory"
    } else if name.contains(['/', '\\']) {
        "it contains a separator of directories"
    } else if name.chars().any(char::is_control) {
        "it contains a control character"
    } else if name.len() > LONGEST_NAME {
        "it is longer than 255 bytes"
    } else if DEVICES.contains(&stem.as_str()) || numbered("COM") || numbered("LPT") {
        "it is reserved for a device"
    } else if is_reserved(name) {
        "it is reserved for files that are not whole yet"
    } else if name.ends_with([' ', '.']) {
        "it ends with a blank or a dot"
    } else if cfg!(windows) && name.contains(['<', '>', ':', '"', '|', '?', '*']) {
        "it contains a character that Windows does not take"
    } else {
        return Ok(());
    };
    Err(Error::new(
        ErrorKind::Document,
        format!("\"{}\" cannot be the name of a file: {reason}", name.escape_debug()),
    )
    .with_hint("set the property fileName with a setProperties step"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_more_than_a_name_are_refused() {
        let long = "a".repeat(256);
        let hostile = [
            "",
            " ",
            ".",
            "..",
            "/etc/passwd",
            "../up",
            "a/b",
            "a\\b",
            "..\\up",
            "a\0b",
            "a\nb",
            "\u{1b}[2J",
            "con",
            "NUL.txt",
            "com1",
            "LPT9.log",
            "a.",
            "a ",
            ".a.0123456789abcdef.partial",
            &long,
        ];
        for name in hostile {
            let error = check_name(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Document, "{name:?}");
            assert!(!error.message().contains(['\0', '\n', '\u{1b}']), "{error}");
        }
        for name in ["a", ".profile", "a.tar.gz", "com10", "console", "Ünïcode 1.txt", "a..b"] {
            check_name(name).unwrap();
        }
    }
}
