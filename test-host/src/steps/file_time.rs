//! The time of a file as its document tells it.

use std::fs::File;
use std::time::SystemTime;

use host_sdk::{Error, ErrorKind, Properties};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Sets the time of `file` to that of a document; a document without one leaves it as it is.
///
/// # Errors
///
/// `document` for a time that cannot be read; `host` where the file cannot have it.
pub(super) fn set_time(file: &File, properties: &Properties) -> Result<(), Error> {
    let Some(time) = time_of(properties)? else { return Ok(()) };
    file.set_modified(SystemTime::from(time)).map_err(|e| {
        Error::new(ErrorKind::Host, format!("the time of the file could not be set: {e}"))
    })
}

/// `timestampUtc`, else `timestamp`, which has no zone and is read as UTC.
fn time_of(properties: &Properties) -> Result<Option<Timestamp>, Error> {
    let unreadable = |text: &str, e: jiff::Error| {
        Error::new(ErrorKind::Document, format!("\"{}\" is no time: {e}", text.escape_debug()))
    };
    if let Some(text) = properties.get("timestampUtc") {
        return text.parse().map(Some).map_err(|e| unreadable(text, e));
    }
    let Some(text) = properties.get("timestamp").filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let local: DateTime = text.trim().parse().map_err(|e| unreadable(text, e))?;
    let zoned = local.to_zoned(TimeZone::UTC).map_err(|e| unreadable(text, e))?;
    Ok(Some(zoned.timestamp()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_in_utc_comes_first() {
        let local = Properties::new().with("timestamp", "2026-01-02 03:04:05.678");
        assert_eq!(time_of(&local).unwrap().unwrap().to_string(), "2026-01-02T03:04:05.678Z");
        let both = local.with("timestampUtc", "2026-01-02T01:04:05Z");
        assert_eq!(time_of(&both).unwrap().unwrap().to_string(), "2026-01-02T01:04:05Z");
        assert_eq!(time_of(&Properties::new()).unwrap(), None);
        assert!(time_of(&Properties::new().with("timestamp", "yesterday")).is_err());
    }
}
