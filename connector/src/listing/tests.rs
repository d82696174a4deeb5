//! Whole listings: what real servers printed, what is wrong with others, and noise.

use std::path::Path;

use jiff::civil::datetime;
use serde_json::{Value, json};

use super::*;
use crate::file::time::modified::Zone;
use crate::file::time::zone::ServerTimeZone;

pub(super) fn settings() -> ListingSettings {
    ListingSettings {
        encoding: NameEncoding::Auto,
        normalization: Default::default(),
        maximum_line_length: 4096,
        maximum_entries: 1000,
        now: datetime(2026, 11, 22, 18, 0, 0, 0),
    }
}

pub(super) fn entries<R: Read>(
    mut listing: Listing<R>,
) -> Result<(Vec<Entry>, Option<Format>), ListingError> {
    let mut entries = Vec::new();
    while let Some(entry) = listing.next_entry()? {
        entries.push(entry);
    }
    let format = listing.format();
    let _data_connection = listing.into_inner();
    Ok((entries, format))
}

fn list(text: &str) -> Result<(Vec<Entry>, Option<Format>), ListingError> {
    entries(Listing::list(text.as_bytes(), settings()))
}

fn names(text: &str) -> Vec<String> {
    list(text).unwrap().0.into_iter().map(|entry| entry.name).collect()
}

fn as_json(entry: &Entry) -> Value {
    let mut value = json!({ "name": entry.name, "fileType": entry.kind.as_str() });
    if let Some(size) = entry.size {
        value["size"] = size.into();
    }
    if let Some(modified) = entry.modified {
        value["modified"] = modified.text(&ServerTimeZone::Auto).into();
        value["precision"] = modified.precision.as_str().into();
        value["yearInferred"] = modified.year_inferred.into();
        value["zone"] = if modified.zone == Zone::Utc { "utc" } else { "server" }.into();
    }
    if let Some(target) = &entry.link_target {
        value["linkPath"] = target.clone().into();
    }
    if let Some(mode) = entry.mode {
        value["mode"] = format!("{mode:04o}").into();
    }
    value
}

#[test]
fn listings_of_real_servers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/listings");
    let mut samples = 0;
    for server in std::fs::read_dir(folder).unwrap() {
        for file in std::fs::read_dir(server.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "txt") {
                continue;
            }
            let expected = std::fs::read(path.with_extension("json")).unwrap();
            let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap();
            let text = std::fs::read_to_string(&path).unwrap().replace("\r\n", "\n");
            for text in [text.replace('\n', "\r\n"), text] {
                let listing = match path.file_stem().is_some_and(|name| name == "mlsd") {
                    true => Listing::mlsd(text.as_bytes(), settings()),
                    false => Listing::list(text.as_bytes(), settings()),
                };
                let (entries, _) = entries(listing).unwrap();
                let found: Vec<Value> = entries.iter().map(as_json).collect();
                assert_eq!(found, expected, "{}", path.display());
            }
            samples += 1;
        }
    }
    assert!(samples >= 7);
}

#[test]
fn empty_listings_are_empty() {
    for text in ["", "total 0\r\n", "\r\n", "insgesamt 0\n", ".:\r\ntotal -956032232\r\n"] {
        assert_eq!(list(text).unwrap(), (Vec::new(), None), "{text}");
    }
    let (found, _) =
        entries(Listing::mlsd(&b"type=cdir; .\r\ntype=dir; ..\r\n"[..], settings())).unwrap();
    assert_eq!(found, []);
}

#[test]
fn an_unknown_format_is_an_error_and_not_an_empty_listing() {
    let error = list("aaa\u{1b}[2J\r\n").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1 of the listing is not in any known format: \"aaa\\x1b[2J\""
    );
    let error = host_sdk::Error::from(error);
    assert_eq!((error.kind(), error.is_retryable()), (host_sdk::ErrorKind::Integrity, false));
    assert!(list("/bin/ls: cannot open directory '.': Permission denied\r\n").is_err());
    assert!(list("foo 12\r\n").is_err());
}

