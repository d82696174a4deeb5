//! Lines that are no entries: totals, column headings, rules, headers and trailers of products.

use super::scan::{Scan, grouped, is_digits};

/// Titles of columns, in lower case.
const TITLES: [&str; 26] = [
    "access",
    "attributes",
    "attribs",
    "blocks",
    "date",
    "directory",
    "file",
    "filename",
    "files",
    "flags",
    "group",
    "links",
    "mode",
    "modified",
    "name",
    "owner",
    "perm",
    "permissions",
    "perms",
    "rights",
    "size",
    "status",
    "time",
    "type",
    "user",
    "bytes",
];

/// How the things begin that a trailer counts, in lower case.
const COUNTED: [&str; 20] = [
    "file",
    "dir",
    "folder",
    "entr",
    "item",
    "object",
    "member",
    "batch",
    "datei",
    "verzeichnis",
    "ordner",
    "fichier",
    "rép",
    "dossier",
    "archivo",
    "fichero",
    "elemento",
    "bestand",
    "map",
    "plik",
];

/// Whether a line, which is no entry, is known to say nothing of one.
pub(super) fn is_decoration(line: &[u8]) -> bool {
    is_rule(line)
        || is_heading(line)
        || is_sum(line)
        || is_count(line)
        || is_volume(line)
        || line.starts_with(b"value = ")
}

/// Whether a line is drawn: `--------   ------`.
fn is_rule(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    let mut length = 0;
    while let Some(word) = scan.word() {
        let drawn = |byte: &u8| matches!(byte, b'-' | b'=' | b'_' | b'+' | b'|');
        if !word.iter().all(drawn) {
            return false;
        }
        length += word.len();
    }
    length >= 3
}

/// Whether a line is `size  date  time  name`, in any order.
fn is_heading(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    let mut titles = 0;
    while let Some(word) = scan.word() {
        let title = std::str::from_utf8(word).unwrap_or_default().to_ascii_lowercase();
        if !TITLES.contains(&title.as_str()) {
            return false;
        }
        titles += 1;
    }
    titles >= 3
}

/// Whether a line is `Total number of batches listed: 4` or `Total number of Mailboxes = 3`.
fn is_sum(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    let is_total = scan.word().is_some_and(|word| word.eq_ignore_ascii_case(b"total"));
    let (mut last, mut separated) = (None, false);
    while let Some(word) = scan.word() {
        separated = last.is_some_and(|last: &[u8]| last.ends_with(b":") || last == b"=");
        last = Some(word);
    }
    is_total && separated && last.is_some_and(is_digits)
}

/// Whether a line is `1 File(s) 123 bytes`, `2 Dir(s)  1,234,567 bytes free` or `6 Files 504
/// Octets`: counts and words in turn, and what is counted are files or directories.
fn is_count(line: &[u8]) -> bool {
    let mut scan = Scan(line);
    let counts = scan.word().is_some_and(|count| grouped(count).is_some());
    let Some(noun) = scan.word().and_then(|noun| std::str::from_utf8(noun).ok()) else {
        return false;
    };
    let noun = noun.to_lowercase();
    if !counts || !COUNTED.iter().any(|begin| noun.starts_with(begin)) || !is_word(&noun) {
        return false;
    }
    let mut words = 0;
    while let Some(word) = scan.word() {
        let text = String::from_utf8_lossy(word);
        if grouped(word).is_none() && !is_word(&text) {
            return false;
        }
        words += 1;
    }
    words <= 6
}

/// Whether a word has no more than letters, a plural in brackets and punctuation: no file name.
fn is_word(word: &str) -> bool {
    let word = word.trim_end_matches([',', '.', ';']);
    word == "/" || !word.is_empty() && word.chars().all(|c| c.is_alphabetic() || "()".contains(c))
}

/// Whether a line is one of those that Windows' `dir` begins with, in the language of the server:
/// the name of a volume, its serial number, the directory. All of them are indented by one blank.
fn is_volume(line: &[u8]) -> bool {
    let [b' ', first, ..] = line else {
        return false;
    };
    if !first.is_ascii_alphabetic() {
        return false;
    }
    let mut scan = Scan(line);
    let mut last: &[u8] = b"";
    let mut words = 0;
    let mut names_drive = false;
    while let Some(word) = scan.word() {
        names_drive |= words > 0 && matches!(word, [b'A'..=b'Z'] | [b'A'..=b'Z', b':']);
        names_drive |= matches!(word, [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\' | b'/', ..]);
        last = word;
        words += 1;
    }
    let is_serial = last.len() == 9
        && last.get(4) == Some(&b'-')
        && last.iter().filter(|byte| byte.is_ascii_hexdigit()).count() == 8;
    words >= 2 && (names_drive || is_serial)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_trailers_of_products_are_known() {
        for line in [
            "Total number of batches listed: 4",
            "Total Number of Batches Listed: 0",
            "Total number of Mailboxes = 3",
            "               1 File(s)            123 bytes",
            "               2 Dir(s)   1,234,567,890 bytes free",
            "               1 Datei(en),            123 Bytes",
            "               2 Verzeichnis(se), 1.234.567 Bytes frei",
            "               1 fichier(s)              123 octets",
            "              12 archivos            1.234 bytes",
            "          6 Files     504 Octets",
            "14 files",
            " Volume in drive C is SYSTEM",
            " Volume in drive D has no label.",
            " Volume Serial Number is 1A2B-3C4D",
            " Directory of C:\\in",
            " Volumeseriennummer: 1A2B-3C4D",
            " Verzeichnis von D:\\daten\\in",
            "  size          date       time       name",
            "--------       ------     ------    --------",
            "Permissions  Links Owner    Group  Size  Date  Name",
            "==========",
            "value = 0 = 0x0",
        ] {
            assert!(is_decoration(line.as_bytes()), "{line}");
        }
    }

    #[test]
    fn other_lines_may_be_entries() {
        for line in [
            "",
            "total",
            "Total report.txt",
            "Total 4 files: a.csv",
            "12 a.csv",
            "1 file.csv",
            "1 files a.csv",
            "file.txt",
            "name",
            "--",
            "README 12",
            " report C.txt 12",
            "a.csv  1A2B-3C4D",
            "cannot open directory",
        ] {
            assert!(!is_decoration(line.as_bytes()), "{line}");
        }
    }
}
