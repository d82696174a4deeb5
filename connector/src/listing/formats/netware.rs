//! NetWare's listings: rights in brackets, one owner, the dates of Unix.

use crate::listing::date::ls::{self, Clock};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, is_digits, number};

/// Reads one line of `d [RWCEAFMS] owner size date name`; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let (kind, rest) = match line {
        [b'd', rest @ ..] => (Kind::Directory, rest),
        [b'-', rest @ ..] => (Kind::RegularFile, rest),
        _ => return None,
    };
    let mut scan = Scan(rest);
    let rights = scan.word()?.strip_prefix(b"[")?.strip_suffix(b"]")?;
    // Old versions of HellSoft's server know seven rights.
    if !matches!(rights.len(), 7 | 8)
        || !rights.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
    {
        return None;
    }
    // Old servers may count links before the owner, who may be a number too.
    let plain = columns(scan, kind, clock);
    plain.or_else(|| {
        scan.word().filter(|links| is_digits(links))?;
        columns(scan, kind, clock)
    })
}

/// Reads `owner size date name`.
fn columns<'l>(mut scan: Scan<'l>, kind: Kind, clock: &Clock) -> Option<RawEntry<'l>> {
    let _owner = scan.word()?;
    let size = number(scan.word()?);
    size?;
    let (modified, behind) = ls::named(scan, clock)?;
    Some(RawEntry { size, modified, ..RawEntry::new(behind.name_after_blanks()?, kind) })
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn files_and_directories() {
        let clock = Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0));
        let file = b"- [RWCEAFMS] owner        19968 Mar 12 15:20 Executive Summary.doc";
        let file = parse(file, &clock).unwrap();
        assert_eq!((file.name, file.kind), (&b"Executive Summary.doc"[..], Kind::RegularFile));
        assert_eq!(file.size, Some(19968));
        let directory = parse(b"d [R----F--] owner  512       Jan 16  2004    login", &clock);
        assert_eq!(directory.map(|entry| entry.name), Some(&b"login"[..]));
        let old = parse(b"d[RWCEMFA] supervisor  512       Jan 16 18:53    login", &clock);
        assert_eq!(old.map(|entry| entry.name), Some(&b"login"[..]));
        let counted =
            parse(b"-[RWCEMFA]  1 *unknown    13312 May 27  1997 calit.doc", &clock).unwrap();
        assert_eq!((counted.name, counted.size), (&b"calit.doc"[..], Some(13312)));
        for line in [
            "a [-----F--] owner                         512 Apr 13 23:52 SYS",
            "d [----AF--]          0                    512 10-04-2001 _ADMIN",
            "d [----AF] owner 512 Apr 13 23:52 SYS",
            "d [----AF--] owner x12 Apr 13 23:52 SYS",
        ] {
            assert_eq!(parse(line.as_bytes(), &clock), None, "{line}");
        }
    }
}