#[test]
fn the_format_is_kept_once_it_is_known() {
    let unix = "-rw-r--r-- 1 a b 5 Nov 22 17:25 x\r\n";
    let dos = "11-22-26  05:25PM                    5 x\r\n";
    assert_eq!(list(&unix.repeat(2)).unwrap().1, Some(Format::Unix));
    assert_eq!(list(&dos.repeat(2)).unwrap().1, Some(Format::Dos));
    for mixed in [format!("{unix}{dos}"), format!("{dos}{unix}"), format!("{unix}dir/sub:\r\n")] {
        let error = list(&mixed).unwrap_err();
        assert!(matches!(error, ListingError::Unrecognised { number: 2, format: Some(_), .. }));
    }
}

#[test]
fn a_cut_listing_is_an_integrity_error() {
    let error = list("-rw-r--r-- 1 a b 5 Nov 22 17:25 x\r\n-rw-r--r-- 1 a b 5 Nov 22 17:25 ca")
        .unwrap_err();
    assert_eq!(error.to_string(), "the listing ends within line 2");
    assert_eq!(host_sdk::Error::from(error).kind(), host_sdk::ErrorKind::Integrity);
    assert!(list("LONG_NAME.TXT;12\r\n").is_err());
}

#[test]
fn limits_are_errors_with_a_hint() {
    let line = "-rw-r--r-- 1 a b 5 Nov 22 17:25 x\r\n";
    let limited = ListingSettings { maximum_entries: 2, ..settings() };
    assert!(entries(Listing::list(line.repeat(2).as_bytes(), limited)).is_ok());
    let error = entries(Listing::list(line.repeat(3).as_bytes(), limited)).unwrap_err();
    let error = host_sdk::Error::from(error);
    assert_eq!(error.message(), "the listing has more than 2 entries");
    assert_eq!(error.report().hint.as_deref(), Some("raise maximumListingEntries"));
}

#[test]
fn names_that_are_not_utf8_come_through() {
    let text =
        b"-rw-r--r-- 1 a b 5 Nov 22 17:25 caf\xe9\nlrwxrwxrwx 1 a b 1 Nov 22 17:25 l -> \xff\n";
    let (found, _) = entries(Listing::list(&text[..], settings())).unwrap();
    let found: Vec<_> =
        found.iter().map(|entry| (&*entry.name, entry.link_target.as_deref())).collect();
    assert_eq!(found, [("caf\u{10ffe9}", None), ("l", Some("\u{10ffff}"))]);
}

#[test]
fn openvms_entries_may_take_two_lines() {
    let text = "\r\nDirectory USER1:[TEMP]\r\n\r\n\
        A.TXT;1     9/9     2-JUN-1998 07:32:04  [G,O]    (RWED,RWED,RWED,RE)\r\n\
        UNZIP_AND_ATTACH_FILES.COM;12\r\n\
        \x20         14/15   24-JUL-2002 14:35:40  [G,O]    (RWE,RWE,RWE,RE)\r\n\
        UNZIP_AND_ATTACH_FILES.COM;11\r\n\
        \x20         14/15   24-JUL-2001 14:35:40  [G,O]    (RWE,RWE,RWE,RE)\r\n\
        HIDDEN_BY_ITS_OWNER_FROM_ALL.LOG;23\r\n\
        \x20  <%SYSTEM-F-NOPRIV, insufficient privilege>\r\n\
        \r\nTotal of 2 files, 23/24 blocks\r\n";
    // Of several versions a name means the newest, which comes first.
    let expected = ["A.TXT", "UNZIP_AND_ATTACH_FILES.COM", "HIDDEN_BY_ITS_OWNER_FROM_ALL.LOG"];
    assert_eq!(names(text), expected);
    assert_eq!(names("Directory A:[B]\r\n\r\n*.*;0   <%RMS-E-FNF, file not found>\r\n"), [""; 0]);
}

