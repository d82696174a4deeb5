//! Lines of MLSD and MLST (RFC 3659 §7): facts, a blank, the name.

use crate::file::time::modified::parse_time_val;
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::perm::Perm;
use crate::listing::scan::{number, split_once};

/// Where an entry stands in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// An entry of the directory.
    Within,
    /// The listed directory itself (`type=cdir`) or a parent of it (`type=pdir`).
    Above,
}

/// Reads the line of an MLST reply that holds the facts, behind a blank that some servers forget.
pub(crate) fn parse_mlst(line: &[u8]) -> Option<RawEntry<'_>> {
    parse(line.strip_prefix(b" ").unwrap_or(line)).map(|(_, entry)| entry)
}

/// Reads one line of MLSD.
///
/// Unknown facts are skipped, and a size or mode that means nothing is as good as absent. A line
/// that breaks the grammar is none.
#[inline]
pub(crate) fn parse(line: &[u8]) -> Option<(Place, RawEntry<'_>)> {
    if line.first() == Some(&b' ') {
        // Without facts the blank ends them. Some servers put blanks before the facts as well,
        // and no name looks like those.
        let indented = facts(line.trim_ascii_start());
        if indented.is_some_and(|(_, entry)| entry.kind != Kind::Untold) {
            return indented;
        }
    }
    facts(line)
}

/// Reads facts, a blank and the name.
#[inline]
fn facts(line: &[u8]) -> Option<(Place, RawEntry<'_>)> {
    let mut place = Place::Within;
    let mut entry = RawEntry::new(b"", Kind::Untold);
    let mut rest = line;
    loop {
        // A value may hold a blank and a name may hold anything: only a blank in place of a fact
        // ends the facts, or the tab that one server prints there.
        if let [b' ' | b'\t', name @ ..] = rest {
            if starts_with_fact(name, &entry) {
                rest = name;
                continue;
            }
            entry.name = name;
            return (!name.is_empty()).then_some((place, entry));
        }
        let (fact, behind) = split_once(rest, b';')?;
        let (name, value) = split_once(fact, b'=')?;
        rest = behind;
        match name {
            [a, b, c, d] => match &lower([*a, *b, *c, *d]) {
                b"type" => (entry.kind, place, entry.link_target) = kind(value),
                // pure-ftpd states the size of a directory as `sizd`.
                b"size" | b"sizd" => entry.size = number(value),
                b"perm" => entry.perm = Some(Perm::parse(value)),
                _ => {}
            },
            [a, b, c, d, e, f] => match &lower([*a, *b, *c, *d, *e, *f]) {
                // A time that makes no sense is unknown; the entry is there all the same.
                b"modify" => entry.modified = parse_time_val(value),
                b"unique" if !value.is_empty() => entry.unique = Some(value),
                _ => {}
            },
            [_, _, _, _, b'.', ..] if name.eq_ignore_ascii_case(b"unix.mode") => {
                entry.mode = octal(value);
            }
            _ => {}
        }
    }
}

/// Whether what looks like a name begins with a fact that is not stated yet: some servers put a
/// blank behind each semicolon.
fn starts_with_fact(name: &[u8], stated: &RawEntry<'_>) -> bool {
    let Some((fact, value)) = split_once(name, b';').and_then(|(fact, _)| split_once(fact, b'='))
    else {
        return false;
    };
    match fact.to_ascii_lowercase().as_slice() {
        b"type" => stated.kind == Kind::Untold && kind(value).0 != Kind::Untold,
        b"size" | b"sizd" => stated.size.is_none() && number(value).is_some(),
        b"modify" => stated.modified.is_none() && parse_time_val(value).is_some(),
        b"create" => parse_time_val(value).is_some(),
        b"perm" => stated.perm.is_none() && value.iter().all(u8::is_ascii_alphabetic),
        b"unique" => stated.unique.is_none() && !value.is_empty(),
        b"unix.mode" => stated.mode.is_none() && octal(value).is_some(),
        b"unix.owner" | b"unix.group" | b"unix.uid" | b"unix.gid" | b"unix.ownername"
        | b"unix.groupname" => !value.is_empty() && !value.contains(&b' '),
        _ => false,
    }
}

