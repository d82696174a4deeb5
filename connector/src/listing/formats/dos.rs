//! `dir` lines as IIS and other Windows servers print them, and OS/2's own order of columns.

use jiff::civil::Date;

use crate::listing::date::ls::Clock;
use crate::listing::date::parts::{at_time, three_numbers, time, time_of_day, two_digit_year};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, grouped, small, split_twice};

/// The width of `<DIR>` and the blanks behind it, the same for the longer marks.
const MARK_WIDTH: usize = 15;

/// Reads one line of `date time <DIR>|size name`; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let day = scan.word()?;
    let dates = three_numbers(day)?;
    let before = scan.0;
    let time = time_of_day(&mut scan)?;
    let time_text = before.get(..before.len() - scan.0.len()).unwrap_or_default();
    let is_twelve_hours = time_text.iter().any(u8::is_ascii_alphabetic);
    // IIS writes dashes and twelve hours, and the month first.
    if is_twelve_hours && day.get(2) == Some(&b'-') && dates[1].is_none() {
        return None;
    }
    let modified = date(dates, clock).map(|date| at_time(date, time));
    scan.skip_blanks();
    if scan.0.first() != Some(&b'<') {
        let size = grouped(scan.word()?)?;
        // Only servers that are not Microsoft's write slashes, and pad the names.
        let name = match day.contains(&b'/') {
            true => scan.name_after_blanks()?,
            false => scan.name_after_one_blank()?,
        };
        return Some(RawEntry { size, modified, ..RawEntry::new(name, Kind::RegularFile) });
    }
    let mark = scan.word()?;
    let kind = match mark {
        b"<DIR>" | b"<dir>" => Kind::Directory,
        b"<JUNCTION>" | b"<SYMLINKD>" | b"<SYMLINK>" => Kind::SymbolicLink,
        _ => return None,
    };
    let padding = MARK_WIDTH.saturating_sub(mark.len());
    let name = match scan.0.split_at_checked(padding) {
        Some((blanks, name)) if blanks.iter().all(|byte| *byte == b' ') => name,
        _ => scan.name_after_blanks()?,
    };
    let (name, link_target) = match kind {
        Kind::SymbolicLink => split_target(name),
        _ => (name, None),
    };
    (!name.is_empty()).then_some(RawEntry { modified, link_target, ..RawEntry::new(name, kind) })
}

/// Reads one line of OS/2's `size attributes DIR date time name`; none where it is no such line.
pub(in crate::listing) fn parse_os2(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let size = grouped(scan.word()?)?;
    let mut kind = Kind::RegularFile;
    loop {
        let word = scan.word()?;
        if word == b"DIR" {
            kind = Kind::Directory;
        } else if !word.iter().all(|byte| matches!(byte, b'R' | b'A' | b'S' | b'H')) {
            let modified = Some(at_time(os2_date(word)?, time(scan.word()?)?));
            let name = scan.name_after_blanks()?;
            return Some(RawEntry { size, modified, ..RawEntry::new(name, kind) });
        }
    }
}

/// The date in the order that the listing shows, else with the month first, as IIS writes it.
fn date(dates: [Option<Date>; 3], clock: &Clock) -> Option<Date> {
    let [_, month_first, _] = dates;
    clock.only_one(dates).or_else(|| month_first.filter(|_| clock.orders.may_be_month_first()))
}

/// The `MM-dd-yy` of an OS/2 line, whose year 103 is 2003.
fn os2_date(word: &[u8]) -> Option<Date> {
    let [month, day, year] = split_twice(word, b'-')?;
    let year = match year.len() {
        2 => two_digit_year(small(year)?),
        3 => small(year)?.checked_add(1900)?,
        4 => small(year)?,
        _ => return None,
    };
    day_in(year, month, day)
}

fn day_in(year: i16, month: &[u8], day: &[u8]) -> Option<Date> {
    if month.len() > 2 || day.len() > 2 {
        return None;
    }
    let month = i8::try_from(small(month)?).ok()?;
    Date::new(year, month, i8::try_from(small(day)?).ok()?).ok()
}

