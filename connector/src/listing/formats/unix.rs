//! `ls -l` lines as Unix servers print them, and the many that imitate them.

mod mode;

use crate::listing::date::ls::{self, Clock};
use crate::listing::entry::{Kind, Modified, RawEntry};
use crate::listing::scan::{Scan, grouped, is_blank, is_digits, number, rounded};
use mode::{Head, head};

/// Reads one line; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    // Some servers indent their lines.
    let line = line.trim_ascii_start();
    let Some(Head { kind, device, mode, rest }) = head(line) else {
        return unreadable_entry(line);
    };
    let size = |word: &'l [u8]| size(word, device);
    let (size, modified, name) = columns(rest, clock, size, ls::named)
        .or_else(|| columns(rest, clock, size, ls::numeric))
        .or_else(|| glued(rest, clock))
        .or_else(|| dateless(rest))?;
    let (name, link_target) = match kind {
        Kind::SymbolicLink => split_link(name, size.exact),
        _ => (name, None),
    };
    Some(RawEntry {
        size: size.exact,
        rounded_size: size.rounded,
        modified,
        link_target,
        mode,
        ..RawEntry::new(name, kind)
    })
}

/// Whether a line is the `total 12` above an `ls -l` listing, in the language of the server.
pub(in crate::listing) fn is_total(line: &[u8]) -> bool {
    const WORDS: [&str; 22] = [
        "total",
        "totale",
        "totaal",
        "totalt",
        "insgesamt",
        "gesamt",
        "summe",
        "celkem",
        "razem",
        "suma",
        "итого",
        "всего",
        "összesen",
        "yhteensä",
        "toplam",
        "合計",
        "総計",
        "总用量",
        "总计",
        "總計",
        "합계",
        "ukupno",
    ];
    let mut scan = Scan(line);
    let Some(word) = scan.word().and_then(|word| std::str::from_utf8(word).ok()) else {
        return false;
    };
    let count = scan.word().unwrap_or_default();
    // What does not fit the server's integers comes out negative.
    let count = count.strip_prefix(b"-").unwrap_or(count);
    let starts = count.first().is_some_and(u8::is_ascii_digit);
    // `ls -h` prints `total 1.5M`; Solaris and some scripts add a unit of their own behind it.
    starts && WORDS.contains(&word.trim_end_matches(':').to_lowercase().as_str())
}

/// What the column of the size tells.
#[derive(Clone, Copy, Default)]
struct Size {
    exact: Option<u64>,
    rounded: Option<u64>,
}

type Columns<'l> = (Size, Option<Modified>, &'l [u8]);

/// Finds size, date and name behind the mode.
///
/// Link count, owner and group may be missing or hold blanks, so the date decides: the first one
/// that follows a size.
fn columns<'l>(
    rest: &'l [u8],
    clock: &Clock,
    size: impl Fn(&'l [u8]) -> Option<Size>,
    date: impl Fn(Scan<'l>, &Clock) -> Option<ls::Dated<'l>>,
) -> Option<Columns<'l>> {
    let mut scan = Scan(rest);
    let mut before = scan.word()?;
    if before.first().is_some_and(u8::is_ascii_digit) && !is_digits(before) {
        return None;
    }
    while !scan.0.is_empty() {
        if let Some(size) = size(before)
            && let Some((modified, behind)) = date(scan, clock)
        {
            let columns = rest.get(..rest.len() - scan.0.len()).unwrap_or_default();
            let size = with_groups(columns, size);
            return Some((size, modified, behind.name_after_one_blank()?));
        }
        before = scan.word()?;
    }
    None
}

/// The size at the end of the columns before a date, whose digits may come in groups with a blank
/// between them.
///
/// One blank may also stand behind a group's number: then the size is not known.
fn with_groups(columns: &[u8], last: Size) -> Size {
    let mut words = columns.rsplit(|byte| *byte == b' ');
    let mut groups = 0;
    let mut value = 0;
    let mut unit = 1_u64;
    loop {
        let Some(digits) = words.next().filter(|word| is_digits(word) && word.len() <= 3) else {
            return last;
        };
        value += number(digits).unwrap_or_default() * unit;
        groups += 1;
        if digits.len() < 3 || !words.clone().next().is_some_and(is_group) {
            break;
        }
        if groups > 5 {
            return Size::default();
        }
        unit *= 1000;
    }
    // Links, owner and group.
    let others = words.filter(|word| !word.is_empty()).count();
    match groups {
        1 => last,
        _ if others != 3 => last,
        2 => Size::default(),
        _ => Size { exact: Some(value), rounded: None },
    }
}

fn is_group(word: &[u8]) -> bool {
    is_digits(word) && word.len() <= 3
}

