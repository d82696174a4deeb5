//! OpenVMS `DIRECTORY` lines, of which a long name takes one of its own.
//!
//! Sizes are in blocks, used and allocated: how many bytes of the last one are used is not told.
//! Names come without their version, directories without `.DIR`, as the servers'
//! own Unix-style paths want them.

use crate::listing::date::parts::{at_time, day_of, dmy, time};
use crate::listing::entry::{Kind, Modified, RawEntry};
use crate::listing::scan::{Scan, is_digits, number, rounded, split_once};

/// The bytes of a block.
const BLOCK: u64 = 512;

/// How what stands in place of the columns of a file begins that the server may not look at.
const DENIALS: [&[u8]; 4] = [b"%", b"<%", b"insufficient", b"No"];

/// Reads one entry, its two lines joined by a blank; none where it is no such entry.
pub(in crate::listing) fn parse(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let name = scan.word().filter(|_| line.first() != Some(&b' '))?;
    let name = without_version(name)?;
    let (kind, name) = match name {
        [name @ .., b'.', b'D' | b'd', b'I' | b'i', b'R' | b'r'] if !name.is_empty() => {
            (Kind::Directory, name)
        }
        name => (Kind::RegularFile, name),
    };
    let first = scan.word()?;
    if is_nothing(first) {
        return None;
    }
    if DENIALS.iter().any(|denial| first.starts_with(denial)) {
        // `%RMS-E-PRV, insufficient privilege or file protection violation`
        return Some(RawEntry::new(name, kind));
    }
    // The usual order is size, date, time, owner and protection; some print the owner or the date
    // first.
    let (mut dated, mut sized) = (None, size(first));
    if first.starts_with(b"[") && first.ends_with(b"]") {
        sized = size(scan.word()?);
        dated = date_and_time(&mut scan);
    } else if sized.is_some() {
        dated = date_and_time(&mut scan);
    } else {
        let mut from = Scan(line);
        from.word()?;
        if let Some(date) = date_and_time(&mut from) {
            dated = Some(date);
            sized = size(from.word()?);
            scan = from;
        }
    }
    let (modified, rounded_size) = (dated?, sized?);
    is_owner_and_protection(scan).then_some(RawEntry {
        modified,
        rounded_size,
        ..RawEntry::new(name, kind)
    })
}

/// A date with or without a time behind it, the inner `None` where the month is ambiguous.
fn date_and_time(scan: &mut Scan<'_>) -> Option<Option<Modified>> {
    let date = dmy(scan.word()?)?;
    let mut behind = *scan;
    let clock = behind.word().and_then(time);
    if clock.is_some() {
        *scan = behind;
    }
    Some(date.map(|date| clock.map_or_else(|| day_of(date), |time| at_time(date, time))))
}

/// About how many bytes a size means: blocks used and allocated, or a rounded number with its
/// unit; the inner `None` where asterisks say that there was no room for it.
fn size(word: &[u8]) -> Option<Option<u64>> {
    if word.iter().all(|byte| *byte == b'*') {
        return Some(None);
    }
    if let Some(rounded) = word.strip_suffix(b"B").and_then(rounded) {
        return Some(Some(rounded));
    }
    let (used, allocated) = split_once(word, b'/').unwrap_or((word, b"0"));
    let bytes = number(used)?.checked_mul(BLOCK)?;
    is_digits(allocated).then_some(Some(bytes))
}

/// Whether a line is a long name whose other columns follow on the next line.
pub(in crate::listing) fn is_name_alone(line: &[u8]) -> bool {
    !line.iter().any(|byte| crate::listing::scan::is_blank(*byte))
        && without_version(line).is_some()
}

