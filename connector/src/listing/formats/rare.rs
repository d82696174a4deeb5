//! The formats of a few servers: routers, real-time systems, VShell, Windows 3.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::file::time::modified::Precision;
use crate::file::time::text::two;
use crate::listing::date::ls::{self, Clock};
use crate::listing::date::parts::{at_time, time, two_digit_year};
use crate::listing::entry::{Kind, Modified, RawEntry};
use crate::listing::scan::{Scan, grouped, is_digits, number, small, split_twice};

/// Reads `0100644 500 101 12345 123456789 name`: mode, owner, group, size and seconds since 1970.
pub(in crate::listing) fn parse_numeric(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let mode = scan.word().filter(|mode| (5..=7).contains(&mode.len()))?;
    let bits = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
    let kind = match bits & 0o170_000 {
        0o100_000 => Kind::RegularFile,
        0o040_000 => Kind::Directory,
        0o120_000 => Kind::SymbolicLink,
        0o060_000 | 0o020_000 | 0o010_000 | 0o140_000 => Kind::Unknown,
        _ => return None,
    };
    let (owner, group, size, seconds) = (scan.word()?, scan.word()?, scan.word()?, scan.word()?);
    if ![owner, group, size, seconds].into_iter().all(is_digits) {
        return None;
    }
    let at = SignedDuration::from_secs(i64::try_from(number(seconds)?).ok()?);
    let at = TimeZone::UTC.to_datetime(Timestamp::from_duration(at).ok()?);
    Some(RawEntry {
        size: number(size),
        modified: Some(Modified::utc(at, Precision::Second)),
        mode: u16::try_from(bits & 0o7777).ok(),
        ..RawEntry::new(scan.name_after_blanks()?, kind)
    })
}

/// Reads `206876  Apr 04, 2000 21:06 name` of old VShell servers, whose directories end in `/`.
pub(in crate::listing) fn parse_vshell<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let size = scan.word().filter(|size| is_digits(size))?;
    let (modified, behind) = ls::named(scan, clock)?;
    let modified = modified.filter(|modified| !modified.year_inferred)?;
    if modified.precision == Precision::Day {
        return None;
    }
    let name = behind.name_after_one_blank()?;
    let (kind, name) = match name.strip_suffix(b"/") {
        Some(name) => (Kind::Directory, name),
        None => (Kind::RegularFile, name),
    };
    let size = number(size).filter(|_| kind == Kind::RegularFile);
    Some(RawEntry { size, modified: Some(modified), ..RawEntry::new(name, kind) })
}

/// Reads `2048    Feb-28-1998  05:23:30   name <DIR>` of VxWorks.
pub(in crate::listing) fn parse_vxworks(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let size = grouped(scan.word()?)?;
    let [month, day, year] = split_twice(scan.word()?, b'-')?;
    let month = crate::listing::date::months::english(month)?;
    let date = Date::new(small(year)?, month, i8::try_from(small(day)?).ok()?).ok()?;
    let modified = Some(at_time(date, time(scan.word()?)?));
    let name = scan.name_after_blanks()?;
    let (kind, name) = match name.strip_suffix(b"<DIR>") {
        Some(name) => (Kind::Directory, name.trim_ascii_end()),
        None => (Kind::RegularFile, name),
    };
    Some(RawEntry { size, modified, ..RawEntry::new(name, kind) })
}

/// Reads `name  1014196  06/03/04  Thur.   10:20:03` of Nortel's routers, and the same with
/// `<DIR>` and without the day of the week from servers for Windows 3.
pub(in crate::listing) fn parse_name_first(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let (name, size) = (scan.word()?, scan.word()?);
    let (kind, size) = match size {
        b"<DIR>" => (Kind::Directory, None),
        size => (Kind::RegularFile, grouped(size)?),
    };
    let date = date_of_three(&mut scan)?;
    let mut word = scan.word()?;
    if word.ends_with(b".") {
        word = scan.word()?;
    }
    let modified = Some(at_time(date, time(word)?));
    // Attributes of DOS may follow.
    let attributes = scan.word().unwrap_or_default();
    let known = attributes.iter().all(|byte| matches!(byte, b'R' | b'H' | b'S' | b'A'));
    let entry = RawEntry { size, modified, ..RawEntry::new(name, kind) };
    (known && scan.word().is_none()).then_some(entry)
}

/// `06/03/04`, `05-11-95`, or `May 11 1995`.
fn date_of_three(scan: &mut Scan<'_>) -> Option<Date> {
    let first = scan.word()?;
    if let Some(month) = crate::listing::date::months::english(first) {
        let day = i8::try_from(small(scan.word()?)?).ok()?;
        let year = scan.word().filter(|year| year.len() == 4)?;
        return Date::new(small(year)?, month, day).ok();
    }
    let [month, day, year] = split_twice(first, b'/').or_else(|| split_twice(first, b'-'))?;
    if ![month, day, year].iter().all(|part| part.len() == 2) {
        return None;
    }
    let month = i8::try_from(small(month)?).ok()?;
    Date::new(two_digit_year(small(year)?), month, i8::try_from(small(day)?).ok()?).ok()
}

/// Reads `20.20 07/03/29 1026 d-ewrewr 2650 85920 name` of OS-9: owner, year first, time,
/// permissions, sector, size.
pub(in crate::listing) fn parse_os9(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let owner = scan.word()?;
    if !owner.contains(&b'.') || !owner.split(|byte| *byte == b'.').all(is_digits) {
        return None;
    }
    let [year, month, day] = split_twice(scan.word()?, b'/')?;
    let month = i8::try_from(small(month)?).ok()?;
    let year = two_digit_year(small(year).filter(|_| year.len() == 2)?);
    let date = Date::new(year, month, i8::try_from(small(day)?).ok()?).ok()?;
    let [h1, h2, m1, m2] = scan.word()? else {
        return None;
    };
    let clock = Time::new(two(*h1, *h2)?, two(*m1, *m2)?, 0, 0).ok()?;
    let [kind, rights @ ..] = scan.word()? else {
        return None;
    };
    let kind = match kind {
        b'd' => Kind::Directory,
        b'-' => Kind::RegularFile,
        _ => return None,
    };
    let known = |right: &u8| matches!(right, b's' | b'-' | b'e' | b'w' | b'r');
    let (sector, size) = (scan.word()?, scan.word()?);
    let shaped = rights.len() == 7 && rights.iter().all(known);
    (shaped && sector.iter().all(u8::is_ascii_hexdigit) && is_digits(size)).then_some(RawEntry {
        size: number(size),
        modified: Some(at_time(date, (clock, Precision::Minute))),
        ..RawEntry::new(scan.name_after_one_blank()?, kind)
    })
}
