//! The bare name of an entry, where a server prints more than that.

use super::entry::{Entry, Kind};
use super::format::Format;

/// Takes what is no part of the name off that of `entry`: the slash behind a directory, and the
/// path of the listed `directory` in front, as far as it is known.
///
/// What is left may still be a path: then it is no name of an entry of that directory.
pub(super) fn strip(entry: &mut Entry, directory: Option<&str>, format: Option<Format>) {
    if matches!(entry.kind, Kind::Directory | Kind::Untold) {
        let length = entry.name.trim_end_matches('/').len();
        if length > 0 {
            entry.name.truncate(length);
        }
    }
    let separator = match format {
        _ if entry.name.contains('/') => '/',
        // A name on Windows cannot hold a backslash.
        Some(Format::Dos | Format::Os2) if entry.name.contains('\\') => '\\',
        _ => return,
    };
    if let Some(length) = prefix(&entry.name, directory, separator) {
        entry.name.drain(..length);
    }
}

/// How many bytes in front of a name are the path of the listed directory, or its end.
fn prefix(name: &str, directory: Option<&str>, separator: char) -> Option<usize> {
    let at = name.rfind(separator)?;
    let path = name.get(..at)?;
    let length = at + separator.len_utf8();
    if name.len() == length {
        return None;
    }
    if path == "." {
        return Some(length);
    }
    let is_absolute = path.is_empty() || path.starts_with(separator) || path.contains(':');
    let mut given =
        parts(path, separator).rev().filter(|part| *part != "." && !part.ends_with(':'));
    let mut listed = parts(directory?, '/').rev().filter(|part| !part.ends_with(':'));
    loop {
        match (given.next(), listed.next()) {
            (None, None) => return Some(length),
            // The name tells the end of the path, which the client knows whole.
            (None, Some(_)) => return (!is_absolute).then_some(length),
            (Some(one), Some(other)) if one == other => {}
            (Some(one), Some(other)) if separator == '\\' && one.eq_ignore_ascii_case(other) => {}
            _ => return None,
        }
    }
}

fn parts(path: &str, separator: char) -> impl DoubleEndedIterator<Item = &str> {
    path.split(separator).filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stripped(name: &str, kind: Kind, directory: &str, format: Format) -> String {
        let mut entry = Entry::new(name.to_owned(), kind);
        strip(&mut entry, Some(directory), Some(format));
        entry.name
    }

    #[test]
    fn the_listed_directory_in_front_is_taken_off() {
        for (name, directory, bare) in [
            ("/in/a.csv", "/in", "a.csv"),
            ("in/a.csv", "/in", "a.csv"),
            ("./a.csv", "/in", "a.csv"),
            ("/a.csv", "/", "a.csv"),
            ("x/in/a.csv", "/home/x/in", "a.csv"),
            ("//in//a.csv", "/in", "a.csv"),
            ("a.csv", "/in", "a.csv"),
            ("LIB.FILE/LIB.MBR", "/QSYS.LIB/X.LIB/LIB.FILE", "LIB.MBR"),
            ("home/user/a.csv", "/home/user", "a.csv"),
        ] {
            let found = stripped(name, Kind::RegularFile, directory, Format::Unix);
            assert_eq!(found, bare, "{name} in {directory}");
        }
        for (name, directory, bare) in [
            ("C:\\in\\a.csv", "/C:/in", "a.csv"),
            ("\\In\\a.csv", "/in", "a.csv"),
            ("in\\a.csv", "/in", "a.csv"),
        ] {
            let found = stripped(name, Kind::RegularFile, directory, Format::Dos);
            assert_eq!(found, bare, "{name} in {directory}");
        }
    }

    #[test]
    fn other_paths_stay_what_they_are() {
        for (name, directory) in [
            ("/out/a.csv", "/in"),
            ("out/a.csv", "/in"),
            ("../a.csv", "/in"),
            ("/in/sub/a.csv", "/in"),
            ("/in/a.csv", "/home/in"),
            ("x/in/a.csv", "/in"),
            ("a\\b.csv", "/a"),
            ("in/", "/in"),
        ] {
            let found = stripped(name, Kind::RegularFile, directory, Format::Unix);
            assert_eq!(found, name, "{name} in {directory}");
        }
    }

    #[test]
    fn a_slash_behind_marks_a_directory() {
        for (name, kind, bare) in [
            ("sub/", Kind::Directory, "sub"),
            ("/in/sub/", Kind::Directory, "sub"),
            ("sub/", Kind::RegularFile, "sub/"),
            ("/", Kind::Directory, "/"),
        ] {
            assert_eq!(stripped(name, kind, "/in", Format::Unix), bare, "{name}");
        }
    }
}
