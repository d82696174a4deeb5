//! In which zone a server states times: LIST leaves it open, MDTM and MLSD are in UTC.

use host_sdk::{Error, ErrorKind};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::book::Found;
use crate::remote_path::RemotePath;
use crate::session::{ProbedListing, Session};
use crate::timestamp::{Modified, Precision, ServerTimeZone, Zone};

/// Zones differ from UTC by whole quarters of an hour.
const QUARTER: i64 = 15;

/// The zones farthest west and east, in minutes.
const WESTERNMOST: i64 = -12 * 60;
const EASTERNMOST: i64 = 14 * 60;

/// Compares what the server says about one file in two ways.
///
/// # Errors
///
/// What a command can fail with.
pub(super) fn examine(
    session: &mut Session,
    directory: &RemotePath,
    listing: &ProbedListing,
) -> Result<Found, Error> {
    if listing.samples.is_empty() {
        return Ok(Found::skipped(
            "the directory has no file with a plain name and a time of day to compare",
        ));
    }
    let by_facts = listing
        .samples
        .iter()
        .all(|file| file.modified.is_some_and(|modified| modified.zone == Zone::Utc));
    for file in &listing.samples {
        let path = directory.entry(&file.name)?;
        let Some(listed) = file.modified else { continue };
        let (local, utc) = if by_facts {
            match session.time_by_list(directory, &file.name) {
                Ok(by_list) => (by_list, Some(listed)),
                Err(e) if is_lost(&e) => return Err(e),
                // Servers need not list single files, and nothing depends on it.
                Err(_) => break,
            }
        } else {
            (Some(listed), session.modified(&path)?)
        };
        let (Some(local), Some(utc)) = (local, utc) else { continue };
        if let Some(minutes) = offset(&local, &utc) {
            return Ok(judge(minutes, &utc, by_facts, &session.settings().zone));
        }
    }
    Ok(if by_facts {
        Found::ok("MLSD states times in UTC; those of LIST could not be compared with them")
    } else {
        Found::skipped("the server has no time in UTC (MDTM) to compare the listing's with")
    })
}

/// Whether the connection is gone, rather than the request refused.
fn is_lost(error: &Error) -> bool {
    let kinds = [ErrorKind::Connection, ErrorKind::Timeout, ErrorKind::Tls, ErrorKind::Cancelled];
    kinds.contains(&error.kind())
}

/// How many minutes the clock of `local` is ahead of UTC; none where the two statements do not
/// differ by what a zone can be.
fn offset(local: &Modified, utc: &Modified) -> Option<i64> {
    if local.zone != Zone::Server || utc.zone != Zone::Utc {
        return None;
    }
    if local.precision < Precision::Minute || utc.precision < Precision::Minute {
        return None;
    }
    let (local, utc) = (whole_minute(local.at)?, whole_minute(utc.at)?);
    let minutes = local.duration_since(utc).as_secs() / 60;
    let is_zone = (WESTERNMOST..=EASTERNMOST).contains(&minutes) && minutes % QUARTER == 0;
    is_zone.then_some(minutes)
}

fn whole_minute(at: DateTime) -> Option<DateTime> {
    at.with().second(0).subsec_nanosecond(0).build().ok()
}

fn judge(minutes: i64, utc: &Modified, by_facts: bool, zone: &ServerTimeZone) -> Found {
    let (name, date) = (name(minutes), utc.at.date());
    if by_facts {
        return Found::ok(format!("MLSD states times in UTC; LIST would state them in {name}"));
    }
    let found = format!("LIST states times in {name}, as MDTM shows");
    match zone {
        ServerTimeZone::Auto if minutes == 0 => Found::ok(found),
        ServerTimeZone::Auto => Found::warning(
            found,
            format!("set serverTimeZone to the server's zone, one that is {name} on {date}"),
        ),
        ServerTimeZone::Named(zone) => match minutes_of(zone, utc) {
            Some(expected) if expected == minutes => {
                Found::ok(format!("{found}, and serverTimeZone says"))
            }
            _ => Found::warning(
                found,
                format!("set serverTimeZone to a zone that is {name} on {date}"),
            ),
        },
    }
}

fn minutes_of(zone: &TimeZone, utc: &Modified) -> Option<i64> {
    let instant = TimeZone::UTC.to_timestamp(utc.at).ok()?;
    Some(i64::from(zone.to_offset(instant).seconds()) / 60)
}

fn name(minutes: i64) -> String {
    if minutes == 0 {
        return "UTC".to_owned();
    }
    let sign = if minutes < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
}

#[cfg(test)]
mod tests {
    use host_sdk::CheckStatus;
    use jiff::civil::datetime;

    use super::*;

    fn listed(at: DateTime, precision: Precision) -> Modified {
        Modified { at, zone: Zone::Server, precision, year_inferred: true }
    }

    #[test]
    fn offsets_are_those_that_zones_have() {
        let utc = Modified::utc(datetime(2026, 7, 1, 22, 10, 59, 0), Precision::Second);
        let cases = [
            (datetime(2026, 7, 1, 22, 10, 0, 0), Some(0)),
            (datetime(2026, 7, 2, 3, 40, 0, 0), Some(330)),
            (datetime(2026, 7, 1, 18, 10, 0, 0), Some(-240)),
            (datetime(2026, 7, 2, 12, 10, 0, 0), Some(840)),
            (datetime(2026, 7, 2, 12, 25, 0, 0), None),
            (datetime(2026, 7, 1, 22, 17, 0, 0), None),
            (datetime(2025, 7, 1, 22, 10, 0, 0), None),
        ];
        for (at, minutes) in cases {
            assert_eq!(offset(&listed(at, Precision::Minute), &utc), minutes, "{at}");
        }
        let day = listed(datetime(2026, 7, 1, 0, 0, 0, 0), Precision::Day);
        assert_eq!(offset(&day, &utc), None);
    }

    #[test]
    fn a_configured_zone_has_to_agree_at_the_files_time() {
        let berlin = ServerTimeZone::from_name("Europe/Berlin").unwrap();
        let summer = Modified::utc(datetime(2026, 7, 1, 22, 10, 0, 0), Precision::Second);
        let winter = Modified::utc(datetime(2026, 1, 1, 22, 10, 0, 0), Precision::Second);
        let cases = [
            (120, summer, CheckStatus::Ok),
            (60, summer, CheckStatus::Warning),
            (60, winter, CheckStatus::Ok),
            (0, winter, CheckStatus::Warning),
        ];
        for (minutes, utc, status) in cases {
            let found = judge(minutes, &utc, false, &berlin);
            assert_eq!(found.status, status, "{minutes} {}", utc.at);
        }
        let unknown = judge(-210, &winter, false, &ServerTimeZone::Auto);
        assert_eq!(unknown.status, CheckStatus::Warning);
        assert!(unknown.advice.unwrap().contains("UTC-03:30"));
    }
}
