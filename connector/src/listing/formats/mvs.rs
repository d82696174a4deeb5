//! z/OS (MVS) listings: data sets, members, load modules and jobs.
//!
//! A data set's only date is the day when it was last *referred* to, which is no earlier than the
//! one when it was modified; reading counts too. Its space is in tracks: no size is known.

use crate::file::time::modified::Modified;
use crate::listing::date::parts::{at_time, day_of, time, ymd};
use crate::listing::entry::{Kind, RawEntry};
use crate::listing::scan::{Scan, is_digits, split_once};

/// What stands in place of the columns of a data set that the server could not look at.
const UNAVAILABLE: [&[u8]; 3] =
    [b"Not Direct Access Device", b"Not Mounted", b"Error determining attributes"];

/// Reads one line of a list of data sets; none where it is no such line.
pub(in crate::listing) fn parse_data_set(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let (first, second, third) = (scan.word()?, scan.word()?, scan.word());
    let (mut organisation, mut name) = (second, third);
    let mut columns = 3;
    while let Some(word) = scan.word() {
        (organisation, name) = (name.unwrap_or_default(), Some(word));
        columns += 1;
    }
    match (first, name) {
        // Migrated to tape or to the archive: only the name is left.
        (b"Migrated" | b"MIGRATED", None) => return Some(RawEntry::new(second, Kind::Unknown)),
        (b"Pseudo", Some(name)) if second == b"Directory" => {
            return Some(RawEntry::new(name, Kind::Directory));
        }
        (_, Some(name)) if second == b"Tape" && columns == 3 => {
            return Some(RawEntry::new(name, Kind::RegularFile));
        }
        (_, Some(name)) if UNAVAILABLE.iter().any(|reason| has(line, reason)) => {
            return Some(RawEntry::new(name, Kind::Unknown));
        }
        _ => {}
    }
    let (name, third) = (name?, third?);
    let kind = match organisation {
        b"VSAM" | b"VS" | b"PATH" | b"AIX" => Kind::RegularFile,
        b"PO" | b"PO-E" => Kind::Directory,
        b"PS" | b"PS-E" | b"PS-L" | b"DA" => Kind::RegularFile,
        // The server cannot tell how it is organised: mostly a file.
        b"?" => Kind::Untold,
        _ => return None,
    };
    let modified = ymd(third).map(|date| Modified { is_reference: true, ..day_of(date) });
    let is_none = matches!(third, b"**NONE**" | b"***NONE***");
    let is_known = modified.is_some() || is_none || organisation == b"VSAM";
    (is_known && columns >= 4).then_some(RawEntry { modified, ..RawEntry::new(name, kind) })
}

/// Reads one line of a list of members with statistics.
pub(in crate::listing) fn parse_member(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let name = scan.word()?;
    let (version, modification) = split_once(scan.word()?, b'.')?;
    let _created = ymd(scan.word()?)?;
    let changed = ymd(scan.word()?)?;
    let clock = time(scan.word()?)?;
    let modified = Some(at_time(changed, clock));
    // The size behind it counts records.
    (is_digits(version) && is_digits(modification))
        .then_some(RawEntry { modified, ..RawEntry::new(name, Kind::RegularFile) })
}

/// Reads a member that was stored without statistics; only below the heading of such a list.
pub(in crate::listing) fn parse_member_alone(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let name = scan.word().filter(|name| is_member_name(name))?;
    scan.word().is_none().then_some(RawEntry::new(name, Kind::RegularFile))
}

/// Reads one line of a list of load modules, whose sizes are in hexadecimal bytes.
pub(in crate::listing) fn parse_load_module(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let name = scan.word()?;
    let (size, address) = (scan.word()?, scan.word()?);
    if size.len() != 6 || address.len() != 6 || !address.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    // The authorisation code is the next column, unless the module is an alias of another.
    let is_code = |word: &[u8]| word.len() == 2 && word.iter().all(u8::is_ascii_hexdigit);
    if !is_code(scan.word()?) && !is_code(scan.word()?) {
        return None;
    }
    let size = std::str::from_utf8(size).ok().and_then(|size| u64::from_str_radix(size, 16).ok());
    size?;
    Some(RawEntry { size, ..RawEntry::new(name, Kind::RegularFile) })
}

