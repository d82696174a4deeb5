//! z/VM listings: CMS files of minidisks and shared directories, and the byte file system.

use jiff::civil::Date;

use crate::listing::date::parts::{at_time, time, two_digit_year, ymd};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, is_digits, number, small, split_twice};

/// The columns of a CMS file.
struct Columns<'l> {
    name: &'l [u8],
    format: &'l [u8],
    rest: Scan<'l>,
}

/// Reads one line of `name type [mode] format length records blocks date time [owner]`; none where
/// it is no such line.
///
/// The entry's name is still name and type with the blanks between them, for [`dotted`]. Fixed
/// records tell the size, those of a variable length the most that it can be.
pub(in crate::listing) fn parse(line: &[u8]) -> Option<RawEntry<'_>> {
    let Columns { name, format, mut rest } = columns(line)?;
    let sizes = [rest.word()?, rest.word()?, rest.word()?];
    let is_directory = format == b"DIR";
    let known = |word: &[u8]| if is_directory { word == b"-" } else { is_digits(word) };
    if !sizes.into_iter().all(known) {
        return None;
    }
    let modified = Some(at_time(date(rest.word()?)?, time(rest.word()?)?));
    // The owner or the label of the disk.
    if rest.word().is_some() && rest.word().is_some() {
        return None;
    }
    let [length, records, _blocks] = sizes;
    let bytes = number(length).zip(number(records)).and_then(|(a, b)| a.checked_mul(b));
    let (size, rounded_size) = match format {
        b"F" => (bytes, None),
        _ => (None, bytes),
    };
    let kind = if is_directory { Kind::Directory } else { Kind::RegularFile };
    Some(RawEntry { size, rounded_size, modified, ..RawEntry::new(name, kind) })
}

/// A file's name and type as its commands take them, with a dot between.
pub(in crate::listing) fn dotted(name: &str) -> String {
    name.split_ascii_whitespace().collect::<Vec<_>>().join(".")
}

/// Whether a line is the heading of such a listing.
pub(in crate::listing) fn is_heading(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    [&b"Filename"[..], b"FileType", b"Fm", b"Format"].iter().all(|word| scan.word() == Some(word))
}

fn columns(line: &[u8]) -> Option<Columns<'_>> {
    let mut scan = Scan(line);
    scan.skip_blanks();
    let begin = scan.0;
    let up_to = |scan: &Scan<'_>| begin.get(..begin.len() - scan.0.len());
    scan.word()?;
    let mut name = up_to(&scan)?;
    let mut word = scan.word()?;
    // A type and a mode stand before the format; directories have no type.
    for column in 0..3 {
        let mut ahead = scan;
        let counted = ahead.word().is_some_and(|next| next == b"-" || is_digits(next));
        if matches!(word, b"F" | b"V" | b"DIR") && counted {
            return Some(Columns { name, format: word, rest: scan });
        }
        let behind = up_to(&scan)?;
        let next = scan.word()?;
        match column {
            0 if !(is_mode(word) && next == b"DIR") => name = behind,
            1 if !is_mode(word) => return None,
            _ => {}
        }
        word = next;
    }
    None
}

/// Whether a word is the letter of a disk and the number of a mode.
fn is_mode(word: &[u8]) -> bool {
    matches!(word, [b'A'..=b'Z', b'0'..=b'6'])
}

/// `1999-07-28`, or `9/16/91` with the month first; 102 is 2002 to some.
fn date(word: &[u8]) -> Option<Date> {
    if let Some(date) = ymd(word) {
        return Some(date);
    }
    let [month, day, year] = split_twice(word, b'/')?;
    let year = match year.len() {
        2 => two_digit_year(small(year)?),
        3 => small(year)?.checked_add(1900)?,
        4 => small(year)?,
        _ => return None,
    };
    Date::new(year, i8::try_from(small(month)?).ok()?, i8::try_from(small(day)?).ok()?).ok()
}

/// Reads one line of the byte file system, `date time F|D links size 'name'`; none where it is no
/// such line.
pub(in crate::listing) fn parse_bytes(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let modified = Some(at_time(date(scan.word()?)?, time(scan.word()?)?));
    let kind = match scan.word()? {
        b"F" => Kind::RegularFile,
        b"D" => Kind::Directory,
        _ => return None,
    };
    let (_links, size) = (scan.word()?, scan.word()?);
    if size != b"-" && !is_digits(size) {
        return None;
    }
    let name = scan.name_after_blanks()?.strip_prefix(b"'")?.strip_suffix(b"'")?;
    (!name.is_empty()).then_some(RawEntry {
        size: number(size),
        modified,
        ..RawEntry::new(name, kind)
    })
}
