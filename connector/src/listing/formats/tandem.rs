//! HPE NonStop (Tandem) `FILEINFO` listings.

use crate::listing::date::parts::{at_time, dmy, time};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, number};

/// Reads one line of `name code size date time owner "security"`; none where it is no such line.
pub(in crate::listing) fn parse(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let name = scan.word()?;
    let code = scan.word()?;
    // An open file is marked behind its code.
    let digits = code.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mark = code.get(digits..)?;
    if digits == 0 || !mark.iter().all(|byte| matches!(byte, b'O' | b'+' | b'?')) {
        return None;
    }
    let size = number(scan.word()?);
    size?;
    let date = dmy(scan.word()?)?;
    let clock = time(scan.word()?)?;
    // The owner is a pair such as `255, 0`.
    scan.word().filter(|owner| owner.contains(&b','))?;
    let modified = date.map(|date| at_time(date, clock));
    Some(RawEntry { size, modified, ..RawEntry::new(name, Kind::RegularFile) })
}

/// Whether a line is the heading of such a listing.
pub(in crate::listing) fn is_heading(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    [&b"File"[..], b"Code", b"EOF", b"Last"].into_iter().all(|word| scan.word() == Some(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::time::text::format_text;

    #[test]
    fn files() {
        let line = b"FILE3        101            16354 14-Mar-14 15:09:12 244, 10 \"OOOO\"";
        let entry = parse(line).unwrap();
        assert_eq!((entry.name, entry.size), (&b"FILE3"[..], Some(16354)));
        assert_eq!(format_text(entry.modified.unwrap().at), "2014-03-14 15:09:12.000");
        assert!(is_heading(b"File         Code             EOF  Last Modification    Owner  RWEP"));
        assert_eq!(parse(b"FILE3 101 x 14-Mar-14 15:09:12 244, 10"), None);
        assert_eq!(parse(b"FILE3 101 5 14-Mar-14 15:09:12 owner"), None);
    }
}
