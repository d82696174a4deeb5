//! `dls`, the descriptive `ls` of some archives: name, size, a date or none, a description.

use crate::listing::date::ls::{self, Clock};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, number};

/// Where the column of sizes ends.
const SIZE_END: usize = 23;

/// Reads one line of `name size [date] [description]`; none where it is no such line.
pub(in crate::listing) fn parse<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let (name, size) = (scan.word()?, scan.word()?);
    let is_column = line.len() - scan.0.len() == SIZE_END && !line.starts_with(b" ");
    if is_column { columns(name, size, scan, clock) } else { None }
}

/// Reads a name that has a line of its own, and the columns that follow on the next line.
pub(in crate::listing) fn parse_joined<'l>(line: &'l [u8], clock: &Clock) -> Option<RawEntry<'l>> {
    let mut scan = Scan(line);
    let (name, size) = (scan.word()?, scan.word()?);
    columns(name, size, scan, clock)
}

fn columns<'l>(
    name: &'l [u8],
    size: &[u8],
    behind: Scan<'l>,
    clock: &Clock,
) -> Option<RawEntry<'l>> {
    if !behind.0.trim_ascii().is_empty() && !behind.0.starts_with(b"  ") {
        return None;
    }
    let (name, kind) = match (name.strip_suffix(b"/"), size) {
        (Some(name), b"-" | b"=") => (name, Kind::Directory),
        (None, size) if number(size).is_some() => (name, Kind::RegularFile),
        _ => return None,
    };
    if name.is_empty() || name.iter().any(|byte| b"<>|?*/\\:".contains(byte)) {
        return None;
    }
    let (modified, rest) = ls::named(behind, clock).unwrap_or((None, behind));
    let link_target = rest.0.trim_ascii().strip_prefix(b"-> ").map(<[u8]>::trim_ascii);
    let kind = if link_target.is_some() { Kind::SymbolicLink } else { kind };
    let size = number(size).filter(|_| kind == Kind::RegularFile);
    Some(RawEntry { size, modified, link_target, ..RawEntry::new(name, kind) })
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn names_sizes_and_targets() {
        let clock = Clock::new(datetime(2026, 11, 22, 18, 0, 0, 0));
        for (line, name, kind, size) in [
            (
                "README              763  Information about this server",
                "README",
                Kind::RegularFile,
                Some(763),
            ),
            ("bin/                  -  ", "bin", Kind::Directory, None),
            ("pub/                  =  Jul 11 21:04  Public area", "pub", Kind::Directory, None),
            ("ls-lR                 0", "ls-lR", Kind::RegularFile, Some(0)),
            ("ls-lR.Z               3  05 Sep 1994", "ls-lR.Z", Kind::RegularFile, Some(3)),
            (
                "morgan               14  Apr 18 09:39  -> ../real/morgan",
                "morgan",
                Kind::SymbolicLink,
                None,
            ),
        ] {
            let entry = parse(line.as_bytes(), &clock).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(
                (entry.name, entry.kind, entry.size),
                (name.as_bytes(), kind, size),
                "{line}"
            );
            assert_eq!(entry.modified.is_some(), line.contains(':') || line.contains("1994"));
        }
        for line in [
            "README 763  x",
            "bin/                  7",
            "bin                   -  x",
            "a                     7 x",
        ] {
            assert_eq!(parse(line.as_bytes(), &clock), None, "{line}");
        }
        let joined =
            parse_joined(b"TIMIT.mostlikely.Z                    79215  Jul 11 21:04", &clock);
        assert_eq!(joined.and_then(|entry| entry.size), Some(79215));
    }
}