#[test]
fn headings_decide_the_format() {
    let members = " Name     VV.MM   Created       Changed      Size  Init   Mod   Id\r\n\
        BARE\r\n\
        SAVE03    01.03 2002/09/12 2002/10/11 09:37    11    11     0 KIL001\r\n";
    assert_eq!(names(members), ["BARE", "SAVE03"]);
    assert!(list("BARE\r\n").is_err());
    let data_sets = "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname\r\n\
        Migrated                                                OLD.DATA\r\n";
    assert_eq!(names(data_sets), ["OLD.DATA"]);
    let modules = " Name      Size     TTR   Alias-of AC --------- Attributes --------- Amode Rmode\r\n\
        EAGKCPT   000058   000009          00 FO             RN RU            31    ANY\r\n";
    assert_eq!(names(modules), ["EAGKCPT"]);
    let jobs = "JOBNAME  JOBID    OWNER    STATUS CLASS\r\n\
        IBMUSER2 JOB01906 IBMUSER  OUTPUT A        RC=0000 3 spool files\r\n";
    assert_eq!(names(jobs), ["JOB01906"]);
    let files = "File         Code             EOF  Last Modification    Owner  RWEP\r\n\
        FILE1 101 528 12-Jan-14 14:21:18 255, 0 \"NUNU\"\r\n";
    assert_eq!(names(files), ["FILE1"]);
}

#[test]
fn the_path_of_the_directory_is_no_part_of_a_name() {
    let line = |kind, name| format!("{kind}rw-r--r-- 1 a b 5 Nov 22 17:25 {name}\r\n");
    let text = [
        line('-', "/in/a.csv"),
        line('-', "in/b.csv"),
        line('d', "./sub/"),
        line('-', "/out/c.csv"),
    ]
    .concat();
    let (found, _) =
        entries(Listing::list(text.as_bytes(), settings()).of_directory("/in")).unwrap();
    let found: Vec<&str> = found.iter().map(|entry| &*entry.name).collect();
    // What is left with a slash is refused as a name.
    assert_eq!(found, ["a.csv", "b.csv", "sub", "/out/c.csv"]);
}

#[test]
fn headers_and_trailers_of_products_are_no_entries() {
    let dir = " Volume in drive C has no label.\r\n Volume Serial Number is 1A2B-3C4D\r\n\r\n \
        Directory of C:\\in\r\n\r\n\
        11/22/2026  10:11    <DIR>          .\r\n\
        11/22/2026  10:11         1,234,567 a.csv\r\n\
        \x20              1 File(s)      1,234,567 bytes\r\n\
        \x20              1 Dir(s)   9,234,567 bytes free\r\n";
    assert_eq!(names(dir), ["a.csv"]);
    let vxworks = "  size          date       time       name\r\n\
        --------       ------     ------    --------\r\n\
        \x20    512    NOV-05-2026  10:11:12   a.csv\r\nvalue = 0 = 0x0\r\n";
    assert_eq!(names(vxworks), ["a.csv"]);
    let batches = "-C--E-----FTP B QUA1I1      18128       41 Aug 12 13:56 QUADTEST\r\n\
        Total number of batches listed: 1\r\n";
    assert_eq!(names(batches), ["QUADTEST"]);
    let unisys = "Report for: (UC)A ON PACK\r\n\
        A                       SEQDATA    84 03/08/1998  15:32\r\n\
        \x20         1 Files      84 Octets\r\n";
    assert_eq!(names(unisys), ["A"]);
    let dls = "README              763  Information about this server\r\n\
        pub/                  =  Public area\r\n\
        TIMIT.mostlikely.Z.of.all\r\n\
        \x20                 79215  \r\n";
    assert_eq!(names(dls), ["README", "pub", "TIMIT.mostlikely.Z.of.all"]);
    assert_eq!(names("Total number of batches listed: 0\r\n"), [""; 0]);
}