/// The size that a word states, if it is a size at all.
fn size(word: &[u8], device: bool) -> Option<Size> {
    if !word.first()?.is_ascii_digit() {
        // What does not fit the server's integers comes out negative.
        return word.strip_prefix(b"-").filter(|digits| is_digits(digits)).map(|_| Size::default());
    }
    if is_digits(word) {
        return Some(Size { exact: number(word).filter(|_| !device), rounded: None });
    }
    if !device && let Some(exact) = grouped(word) {
        return Some(Size { exact, rounded: None });
    }
    if device && word.iter().all(|byte| byte.is_ascii_digit() || *byte == b',') {
        // The major and minor number of a device.
        return Some(Size::default());
    }
    // `ls -h`
    rounded(word).map(|bytes| Size { exact: None, rounded: Some(bytes) })
}

/// Columns whose size runs into the group before it, as in `ftpadmin125435904`: which of the digits
/// are its own, nobody can tell.
fn glued<'l>(rest: &'l [u8], clock: &Clock) -> Option<Columns<'l>> {
    let mut scan = Scan(rest);
    // Links, owner and group at most: what looks like a date further on is part of the name.
    for _ in 0..3 {
        let word = scan.word()?;
        let ends_in_digits = !word.first()?.is_ascii_digit() && word.last()?.is_ascii_digit();
        if ends_in_digits && let Some((modified, behind)) = ls::named(scan, clock) {
            return Some((Size::default(), modified, behind.name_after_one_blank()?));
        }
    }
    None
}

/// Links, owner, group, size and name, without any date: only where all of that is one word each
/// and the last is no date that has lost its name.
fn dateless(rest: &[u8]) -> Option<Columns<'_>> {
    let mut scan = Scan(rest);
    let (links, _owner, _group) = (scan.word()?, scan.word()?, scan.word()?);
    let size = scan.word()?;
    let name = scan.name_after_one_blank()?;
    let single = !name.iter().any(|byte| is_blank(*byte)) && !ls::is_part(name);
    let told = Size { exact: number(size), rounded: None };
    (is_digits(links) && is_digits(size) && single).then_some((told, None, name))
}

/// Splits `name -> target`.
///
/// Both may hold the arrow themselves; nearly every server prints the target's length as the
/// link's size, which then tells where to split. Otherwise the first arrow counts.
fn split_link(name: &[u8], size: Option<u64>) -> (&[u8], Option<&[u8]>) {
    const ARROW: &[u8] = b" -> ";
    let arrows = || name.windows(ARROW.len()).enumerate().filter(|(_, part)| *part == ARROW);
    let split = |at: usize| Some((name.get(..at)?, name.get(at + ARROW.len()..)?));
    let splits = || arrows().filter_map(|(at, _)| split(at)).filter(|(name, _)| !name.is_empty());
    let fits = splits().find(|(_, target)| u64::try_from(target.len()).ok() == size);
    match fits.or_else(|| splits().next()) {
        Some((name, target)) => (name, (!target.is_empty()).then_some(target)),
        None => (name, None),
    }
}