/// Whether a line belongs to the frame of a listing.
pub(in crate::listing) fn is_frame(line: &[u8]) -> bool {
    let starts = |start: &[u8]| {
        line.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    // Some print the directory's name alone, and one says that it is empty.
    let is_name = line.windows(2).any(|part| part == b":[") && line.ends_with(b"]");
    (starts(b"Directory ") && line.contains(&b'['))
        || (is_name && !line.iter().any(|byte| crate::listing::scan::is_blank(*byte)))
        || starts(b"%DIRECT-W-NOFILES")
        || Scan(line).nth_word(1).is_some_and(is_nothing)
        || ((starts(b"Total of ") || starts(b"Total ") || starts(b"Grand total of "))
            && line.windows(4).any(|part| part.eq_ignore_ascii_case(b"file")))
}

/// Whether `*.*;0 <%RMS-E-FNF, file not found>` says that a directory is empty.
fn is_nothing(reason: &[u8]) -> bool {
    reason.strip_prefix(b"<").unwrap_or(reason).starts_with(b"%RMS-E-FNF")
}

fn without_version(name: &[u8]) -> Option<&[u8]> {
    // CMU's server repeats the directory: `[VMSSERV.FILES]ALARM.DIR;1`.
    let name = match name.iter().position(|byte| *byte == b']') {
        Some(at) if name.starts_with(b"[") => name.get(at + 1..)?,
        _ => name,
    };
    let at = name.iter().rposition(|byte| *byte == b';')?;
    let (name, version) = name.split_at_checked(at)?;
    (!name.is_empty() && version.get(1..).is_some_and(is_digits)).then_some(name)
}

/// `[GROUP,OWNER] (RWED,RWED,RE,)`, where the bracket may be cut off or missing.
fn is_owner_and_protection(mut scan: Scan<'_>) -> bool {
    scan.skip_blanks();
    let Some(at) = scan.0.iter().position(|byte| *byte == b'(') else {
        let brackets = scan.0.iter().filter(|byte| **byte == b'[').count();
        let owner_alone = scan.0.starts_with(b"[") && scan.0.ends_with(b"]") && brackets == 1;
        return scan.0.is_empty() || owner_alone;
    };
    let Some((owner, protection)) = scan.0.split_at_checked(at) else {
        return false;
    };
    let mut words = Scan(owner);
    let bracket = owner.starts_with(b"[") || words.word().is_none() || words.word().is_none();
    let inner =
        protection.strip_prefix(b"(").and_then(|rest| rest.trim_ascii_end().strip_suffix(b")"));
    bracket && inner.is_some_and(is_protection)
}

/// Whether `RWED,RWED,RE,` says what system, owner, group and world may do.
fn is_protection(inner: &[u8]) -> bool {
    let is_access = |access: &[u8]| {
        let mut known = b"RWED".iter();
        access.trim_ascii().iter().all(|byte| known.any(|next| next == byte))
    };
    inner.split(|byte| *byte == b',').count() == 4
        && inner.split(|byte| *byte == b',').all(is_access)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::time::text::format_text;

    #[test]
    fn files_and_directories() {
        for (line, name, kind, size, at) in [
            (
                "00README.TXT;1      2 30-DEC-1996 17:44 [SYSTEM] (RWED,RWED,RE,RE)",
                "00README.TXT",
                Kind::RegularFile,
                2 * 512,
                "1996-12-30 17:44:00.000",
            ),
            (
                "CORE.DIR;1          1/9  8-SEP-1996 16:09:03.64 [A,B] (RWE,RWE,,RE)",
                "CORE",
                Kind::Directory,
                512,
                "1996-09-08 16:09:03.640",
            ),
            (
                "X;12    2/8    7-JAN-2000    OWNER   (RWED,,,)",
                "X",
                Kind::RegularFile,
                2 * 512,
                "2000-01-07 00:00:00.000",
            ),
            (
                "X.;2  18/18  1-JUL-1998 08:43:20",
                "X.",
                Kind::RegularFile,
                18 * 512,
                "1998-07-01 08:43:20.000",
            ),
            (
                "X;1  27/36  1-JUL-1998 08:43 [AP,CUT$OFF      (RWE,RWE,RE,RE)",
                "X",
                Kind::RegularFile,
                27 * 512,
                "1998-07-01 08:43:00.000",
            ),
        ] {
            let entry = parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!((entry.name, entry.kind), (name.as_bytes(), kind));
            assert_eq!((entry.size, entry.rounded_size), (None, Some(size)), "{line}");
            assert_eq!(format_text(entry.modified.unwrap().at), at, "{line}");
        }
        for reason in ["%RMS-E-PRV, not yours", "<%SYSTEM-F-NOPRIV, not yours>", "No privilege"] {
            let line = format!("X.TXT;1  {reason}");
            assert_eq!(parse(line.as_bytes()), Some(RawEntry::new(b"X.TXT", Kind::RegularFile)));
        }
        assert_eq!(parse(b"*.*;0   <%RMS-E-FNF, file not found>"), None);
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            "X.LIS;2  9/9  JUN-2-1998 07:32:04  [GROUP,OWNER]    (RWED,RWED,RWED,)",
            "X.LIS;2  a/9  2-JUN-98 07:32:04  [GROUP,OWNER]    (RWED,RWED,RWED,)",
            "DATA.DIR; 1  1/9  2-JUN-1998 07:32:04  [GROUP,OWNER]    (,RWED,RWED,RE)",
            "X.TXT;1  118/126  14-APR-1997 12:45:27 PM  [GROUP,OWNER]    (RWED,,RWED,RE)",
            "X.;2  18/18  1-JUL-1998 08:43:20  [GROUP,OWNER]    (RWED2,RWED,RWED,RE)",
            "X.;2  152/153  13-FED-1997 08:13:43  [GROUP,OWNER]    (RWED,RWED,RWED,RE)",
            "X.TXT  118/126  14-APR-1997 12:45:27  [GROUP,OWNER]    (RWED,,RWED,RE)",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn frames_and_lone_names() {
        assert!(is_frame(b"Directory USER1:[TEMP]"));
        assert!(is_frame(b"Total of 14 files, 1234/5678 blocks"));
        assert!(is_frame(b"DISK$FTP:[ANONYMOUS]"));
        assert!(is_frame(b"%DIRECT-W-NOFILES, no files found"));
        assert!(is_frame(b"*.*;0   <%RMS-E-FNF, file not found>"));
        assert!(!is_frame(b"Directory"));
        assert!(is_name_alone(b"UNZIP_AND_ATTACH_FILES.COM;12"));
        assert!(!is_name_alone(b"UNZIP.COM;"));
        assert!(!is_name_alone(b"a;1 b;2"));
    }
}