#[test]
fn an_unknown_dialect_is_one_error_with_a_hint() {
    for text in [
        // Stratus VOS, HP 3000, TOPS-20, GCOS 8, GCOS 7, VSE, Connect:Enterprise with `$$`.
        "Files: 2  Blocks: 167\r\n\r\nw    158 stm       90-05-19 11:53:44  acctng.cobol\r\n\
            w      9 seq       90-05-20 08:12:00  a.list\r\n\r\nDirs: 0\r\n",
        " PATH= /FTPGUEST/PUB/\r\n\r\n \
            CODE  ------------LOGICAL RECORD-----------  ----SPACE----  FILENAME\r\n\
            \x20        SIZE  TYP        EOF      LIMIT R/B  SECTORS #X MX\r\n\r\n\
            \x20          1B  BA         115 2147483647   1       16  1  *  testfile\r\n",
        "TOPS20:<ACCT>\r\nLOGIN.CMD.1\r\nMSGS.TXT.1\r\n",
        "d rwx rwx ---           0 02/25/98           ftptest2      catalog1\r\n\
            - rwx rwx ---        1280 05/06/98 10:12:10  uid           testbcd\r\n",
        "- - -----0 SEPT         SYSADMIN         AUG 26, 1997 SEQ1\r\n",
        "PRD1       <Library>\r\nPOWER      <Power Queue>\r\n",
        "ACME    00000020 00000152 <test batch>       990926-1431 CD   FTP ASC\r\n\
            Total Number of batches listed: 1\r\n",
        &"what is this\r\n".repeat(50),
    ] {
        let error = host_sdk::Error::from(list(text).unwrap_err());
        let hint = error.report().hint.clone().unwrap_or_default();
        assert!(hint.starts_with("set listing to nlst"), "{text}: {error}: {hint}");
        assert!(error.message().starts_with("line 1 of the listing"), "{text}: {error}");
    }
}

#[test]
fn one_date_tells_the_order_of_all() {
    let line = |date| format!("CFT  45056 {date} 14:19:31 *FILE A.FILE\r\n");
    let dates = |text: &str| -> Vec<Option<String>> {
        let entries = list(text).unwrap().0.into_iter();
        entries.map(|entry| Some(entry.modified?.at.date().to_string())).collect()
    };
    let member = "CFT                  *MEM A.FILE/A.MBR\r\n";
    assert_eq!(dates(&line("04/12/14")), [None]);
    let day_first = format!("{}{member}{}", line("04/12/14"), line("28/11/15"));
    let expected = [Some("2014-12-04".to_owned()), None, Some("2015-11-28".to_owned())];
    assert_eq!(dates(&day_first), expected);
    let month_first = format!("{}{}", line("04/12/14"), line("11/28/15"));
    assert_eq!(dates(&month_first)[0].as_deref(), Some("2014-04-12"));
    // A listing of Windows, or of a server that imitates `ls`, tells it in the same way.
    let dir = |date| format!("{date}  10:11                    5 x\r\n");
    assert_eq!(dates(&dir("04/12/2014"))[0].as_deref(), Some("2014-04-12"));
    let both = format!("{}{}", dir("04/12/2014"), dir("28/11/2015"));
    assert_eq!(dates(&both)[0].as_deref(), Some("2014-12-04"));
    let ls = |date| format!("-rw-r--r-- 1 a b 5 {date} 10:11 x\r\n");
    assert_eq!(dates(&ls("04/12/2014")), [None]);
    let both = format!("{}{}", ls("04/12/2014"), ls("28/11/2015"));
    assert_eq!(dates(&both)[0].as_deref(), Some("2014-12-04"));
    // Where two lines contradict each other, each counts for itself.
    let both = format!("{}{}{}", line("04/12/14"), line("28/11/15"), line("11/28/15"));
    assert_eq!(dates(&both)[2].as_deref(), Some("2015-11-28"));
}
