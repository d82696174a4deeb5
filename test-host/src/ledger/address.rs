//! Where a database is: its address and the name of its table.

use std::path::Path;

use host_sdk::Error;

/// The ledger's table.
pub(super) const LEDGER: &str = "document_ledger";

/// The path of `sqlite:PATH`.
///
/// # Errors
///
/// `configuration` for any other address.
pub(crate) fn check_url(url: &str) -> Result<&Path, Error> {
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        return Err(Error::configuration(
            "",
            "postgres is not supported yet; use sqlite: and a path",
        ));
    }
    match url.strip_prefix("sqlite:") {
        Some("") => Err(Error::configuration("", "sqlite: needs a path, such as sqlite:files.db")),
        // It would be lost at the end of the process, which is never what is wanted.
        Some(":memory:") => {
            Err(Error::configuration("", "a database in memory is gone when the process ends"))
        }
        Some(path) => Ok(Path::new(path.strip_prefix("//").unwrap_or(path))),
        None => {
            Err(Error::configuration("", "expected sqlite: and a path, such as sqlite:files.db"))
        }
    }
}

/// Checks the name of a table.
///
/// # Errors
///
/// `configuration` for an invalid or a reserved name.
pub(crate) fn check_table(table: &str) -> Result<(), Error> {
    let plain = table.len() <= 63
        && table.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && table.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain {
        return Err(Error::configuration(
            "",
            "a table's name is up to 63 letters, digits and \"_\", and begins with no digit",
        ));
    }
    let lowercase = table.to_ascii_lowercase();
    if lowercase == LEDGER || lowercase.starts_with("sqlite_") {
        return Err(Error::configuration("", format!("the name \"{table}\" is reserved")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use host_sdk::ErrorKind;

    use super::*;

    #[test]
    fn addresses_and_names_are_checked() {
        assert!(check_url("sqlite:a/b.db").is_ok());
        for url in ["", "a.db", "sqlite:", "sqlite::memory:", "postgres://h/d", "mysql://h"] {
            assert_eq!(check_url(url).unwrap_err().kind(), ErrorKind::Configuration, "{url}");
        }
        assert!(check_table("_files2").is_ok());
        let names = ["", "2files", "a b", "a\"; drop table x; --", "sqlite_master", LEDGER];
        for table in names {
            assert_eq!(check_table(table).unwrap_err().kind(), ErrorKind::Configuration, "{table}");
        }
    }
}