/// Reads one line of a list of jobs; the job's number is its name.
pub(in crate::listing) fn parse_job(line: &[u8]) -> Option<RawEntry<'_>> {
    let mut scan = Scan(line);
    let (_job, number) = (scan.word()?, scan.word()?);
    let digits = number
        .strip_prefix(b"JOB")
        .or_else(|| number.strip_prefix(b"TSU"))
        .or_else(|| number.strip_prefix(b"STC"))
        .or_else(|| number.strip_prefix(b"J0"))?;
    let word = scan.word()?;
    let states = [&b"OUTPUT"[..], b"INPUT", b"ACTIVE"];
    let stated = states.contains(&word) || scan.word().is_some_and(|word| states.contains(&word));
    (is_digits(digits) && stated).then_some(RawEntry::new(number, Kind::RegularFile))
}

/// The lists of z/OS that begin with a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listing) enum Heading {
    /// `Volume Unit Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname`
    DataSets,
    /// `Name VV.MM Created Changed Size Init Mod Id`
    Members,
    /// `Name Size TTR Alias-of AC …`
    LoadModules,
    /// `JOBNAME JOBID OWNER STATUS CLASS`
    Jobs,
}

/// The list that a line is the heading of.
pub(in crate::listing) fn heading(line: &[u8]) -> Option<Heading> {
    let mut scan = Scan(line);
    match (scan.word()?, scan.word()?, scan.word()?) {
        (b"Volume", b"Unit", b"Referred" | b"Date") => Some(Heading::DataSets),
        (b"Name", b"VV.MM", _) => Some(Heading::Members),
        (b"Name", b"Size", b"TTR") => Some(Heading::LoadModules),
        (b"JOBNAME", b"JOBID", _) => Some(Heading::Jobs),
        _ => None,
    }
}

fn is_member_name(name: &[u8]) -> bool {
    let national = |byte: &u8| matches!(byte, b'$' | b'#' | b'@' | b'-');
    name.len() <= 8
        && name
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || national(byte))
}

fn has(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::time::text::format_text;

    #[test]
    fn data_sets() {
        for (line, kind) in [
            ("SAVE00 3390   2004/06/23  1    1  FB     128  6144  PS    NAME", Kind::RegularFile),
            ("PEX26F 3390   2017/07/03  115807  FB   29600 29600  PS    NAME", Kind::RegularFile),
            ("SAVE02 3390   **NONE**    1    1  FB     128  6144  PO-E  NAME", Kind::Directory),
            ("SYSPP7 3390   ***NONE***  1    2  F     4096  4096  PS  NAME", Kind::RegularFile),
            ("U01V01 3390   2026/11/20  1   15  ?       0     0  PS    NAME", Kind::RegularFile),
            ("U01V01 3390   2026/11/20  1   15  ?       ?     ?  ?     NAME", Kind::Untold),
            ("SAVE02 3390                                       VSAM  NAME", Kind::RegularFile),
            ("Migrated                                                  NAME", Kind::Unknown),
            ("ARCIVE Not Direct Access Device                           NAME", Kind::Unknown),
            ("Pseudo Directory                                          NAME", Kind::Directory),
        ] {
            let entry = parse_data_set(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            let expected = RawEntry { modified: entry.modified, ..RawEntry::new(b"NAME", kind) };
            assert_eq!(entry, expected, "{line}");
            let day = entry.modified.map(|modified| modified.at.date().to_string());
            assert!(day.is_none_or(|day| line.contains(&day.replace('-', "/"))), "{line}");
        }
        for line in ["", "x", "MigratedP201.X", "a b c PS d", "1 2 2004/06/23 4 NAME"] {
            assert_eq!(parse_data_set(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn members_modules_and_jobs() {
        let member = b"SAVE03    01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001";
        let member = parse_member(member).unwrap();
        assert_eq!((member.name, member.size), (&b"SAVE03"[..], None));
        assert_eq!(format_text(member.modified.unwrap().at), "2002-10-11 09:37:00.000");
        let module =
            parse_load_module(b"EAGRTPRC  005F48   000011 EAGRTALT 00 FO   RN RU").unwrap();
        assert_eq!((module.name, module.size), (&b"EAGRTPRC"[..], Some(0x5F48)));
        let job = parse_job(b"IBMUSER  TSU01830 IBMUSER  OUTPUT TSU      ABEND=522 3 spool files");
        assert_eq!(job.map(|entry| entry.name), Some(&b"TSU01830"[..]));
        assert_eq!(parse_job(b"IBMUSER  TSU01830 IBMUSER  WAITING"), None);
        assert_eq!(
            parse_member_alone(b"SAVE04       ").map(|entry| entry.name),
            Some(&b"SAVE04"[..])
        );
        assert_eq!(parse_member_alone(b"two words"), None);
    }
}