/// The letters of a short word in lower case, for comparing it with one of nothing but letters.
fn lower<const LENGTH: usize>(word: [u8; LENGTH]) -> [u8; LENGTH] {
    word.map(|byte| byte | 0x20)
}

/// Whether a line states a type or a time as MLSD does; some servers answer LIST with such lines.
pub(in crate::listing) fn shows_itself(line: &[u8]) -> bool {
    parse(line).is_some_and(|(_, entry)| entry.kind != Kind::Untold || entry.modified.is_some())
}

fn kind(value: &[u8]) -> (Kind, Place, Option<&[u8]>) {
    match value {
        [a, b, c, d] => match &lower([*a, *b, *c, *d]) {
            b"file" => return (Kind::RegularFile, Place::Within, None),
            // Of a draft of the standard.
            b"link" => return (Kind::SymbolicLink, Place::Within, None),
            b"cdir" | b"pdir" => return (Kind::Directory, Place::Above, None),
            _ => {}
        },
        [a, b, c] if &lower([*a, *b, *c]) == b"dir" => {
            return (Kind::Directory, Place::Within, None);
        }
        _ => {}
    }
    // ProFTPD says `OS.unix=symlink`, or `OS.unix=slink:` and the target, as RFC 3659 §7.5.1.5
    // proposes; others say `OS.unix=slink` alone.
    if !value.get(..3).is_some_and(|start| start.eq_ignore_ascii_case(b"OS.")) {
        // A blank, or a word that is none of the standard's, tells nothing.
        return (Kind::Untold, Place::Within, None);
    }
    let Some((os, detail)) = value.split_at_checked(b"OS.unix=".len()) else {
        return (Kind::Unknown, Place::Within, None);
    };
    let begins = |name: &[u8]| {
        detail.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
    };
    if !os.eq_ignore_ascii_case(b"OS.unix=") || !(begins(b"slink") || begins(b"symlink")) {
        return (Kind::Unknown, Place::Within, None);
    }
    let target = detail.iter().position(|byte| *byte == b':').and_then(|at| detail.get(at + 1..));
    (Kind::SymbolicLink, Place::Within, target.filter(|target| !target.is_empty()))
}

