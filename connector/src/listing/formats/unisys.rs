//! Unisys ClearPath MCP listings: titles of files, whose nodes are separated by slashes.

use crate::listing::date::ls::Clock;
use crate::listing::date::parts::{at_time, three_numbers, time};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, grouped};

/// Reads one line of `title KIND size date time`; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let (name, kind) = (scan.word()?, scan.word()?);
    if kind.len() < 4 || !kind.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let size = grouped(scan.word()?)?;
    let dates = three_numbers(scan.word()?)?;
    let time = time(scan.word()?)?;
    if scan.word().is_some() {
        return None;
    }
    let [_, month_first, _] = dates;
    let modified = clock.only_one(dates).or(month_first).map(|date| at_time(date, time));
    let entry = RawEntry::new(name, Kind::RegularFile);
    Some(RawEntry { size, modified, is_path: true, ..entry })
}

/// Whether a line is the heading `Report for: (USER)TITLE ON PACK`.
pub(in crate::listing) fn is_heading(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    scan.word() == Some(b"Report") && scan.word() == Some(b"for:")
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;
    use crate::file::time::text::format_text;

    #[test]
    fn titles_are_paths() {
        let clock = Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0));
        let entry =
            parse(b"A/B                     SEQDATA    84 06/09/1998  12:03", &clock).unwrap();
        assert_eq!((entry.name, entry.size, entry.is_path), (&b"A/B"[..], Some(84), true));
        assert_eq!(format_text(entry.modified.unwrap().at), "1998-06-09 12:03:00.000");
        for line in
            ["A SEQDATA 84 06/09/1998", "A SEQDATA x 06/09/1998 12:03", "A B 84 06/09/1998 12:03"]
        {
            assert_eq!(parse(line.as_bytes(), &clock), None, "{line}");
        }
        assert!(is_heading(b"Report for: (UC)A ON PACK"));
    }
}
