//! EPLF, the easily parsed list format of D. J. Bernstein's publicfile and anonftpd.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::file::time::modified::Precision;
use crate::listing::entry::{Kind, Modified, RawEntry};
use crate::listing::scan::{number, split_once};

/// Reads one line of `+fact,fact,…`, a tab and the name; none where it is no such line.
pub(in crate::listing) fn parse(line: &[u8]) -> Option<RawEntry<'_>> {
    let (facts, name) = split_once(line.strip_prefix(b"+")?, b'\t')?;
    if name.is_empty() {
        return None;
    }
    let mut entry = RawEntry::new(name, Kind::Unknown);
    for fact in facts.split(|byte| *byte == b',') {
        match fact {
            b"/" => entry.kind = Kind::Directory,
            b"r" => entry.kind = Kind::RegularFile,
            [b's', size @ ..] => entry.size = number(size),
            [b'm', seconds @ ..] => entry.modified = modified(seconds),
            [b'u', b'p', mode @ ..] => entry.mode = super::mlsd::octal(mode),
            _ => {}
        }
    }
    Some(entry)
}

fn modified(seconds: &[u8]) -> Option<Modified> {
    let seconds = i64::try_from(number(seconds)?).ok()?;
    let at = TimeZone::UTC.to_datetime(Timestamp::from_second(seconds).ok()?);
    Some(Modified::utc(at, Precision::Second))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::time::text::format_text;

    #[test]
    fn files_and_directories() {
        let file = parse(b"+i8388621.48594,m825718503,r,s280,up644,\tdjb.html, old").unwrap();
        assert_eq!((file.name, file.kind), (&b"djb.html, old"[..], Kind::RegularFile));
        assert_eq!((file.size, file.mode), (Some(280), Some(0o644)));
        assert_eq!(format_text(file.modified.unwrap().at), "1996-03-01 22:15:03.000");
        let directory = parse(b"+i8388621.50690,m824255907,/,\t514").unwrap();
        assert_eq!((directory.name, directory.kind), (&b"514"[..], Kind::Directory));
    }

    #[test]
    fn other_lines_are_none() {
        for line in ["", "+", "+r,s280", "+r,s280,\t", "r,s280,\tx"] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
        let vague = parse(b"+m99999999999999999999,s-1,\tx").unwrap();
        assert_eq!(vague, RawEntry::new(b"x", Kind::Unknown));
    }
}