/// Splits `name [target]`, the form of `<JUNCTION>` and `<SYMLINKD>`, or `name -> target`.
fn split_target(name: &[u8]) -> (&[u8], Option<&[u8]>) {
    let around = |text: &'_ [u8], mark: &[u8]| {
        text.windows(mark.len()).position(|part| part == mark).map(|at| (at, at + mark.len()))
    };
    let split = || {
        let (text, (end, start)) = match name.strip_suffix(b"]") {
            Some(inner) => (inner, around(inner, b" [")?),
            None => (name, around(name, b" -> ").or_else(|| around(name, b" => "))?),
        };
        Some((text.get(..end)?, text.get(start..)?))
    };
    match split() {
        Some((name, target)) if !name.is_empty() && !target.is_empty() => (name, Some(target)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;
    use crate::file::time::text::format_text;

    fn clock() -> Clock {
        Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0))
    }

    fn read(line: &str) -> Option<(String, Kind, Option<u64>, String)> {
        let entry = parse(line.as_bytes(), &clock()).or_else(|| parse_os2(line.as_bytes()))?;
        let at = entry.modified.map(|modified| format_text(modified.at)).unwrap_or_default();
        let at = at.get(..16).unwrap_or_default().to_owned();
        Some((String::from_utf8_lossy(entry.name).into_owned(), entry.kind, entry.size, at))
    }

    #[test]
    fn files() {
        for (line, name, size, at) in [
            ("05-26-95  10:57AM               143712 $LDR$", "$LDR$", 143_712, "1995-05-26 10:57"),
            ("05-26-1995  12:57AM                  5 a  b", "a  b", 5, "1995-05-26 00:57"),
            ("04-27-00  12:09PM                    5  x", " x", 5, "2000-04-27 12:09"),
            ("09-06-06  19:00                   69 x", "x", 69, "2006-09-06 19:00"),
            ("09/06/2006  07:00 PM              69 x", "x", 69, "2006-09-06 19:00"),
            ("2002-09-02  19:06                9,730 x", "x", 9730, "2002-09-02 19:06"),
            ("10/3/2018   2:58 PM    34,359,738  x", "x", 34_359_738, "2018-10-03 14:58"),
            ("02.09.2002  19:06            1.009.730 x", "x", 1_009_730, "2002-09-02 19:06"),
            ("11-22-26  00:34AM                    5 x", "x", 5, "2026-11-22 00:34"),
            ("22/11/2026  10:11                 5 x", "x", 5, "2026-11-22 10:11"),
            ("22-11-2026  10:11                 5 x", "x", 5, "2026-11-22 10:11"),
            ("22.11.26  10:11           1'234'567 x", "x", 1_234_567, "2026-11-22 10:11"),
            (" 33280      A          02-09-97   13:49  x", "x", 33280, "1997-02-09 13:49"),
            ("36611      A    04-23-103   10:57  os2 x", "os2 x", 36611, "2003-04-23 10:57"),
        ] {
            let expected = (name.to_owned(), Kind::RegularFile, Some(size), at.to_owned());
            assert_eq!(read(line), Some(expected), "{line}");
        }
    }

    #[test]
    fn directories() {
        for (line, name) in [
            ("12-05-96  05:03PM       <DIR>          my dir", "my dir"),
            ("12-05-96  05:03PM       <DIR>           lead", " lead"),
            ("03-10-21 11:12       <DIR> System Volume", "System Volume"),
            ("     0           DIR   05-12-97   16:44  LANG UAGE", "LANG UAGE"),
        ] {
            let found = read(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((found.0.as_str(), found.1), (name, Kind::Directory));
            assert_eq!(found.2, line.starts_with(' ').then_some(0), "{line}");
        }
    }

    #[test]
    fn junctions_are_links() {
        let line = b"12-05-2020  05:03 PM    <JUNCTION>     docs [C:\\Users\\docs]";
        let entry = parse(line, &clock()).unwrap();
        assert_eq!((entry.name, entry.kind), (&b"docs"[..], Kind::SymbolicLink));
        assert_eq!(entry.link_target, Some(&b"C:\\Users\\docs"[..]));
        let arrow =
            parse(b"12-05-2020  05:03PM       <JUNCTION>     a b => c d", &clock()).unwrap();
        assert_eq!((arrow.name, arrow.link_target), (&b"a b"[..], Some(&b"c d"[..])));
        let plain = parse(b"12-05-2020  05:03 PM    <SYMLINKD>     docs", &clock()).unwrap();
        assert_eq!((plain.name, plain.link_target), (&b"docs"[..], None));
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "20-05-97  03:31PM                  681 x",
            "02-30-97  03:31PM                  681 x",
            "05-20-97  13:31PM                  681 x",
            "05-20-97  03:31XM                  681 x",
            "05-20-97  03:31PM                  68x x",
            "05-20-97  03:31PM                  9,73 x",
            "05-20-97  03:31PM       <FILE>         x",
            "05-20-97  03:31PM                  681",
            "05-20-97  03:31PM       <DIR>          ",
            "                 DIR   12-30-97   12:32  x",
            "     0    rsa    DIR   11-25-97   09:42  x",
            "     0           DIR   13-05-97   25:49  x",
            " 33280      A          1997-02-03  13:49  x",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
