//! IBM i (AS/400) listings in its own name format.

use crate::listing::date::ls::Clock;
use crate::listing::date::parts::{at_time, three_numbers, time};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, grouped};

/// Reads one line of `owner size date time *TYPE name`; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let _owner = scan.word()?;
    let first = scan.word()?;
    if first == b"*MEM" {
        // A member of a database file has neither size nor time.
        let entry = RawEntry::new(scan.name_after_blanks()?, Kind::RegularFile);
        return Some(RawEntry { is_path: true, ..entry });
    }
    let size = grouped(first)?;
    let dates = three_numbers(scan.word()?)?;
    let clock_time = time(scan.word()?)?;
    let modified = clock.only_one(dates).map(|date| at_time(date, clock_time));
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