/// An entry that the server could list but not look at: `-????????? ? ? ? ? ? name`.
fn unreadable_entry(line: &[u8]) -> Option<RawEntry<'_>> {
    let (kind, rest) = line.split_first()?;
    let mut scan = Scan(rest.strip_prefix(b"?????????")?);
    for _ in 0..5 {
        if scan.word()? != b"?" {
            return None;
        }
    }
    let kind = match kind {
        b'-' => Kind::RegularFile,
        b'd' => Kind::Directory,
        b'l' => Kind::SymbolicLink,
        _ => Kind::Unknown,
    };
    Some(RawEntry::new(scan.name_after_one_blank()?, kind))
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;
    use crate::file::time::text::format_text;

    fn read(line: &str) -> Option<RawEntry<'_>> {
        parse(line.as_bytes(), &Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0)))
    }

    fn name(line: &str) -> String {
        let entry = read(line).unwrap_or_else(|| panic!("{line}"));
        String::from_utf8_lossy(entry.name).into_owned()
    }

    fn link(line: &str) -> (String, String) {
        let target = read(line).and_then(|entry| entry.link_target).unwrap_or_default();
        (name(line), String::from_utf8_lossy(target).into_owned())
    }

    #[test]
    fn kinds_and_modes() {
        for (head, kind, mode) in [
            ("-rw-r--r-- ", Kind::RegularFile, Some(0o644)),
            ("drwxr-xr-x+", Kind::Directory, Some(0o755)),
            ("drwxrwxrwt.", Kind::Directory, Some(0o1777)),
            ("-rwsr-Sr-T@", Kind::RegularFile, Some(0o7744)),
            ("lrwxrwxrwx ", Kind::SymbolicLink, Some(0o777)),
            ("srw-rw-rw- ", Kind::Unknown, Some(0o666)),
            ("prw-rw-rw- ", Kind::Unknown, Some(0o666)),
            ("drw-r--rw  ", Kind::Directory, Some(0o646)),
            ("---------- ", Kind::RegularFile, Some(0)),
        ] {
            let line = format!("{head} 1 owner group 5 Nov 22 17:25 x");
            let entry = read(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((entry.kind, entry.mode, entry.size), (kind, mode, Some(5)), "{line}");
        }
    }

    #[test]
    fn columns_may_be_missing_or_hold_blanks() {
        for columns in [
            "1 owner group 5",
            "1 owner 5",
            "folder 5",
            "1 500 500 5",
            "1 10 12 5",
            "1 john smith my group 5",
            "1 12 Monkeys group 5",
            "1 group 7 Jan 5",
            "326 1391972 5",
        ] {
            let line = format!("-rw-r--r-- {columns} Nov 22 17:25 x");
            let entry = read(&line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((entry.size, entry.name), (Some(5), &b"x"[..]), "{line}");
        }
    }

    #[test]
    fn device_numbers_and_rounded_sizes_are_no_sizes() {
        for line in [
            "crw-r----- 1 root kmem 0, 27 Jan 30 11:42 x",
            "brw-r----- 1 root sys 109,767 Jul  2  2004 x",
            "-rw-r--r-- 1 root root 33.5k Jul  2  2004 x",
            "-rw-r--r-- 1 root root 99999999999999999999 Jul  2  2004 x",
        ] {
            assert_eq!(read(line).map(|entry| entry.size), Some(None), "{line}");
        }
    }

    #[test]
    fn names_are_exact() {
        let line = |name| format!("-rw-r--r-- 1 a b 5 Nov 22 17:25 {name}");
        for exact in
            [" lead.txt", "several   blanks", "end ", "123 456.csv", "a -> b", "Jan 2 2001 x"]
        {
            assert_eq!(name(&line(exact)), exact);
        }
        assert_eq!(read(&line("")), None);
        assert_eq!(name("-rw-r--r-- 1 a b 5 Feb  3  2001  x"), " x");
    }

    #[test]
    fn the_size_of_a_link_tells_which_arrow_counts() {
        let line = |size: usize| format!("lrwxrwxrwx 1 a b {size} Nov 22 17:25 a -> b -> c");
        assert_eq!(link(&line(6)), ("a".to_owned(), "b -> c".to_owned()));
        assert_eq!(link(&line(1)), ("a -> b".to_owned(), "c".to_owned()));
        assert_eq!(link(&line(0)), ("a".to_owned(), "b -> c".to_owned()));
        let alone = "lrwxrwxrwx 1 a b 3 Nov 22 17:25 alone";
        assert_eq!(link(alone), ("alone".to_owned(), String::new()));
    }

    #[test]
    fn other_servers_columns() {
        let enterprise = "-C--E-----FTP B QUA1I1      18128       41 Aug 12 13:56 QUADTEST";
        assert_eq!(read(enterprise).and_then(|entry| entry.size), Some(41));
        let dated = read("-rw-r-----   1 a  b  814 02 Mar 16:27 ZMIR2.m").unwrap();
        assert_eq!(format_text(dated.modified.unwrap().at), "2026-03-02 16:27:00.000");
        let unreadable_entry = read("d?????????   ? ?    ?       ?            ? locked").unwrap();
        assert_eq!(unreadable_entry, RawEntry::new(b"locked", Kind::Directory));
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "d",
            "total 12",
            "zrwxr-xr-x   2 root     root         4096 Mar  2 15:13 x",
            "dxrwr-xr-x   2 root     root         4096 Aug 24  2001 x",
            "drwxr-xr-x   2 root     root         4096 Jam  4 00:03 x",
            "-rw-r--r--   1 14       staff       80284 Aug 22  x",
            "-rw-r--r--   1 14       staff      119:26 Aug 22  2000 x",
            "-rw-r--r--   1ftp       nogroup    126552 Jan 22  2001 x",
            "d---rwxr-x   2 PEP      0          45056Mar 24 14:06 x",
            "-rw-r--r--",
            "-rw-r--r-- 1 a b 5 Nov 22 17:25",
            "-rw-r--r-- 1 a b 5 Nov",
            "-rw-r--r-- 1 a b 5 2024-01-02",
            "-rw-r--r-- 1 a b 5 Foo 22 17:25 from3 Nov 22 17:25",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn totals_are_known() {
        for line in ["total 12", "total 0\r", "Total: 1.5M", "insgesamt 8", "合計 12"] {
            assert!(is_total(line.as_bytes()), "{line}");
        }
        for line in ["total", "totals 12", "12 total", "-rw-r--r-- 1 a b 5 Nov 22 17:25 x"] {
            assert!(!is_total(line.as_bytes()), "{line}");
        }
    }
}
