//! IBM i (AS/400) listings in its own name format.

use jiff::civil::Date;

use crate::listing::date::ls::Clock;
use crate::listing::date::parts::{Orders, at_time, time, two_digit_year};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, number, small, split_twice};

/// Reads one line of `owner size date time *TYPE name`; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let _owner = scan.word()?;
    let first = scan.word()?;
    if first == b"*MEM" {
        // A member of a database file has neither size nor time.
        return Some(RawEntry::new(scan.name_after_blanks()?, Kind::RegularFile));
    }
    let size = number(first);
    size?;
    let date = scan.word()?;
    let (time, precision) = time(scan.word()?)?;
    let dates = dates(date)?;
    if dates == [None, None, None] {
        return None;
    }
    let possible = Orders::of(dates, |date| clock.is_future(date.to_datetime(time)));
    let modified =
        possible.within(clock.orders).only_one(dates).map(|date| at_time(date, (time, precision)));
    let kind = match scan.word()?.strip_prefix(b"*")? {
        b"DIR" | b"DDIR" | b"LIB" | b"FLR" => Kind::Directory,
        b"MEM" => return None,
        b"SYMLNK" => Kind::SymbolicLink,
        b"STMF" | b"DSTMF" | b"FILE" | b"SAVF" | b"DOC" => Kind::RegularFile,
        _ => Kind::Unknown,
    };
    let name = scan.name_after_blanks()?;
    let name = name.strip_suffix(b"/").unwrap_or(name);
    // A path from the root names an entry of the listed directory all the same.
    let name = match name.iter().rposition(|byte| *byte == b'/') {
        Some(at) if name.starts_with(b"/") => name.get(at + 1..)?,
        _ => name,
    };
    (!name.is_empty()).then_some(RawEntry { size, modified, ..RawEntry::new(name, kind) })
}

/// What a date means in the orders that a job may be set to: year, month or day first.
fn dates(word: &[u8]) -> Option<[Option<Date>; 3]> {
    let separator = word.iter().copied().find(|byte| !byte.is_ascii_digit())?;
    if !matches!(separator, b'/' | b'.' | b'-') {
        return None;
    }
    let parts = split_twice(word, separator)?;
    if parts.iter().any(|part| part.len() != 2) {
        return None;
    }
    let [first, second, third] = parts.map(small);
    let (first, second, third) = (first?, second?, third?);
    let date = |year, month: i16, day: i16| {
        let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
        Date::new(two_digit_year(year), month, day).ok()
    };
    let day_first = date(third, second, first);
    if separator == b'.' {
        return Some([None, None, day_first]);
    }
    Some([date(first, second, third), date(third, first, second), day_first])
}

/// The orders in which a line's date may be; none where it is no line of IBM i with a date.
pub(in crate::listing) fn date_orders(line: &[u8], clock: &Clock) -> Option<Orders> {
    parse(line, clock)?.size?;
    let mut scan = Scan(line);
    let (_owner, _size, date) = (scan.word()?, scan.word()?, scan.word()?);
    let (time, _) = time(scan.word()?)?;
    Some(Orders::of(dates(date)?, |date| clock.is_future(date.to_datetime(time))))
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;
    use crate::file::time::text::format_text;

    fn read(line: &str) -> Option<RawEntry<'_>> {
        parse(line.as_bytes(), &Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0)))
    }

    #[test]
    fn files_directories_and_members() {
        for (line, name, kind, size) in [
            (
                "PEP  422 04/03/24 14:06:26 *STMF      a file.txt",
                "a file.txt",
                Kind::RegularFile,
                Some(422),
            ),
            ("PEP  36864 04/03/24 14:06:34 *DIR       dir1/", "dir1", Kind::Directory, Some(36864)),
            (
                "PEP  9 05/20/15 15:36:52 *STMF /DRV/SHEET/X.PDF",
                "X.PDF",
                Kind::RegularFile,
                Some(9),
            ),
            ("CFT                 *MEM X.FILE/X.MBR", "X.FILE/X.MBR", Kind::RegularFile, None),
        ] {
            let entry = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((entry.name, entry.kind, entry.size), (name.as_bytes(), kind, size));
        }
    }

    #[test]
    fn a_date_counts_only_where_its_order_shows() {
        for (date, expected) in [
            ("28/11/15", Some("2015-11-28 14:06:26.000")),
            ("05/20/15", Some("2015-05-20 14:06:26.000")),
            ("97/05/20", Some("1997-05-20 14:06:26.000")),
            ("29.06.13", Some("2013-06-29 14:06:26.000")),
            ("11/11/11", Some("2011-11-11 14:06:26.000")),
            ("04/03/18", None),
        ] {
            let line = format!("PEP  422 {date} 14:06:26 *STMF x");
            let modified = read(&line).unwrap_or_else(|| panic!("{line}")).modified;
            let text = modified.map(|modified| format_text(modified.at));
            assert_eq!(text.as_deref(), expected, "{line}");
        }
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "PEP  422 04/03/24 14:06:26 *STMF",
            "PEP  422 04/03/24 14:06:26 STMF x",
            "PEP  422 04/03/24 30:06:26 *STMF x",
            "PEP  422 03/24 14:06:26 *STMF x",
            "PEP  422 99/99/99 14:06:26 *STMF x",
            "PEP  04/03/24 14:06:26 *STMF x",
            "PEP USR  422 04/03/24 14:06:26 *STMF x",
            "PEP  422 04/03/24 14:06:26 *MEM x",
            "PEP  *MEM ",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
