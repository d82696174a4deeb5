//! In which zone a server states times: LIST leaves it open, MDTM and MLSD are in UTC.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use super::report::CheckResult;
use crate::failure::Failure;
use crate::file::path::RemotePath;
use crate::file::time::zone::{Measured, ServerTimeZone};
use crate::session::{ProbedListing, Session};

/// Compares what the server says about one file in two ways.
///
/// # Errors
///
/// What a command can fail with.
pub(super) fn examine(
    session: &mut Session,
    directory: &RemotePath,
    listing: &ProbedListing,
) -> Result<CheckResult, Failure> {
    if listing.samples.is_empty() {
        return Ok(CheckResult::skipped(
            "the directory has no file with a plain name and a time of day to compare",
        ));
    }
    let by_facts = listing.samples.are_utc();
    if let Some(measured) = session.measure(directory, &listing.samples)? {
        return Ok(judge(&measured, by_facts, &session.settings().zone));
    }
    Ok(if by_facts {
        CheckResult::ok("MLSD states times in UTC; those of LIST could not be compared with them")
    } else {
        CheckResult::skipped("the server has no time in UTC (MDTM) to compare the listing's with")
    })
}

fn judge(measured: &Measured, by_facts: bool, zone: &ServerTimeZone) -> CheckResult {
    let (name, date) = (name(measured.offset), measured.utc.date());
    if by_facts {
        return CheckResult::ok(format!(
            "MLSD states times in UTC; LIST would state them in {name}"
        ));
    }
    let found = format!("LIST states times in {name}, as MDTM shows");
    match zone {
        ServerTimeZone::Auto if measured.offset == Offset::UTC => CheckResult::ok(found),
        ServerTimeZone::Auto => CheckResult::warning(
            found,
            format!("set serverTimeZone to the server's zone, one that is {name} on {date}"),
        ),
        ServerTimeZone::Known(zone) => match offset_of(zone, measured.utc) {
            Some(expected) if expected == measured.offset => {
                CheckResult::ok(format!("{found}, and serverTimeZone says"))
            }
            _ => CheckResult::warning(
                found,
                format!(
                    "set serverTimeZone to a zone that is {name} on {date}, unless MDTM is not in \
                     UTC, as with use_localtime in vsftpd"
                ),
            ),
        },
    }
}

fn offset_of(zone: &TimeZone, utc: DateTime) -> Option<Offset> {
    let instant = TimeZone::UTC.to_timestamp(utc).ok()?;
    Some(zone.to_offset(instant))
}

fn name(offset: Offset) -> String {
    if offset == Offset::UTC {
        return "UTC".to_owned();
    }
    let minutes = offset.seconds() / 60;
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use host_sdk::CheckStatus;
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn a_configured_zone_has_to_agree_at_the_files_time() {
        let berlin = ServerTimeZone::from_name("Europe/Berlin").unwrap();
        let summer = datetime(2026, 7, 1, 22, 10, 0, 0);
        let winter = datetime(2026, 1, 1, 22, 10, 0, 0);
        let measured = |minutes: i32, utc| Measured {
            offset: Offset::from_seconds(minutes * 60).unwrap(),
            utc,
        };
        let cases = [
            (120, summer, CheckStatus::Ok),
            (60, summer, CheckStatus::Warning),
            (60, winter, CheckStatus::Ok),
            (0, winter, CheckStatus::Warning),
        ];
        for (minutes, utc, status) in cases {
            let found = judge(&measured(minutes, utc), false, &berlin);
            assert_eq!(found.status, status, "{minutes} {utc}");
        }
        let unknown = judge(&measured(-210, winter), false, &ServerTimeZone::Auto);
        assert_eq!(unknown.status, CheckStatus::Warning);
        assert!(unknown.advice.unwrap().contains("UTC-03:30"));
    }
}
