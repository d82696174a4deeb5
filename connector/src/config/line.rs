//! Texts that become part of a command.

use host_sdk::Error;

/// Refuses a text that could end a command early.
///
/// # Errors
///
/// `configuration` at `id`.
pub(super) fn check_line(id: &str, text: &str) -> Result<(), Error> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Error::configuration(id, "must not contain CR, LF or NUL"));
    }
    Ok(())
}