/// The permission bits of `0644`; `0100644`, with the bits of the kind above them, is fine too.
pub(in crate::listing) fn octal(value: &[u8]) -> Option<u16> {
    if value.is_empty() || value.len() > 8 {
        return None;
    }
    let mut mode: u32 = 0;
    for digit in value {
        if !matches!(digit, b'0'..=b'7') {
            return None;
        }
        mode = mode << 3 | u32::from(digit - b'0');
    }
    u16::try_from(mode & 0o7777).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::time::modified::Precision;
    use crate::file::time::text::format_text;

    fn read(line: &str) -> Option<RawEntry<'_>> {
        parse(line.as_bytes()).map(|(_, entry)| entry)
    }

    #[test]
    fn facts_are_read_whatever_their_order_and_case() {
        let entry =
            read("SiZe=11;tYpe=File;X.y=z;MoDIfy=20181025120459.5;uNIx.MOde=0755;PERM=rw;uNiQue=8g1; a b")
                .unwrap();
        assert_eq!((entry.name, entry.kind), (&b"a b"[..], Kind::RegularFile));
        assert_eq!((entry.size, entry.mode), (Some(11), Some(0o755)));
        assert_eq!((entry.perm, entry.unique), (Some(Perm::parse(b"rw")), Some(&b"8g1"[..])));
        let modified = entry.modified.unwrap();
        assert_eq!(format_text(modified.at), "2018-10-25 12:04:59.500");
        assert_eq!(modified.precision, Precision::Fraction);
    }

    #[test]
    fn names_are_exact() {
        for name in [" lead.txt", "a; b", "type=file; x", "end ", "=", ";", "\u{7}"] {
            assert_eq!(read(&format!("type=file; {name}")).unwrap().name, name.as_bytes());
            let bare = format!(" {name}");
            let expected = if name == "type=file; x" { "x" } else { name };
            assert_eq!(read(&bare).unwrap().name, expected.as_bytes());
        }
        assert_eq!(read("    Type=file;Size=9; a b").unwrap().name, b"a b");
    }

    #[test]
    fn blanks_may_stand_between_facts() {
        let entry =
            read("type=file; size=5; modify=20261103101100; UNIX.mode=0644; a.txt").unwrap();
        assert_eq!(
            (entry.name, entry.kind, entry.size),
            (&b"a.txt"[..], Kind::RegularFile, Some(5))
        );
        assert_eq!((entry.mode, entry.modified.is_some()), (Some(0o644), true));
        let entry = read("Type=dir; Perm=el; Unique=8g1; size=5.txt").unwrap();
        assert_eq!((entry.name, entry.kind), (&b"size=5.txt"[..], Kind::Directory));
        for (line, name) in [
            ("type=file;size=9; size=5; x", "size=5; x"),
            ("type=file; size=big; x", "size=big; x"),
            ("type=file; colour=red; x", "colour=red; x"),
            ("type=file; size=5;", "size=5;"),
        ] {
            let found = read(line).map(|entry| String::from_utf8_lossy(entry.name).into_owned());
            if line.ends_with("5;") {
                // Facts without a name.
                assert_eq!(found, None, "{line}");
            } else {
                assert_eq!(found.as_deref(), Some(name), "{line}");
            }
        }
    }

    #[test]
    fn links_in_all_spellings() {
        for (value, target) in [
            ("OS.unix=slink:/a b/c", Some("/a b/c")),
            ("OS.UNIX=slink:", None),
            ("OS.unix=slink", None),
            ("OS.unix=symlink", None),
        ] {
            let line = format!("type={value};size=3; x");
            let entry = read(&line).unwrap();
            assert_eq!(entry.kind, Kind::SymbolicLink, "{line}");
            assert_eq!(entry.link_target, target.map(str::as_bytes), "{line}");
        }
        for value in ["OS.unix=chr-13/29", "OS.unix=", "OS.mac=alias"] {
            assert_eq!(read(&format!("type={value}; x")).unwrap().kind, Kind::Unknown, "{value}");
        }
        for value in ["", "filed", "unknown"] {
            assert_eq!(read(&format!("type={value}; x")).unwrap().kind, Kind::Untold, "{value}");
        }
    }

    #[test]
    fn the_directory_itself_and_its_parent_stand_above() {
        for (line, place) in [
            ("Type=cdir; /commons/net", Place::Above),
            ("type=pdir;modify=20141205180002; ..", Place::Above),
            ("type=dir; sub", Place::Within),
        ] {
            let (found, entry) = parse(line.as_bytes()).unwrap();
            assert_eq!((found, entry.kind), (place, Kind::Directory), "{line}");
        }
    }

    #[test]
    fn mlst_lines_begin_with_a_blank() {
        let line = b" type=cdir;sizd=4096;modify=20261122172648; /";
        let entry = parse_mlst(line).unwrap();
        assert_eq!((entry.name, entry.kind), (&b"/"[..], Kind::Directory));
        assert_eq!(parse_mlst(&line[1..]), Some(entry));
    }

    #[test]
    fn values_without_meaning_are_absent() {
        let entry = read("size=-1;modify=0;UNIX.mode=0999;sizd=99999999999999999999; x").unwrap();
        assert_eq!(entry, RawEntry::new(b"x", Kind::Untold));
        for time in ["", "0", "2014", "6519650070705", "2014102206510x2", "-1"] {
            let line = format!("type=file;modify={time}; x");
            let entry = read(&line).unwrap();
            assert_eq!((entry.kind, entry.modified), (Kind::RegularFile, None), "{line}");
        }
        assert_eq!(read("UNIX.mode=0100644; x").unwrap().mode, Some(0o644));
        assert_eq!(read("modify=19691231235960; x").unwrap().modified.unwrap().at.second(), 59);
    }

    #[test]
    fn other_lines_are_none() {
        for line in [
            "",
            " ",
            "aaa",
            "type=file;",
            "type=file; ",
            "Type=dir;Size; missing =size",
            "Type=dir missing-semicolon",
            "Type=cdir;UNIX.mode=0775;/no/space",
            "-rw-r--r-- 1 a b 5 Nov 22 17:25 x;y=z; w",
        ] {
            assert_eq!(parse(line.as_bytes()), None, "{line}");
        }
    }
}
