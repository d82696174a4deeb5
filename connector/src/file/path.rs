//! Paths on a server: Unix style at the interface, and the part of them that only the server reads.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use host_sdk::{Error, ErrorKind};

use host_sdk::kit::text::printable;

/// A path: a base and the names below it, without empty, `.` and `..` parts.
///
/// The base is `/`, the directory after login, or a directory in the server's own words. Those words
/// are kept as PWD or a person spells them: `'U01.'`, `DISK$USER:[SMITH]`, `C:\data\in`, `QGPL`. No
/// part of the connector reads them. Two paths with the same text are the same path.
///
/// Text is in the transparent form of [`super::name`], so every name a server shows has one.
#[derive(Clone)]
pub(crate) struct RemotePath {
    base: Base,
    /// The base and the names, joined by `/`. It ends in none unless the base does. Blank is the
    /// directory after login of a server that does not tell which one that is.
    text: String,
    /// How many bytes of it are the base.
    base_length: usize,
}

/// What the names of a path count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Base {
    /// `/`.
    Root,
    /// The directory after login.
    Login,
    /// A directory in the server's own words.
    Own,
}

impl RemotePath {
    /// `/`.
    pub(crate) fn root() -> Self {
        Self { base: Base::Root, text: "/".to_owned(), base_length: 1 }
    }

    /// The directory after login, of a server that does not tell which one that is.
    pub(crate) fn login() -> Self {
        Self { base: Base::Login, text: String::new(), base_length: 0 }
    }

    /// The directory after login, as PWD spells it.
    ///
    /// # Errors
    ///
    /// `document` when it holds CR, LF or NUL, which would end a command early.
    pub(crate) fn login_at(text: &str) -> Result<Self, Error> {
        if text.starts_with('/') {
            let Self { text, .. } = Self::root().join(text)?;
            return Ok(Self { base: Base::Login, base_length: text.len(), text });
        }
        Ok(Self { base: Base::Login, ..Self::own(text)? })
    }

    /// A directory in the server's own words.
    fn own(text: &str) -> Result<Self, Error> {
        check_line(text)?;
        Ok(Self { base: Base::Own, text: text.to_owned(), base_length: text.len() })
    }

    /// The directory that `text` names, seen from this one, which is that after login: as a person
    /// spells it, or as [`RemotePath::as_str`] gives it.
    ///
    /// # Errors
    ///
    /// As [`RemotePath::join`].
    pub(crate) fn directory(&self, text: &str) -> Result<Self, Error> {
        let trimmed = text.trim_end_matches('/');
        if trimmed.is_empty() || text.starts_with('/') {
            return self.join(text);
        }
        if is_rooted(trimmed, "") {
            return Self::own(trimmed);
        }
        if !self.is_own() {
            return self.join(text);
        }
        match self.below_base(text) {
            Some(rest) => self.join(rest),
            None => Self::own(trimmed),
        }
    }

    /// The file that `text` names in `directory`, seen from this path, which is that of the directory
    /// after login.
    ///
    /// # Errors
    ///
    /// As [`RemotePath::join`].
    pub(crate) fn file(&self, directory: &Self, text: &str) -> Result<Self, Error> {
        // An output tells the directory and the name, which a person joins by a slash.
        if let Some((above, name)) = text.rsplit_once('/')
            && !name.is_empty()
            && !text.starts_with('/')
        {
            if let Some(rest) = self.below_base(above).filter(|_| self.is_own()) {
                return self.join(rest)?.join(name);
            }
            if let Some(rest) = directory.below_base(above).filter(|_| directory.base == Base::Own)
            {
                return Self::own(directory.base_text())?.join(rest)?.join(name);
            }
            if is_rooted(above, if self.is_own() { self.base_text() } else { "" }) {
                return Self::own(above)?.join(name);
            }
        }
        directory.join(text)
    }

    /// What `text` means seen from here: a relative path is appended, an absolute one replaces.
    ///
    /// # Errors
    ///
    /// `document` when it holds CR, LF or NUL, which would end the command early, and when it leads
    /// above a directory of which only the server knows what is above it.
    pub(crate) fn join(&self, text: &str) -> Result<Self, Error> {
        check_line(text)?;
        if text.starts_with('/') {
            return Ok(Self::root().with_names(normalised(Vec::new(), text).0));
        }
        let (names, above) = normalised(self.names().collect(), text);
        if above == 0 {
            return Ok(self.with_names(names));
        }
        if !self.is_unix() {
            return Err(above_login(text));
        }
        let mut whole = self.text.split('/').collect::<Vec<_>>();
        whole.retain(|part| !part.is_empty());
        Ok(Self::root().with_names(normalised(whole, text).0))
    }

    /// This path's base with other names below it.
    fn with_names(&self, names: Vec<&str>) -> Self {
        let mut text = self.base_text().to_owned();
        for name in names {
            if !text.is_empty() && !text.ends_with('/') {
                text.push('/');
            }
            text.push_str(name);
        }
        Self { base: self.base, text, base_length: self.base_length }
    }

    /// The entry `name` of this directory, where `name` is one a server listed.
    ///
    /// # Errors
    ///
    /// `protocol` when it is not a single name: a hostile listing.
    pub(crate) fn entry(&self, name: &str) -> Result<Self, Error> {
        if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\r', '\n', '\0'])
        {
            return Err(Error::new(
                ErrorKind::Protocol,
                format!("the server listed \"{}\", which is no file name", printable(name)),
            )
            .with_path(self.to_string()));
        }
        let is_joined = self.text.is_empty() || self.text.ends_with('/');
        let separator = if is_joined { "" } else { "/" };
        let text = format!("{}{separator}{name}", self.text);
        Ok(Self { base: self.base, text, base_length: self.base_length })
    }

    /// The directory it lies in; the topmost one lies in itself.
    pub(crate) fn parent(&self) -> Self {
        let mut names: Vec<&str> = self.names().collect();
        if names.pop().is_some() {
            return self.with_names(names);
        }
        match self.text.rsplit_once('/') {
            Some((parent, _)) if self.is_unix() => {
                Self::root().with_names(normalised(Vec::new(), parent).0)
            }
            _ => self.clone(),
        }
    }

    /// The last part; blank for the topmost directory.
    pub(crate) fn file_name(&self) -> &str {
        match self.names().next_back() {
            Some(name) => name,
            None if self.is_unix() => self.text.rsplit('/').next().unwrap_or_default(),
            None => "",
        }
    }

    /// Whether it is the topmost directory that can be named: `/`, the one after login where that
    /// has no Unix path, or one in the server's own words.
    pub(crate) fn is_top(&self) -> bool {
        self.text == "/" || (!self.is_unix() && self.names().next().is_none())
    }

    /// What its names count from.
    pub(crate) fn base(&self) -> Base {
        self.base
    }

    /// Whether it counts from the directory after login, of which no name is known.
    pub(crate) fn counts_from_nowhere(&self) -> bool {
        self.base == Base::Login && self.base_length == 0
    }

    /// The base as PWD or a person spells it.
    pub(crate) fn base_text(&self) -> &str {
        self.text.get(..self.base_length).unwrap_or_default()
    }

    /// The names below the base, joined by `/`.
    pub(crate) fn names_text(&self) -> &str {
        let names = self.text.get(self.base_length..).unwrap_or_default();
        names.strip_prefix('/').unwrap_or(names)
    }

    /// The names below the base.
    pub(crate) fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.names_text().split('/').filter(|name| !name.is_empty())
    }

    /// Whether it is a path from `/`: any part of it has a name wherever a session is.
    pub(crate) fn is_unix(&self) -> bool {
        self.text.starts_with('/')
    }

    /// Whether its base is in the server's own words.
    pub(crate) fn is_own(&self) -> bool {
        self.base_length > 0 && !self.is_unix()
    }

    /// Whether the server finds its base from anywhere, as far as the words show. `like` is a path
    /// of the same server's.
    pub(crate) fn is_rooted(&self, like: &Self) -> bool {
        self.is_unix() || is_rooted(self.base_text(), like.base_text())
    }

    /// How it is called inside the directory `from`, where it lies somewhere below that; `.` for the
    /// directory after login seen from there, where that has no name.
    pub(crate) fn seen_from(&self, from: &Self) -> Option<&str> {
        let rest = self.text.strip_prefix(&from.text)?;
        if from.text.is_empty() {
            // Nothing that counts from elsewhere is known to be below it.
            return Some(self.as_str()).filter(|_| self.base == Base::Login);
        }
        let rest = if from.text.ends_with('/') { rest } else { rest.strip_prefix('/')? };
        Some(rest).filter(|rest| !rest.is_empty())
    }

    /// How a directory is called below the directory `from`: `.` for that one itself.
    pub(crate) fn below(&self, from: &Self) -> Option<&str> {
        if self == from { Some(".") } else { self.seen_from(from) }
    }

    /// What of `text` comes after this path's base and a slash; blank where `text` is the base.
    fn below_base<'t>(&self, text: &'t str) -> Option<&'t str> {
        let base = Some(self.base_text()).filter(|base| !base.is_empty())?;
        let rest = text.strip_prefix(base)?;
        let is_joined = rest.is_empty() || base.ends_with('/');
        if is_joined { Some(rest) } else { rest.strip_prefix('/') }
    }

    /// The text for document properties: `.` for a directory after login that is not known.
    pub(crate) fn as_str(&self) -> &str {
        if self.text.is_empty() { "." } else { &self.text }
    }
}

/// The names that `text` leads to from `names`, and how often it leads above the first of them.
fn normalised<'t>(mut names: Vec<&'t str>, text: &'t str) -> (Vec<&'t str>, usize) {
    let mut above = 0;
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => above += usize::from(names.pop().is_none()),
            name => names.push(name),
        }
    }
    (names, above)
}

/// Whether the words of `text` show that it counts from no other directory: it begins with a drive,
/// or, where the paths of the server are like `like`, it names a device or begins with the same sign.
fn is_rooted(text: &str, like: &str) -> bool {
    if let Some((drive, rest)) = text.split_once(':')
        && drive.len() == 1
        && drive.starts_with(|c: char| c.is_ascii_alphabetic())
        && (rest.is_empty() || rest.starts_with(['\\', '/']))
    {
        return true;
    }
    if like.is_empty() || like.starts_with('/') {
        return false;
    }
    let sign = |text: &str| text.chars().next().filter(|c| !c.is_alphanumeric());
    text.contains(':') || (sign(text).is_some() && sign(text) == sign(like))
}

/// Whether a server may take `name` for something else where it stands alone: blanks before it are
/// lost, `~` is somebody's home, and MDTM takes digits before a blank for a time to set.
pub(crate) fn is_ambiguous(name: &str) -> bool {
    let is_time = name.split_once(' ').is_some_and(|(first, _)| {
        !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit())
    });
    name.starts_with([' ', '\t', '~']) || is_time
}

fn check_line(text: &str) -> Result<(), Error> {
    if text.contains(['\r', '\n', '\0']) {
        return Err(Error::new(
            ErrorKind::Document,
            format!("path \"{}\" contains CR, LF or NUL", printable(text)),
        ));
    }
    Ok(())
}

fn above_login(text: &str) -> Error {
    Error::new(
        ErrorKind::Document,
        format!("path \"{}\" leads above the directory after login", printable(text)),
    )
    .with_hint("the server does not tell where the login leads (PWD): name an absolute path")
}

impl PartialEq for RemotePath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for RemotePath {}

impl Hash for RemotePath {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl PartialOrd for RemotePath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RemotePath {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl fmt::Display for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(self.as_str()))
    }
}

impl fmt::Debug for RemotePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemotePath({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_is_appended_and_absolute_replaces() {
        let base = RemotePath::root().join("aaa/bbb").unwrap();
        let cases = [
            ("ccc/ddd", "/aaa/bbb/ccc/ddd"),
            ("/x//y/", "/x/y"),
            ("./a/../b", "/aaa/bbb/b"),
            ("../../../..", "/"),
            ("", "/aaa/bbb"),
            (" lead", "/aaa/bbb/ lead"),
        ];
        for (text, expected) in cases {
            assert_eq!(base.join(text).unwrap().as_str(), expected, "{text:?}");
        }
    }

    #[test]
    fn line_ends_never_get_into_a_path() {
        for text in ["a\r\nDELE b", "a\nb", "a\0b"] {
            let error = RemotePath::root().join(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Document);
        }
    }

    #[test]
    fn a_listed_name_is_one_name() {
        let directory = RemotePath::root().join("in").unwrap();
        assert_eq!(directory.entry("a b").unwrap().as_str(), "/in/a b");
        for name in ["../etc/passwd", "..", "", "/etc", "a\nb"] {
            assert_eq!(directory.entry(name).unwrap_err().kind(), ErrorKind::Protocol, "{name:?}");
        }
    }

    #[test]
    fn a_relative_path_stays_below_the_login() {
        let login = RemotePath::login();
        assert_eq!((login.as_str(), login.file_name()), (".", ""));
        assert_eq!(login.parent(), login);
        for (text, expected) in [("in/a", "in/a"), ("./in//a/", "in/a"), ("", "."), ("/in", "/in")]
        {
            assert_eq!(login.join(text).unwrap().as_str(), expected, "{text:?}");
        }
        for text in ["..", "in/../.."] {
            assert_eq!(login.join(text).unwrap_err().kind(), ErrorKind::Document, "{text:?}");
        }
        let a = login.entry("in").unwrap().entry("a").unwrap();
        assert_eq!((a.as_str(), a.parent().as_str()), ("in/a", "in"));
        assert_eq!(a.parent().parent(), login);
    }

    #[test]
    fn a_relative_path_has_a_name_only_below() {
        let path = |text| RemotePath::login().join(text).unwrap();
        let cases = [
            ("in/a", "", Some("in/a")),
            ("in/a", "in", Some("a")),
            ("in", "in", None),
            ("inbox/a", "in", None),
            ("a", "in", None),
            ("", "", Some(".")),
            ("in/a", "/in", None),
            ("/in/a", "", None),
        ];
        for (of, from, expected) in cases {
            assert_eq!(path(of).seen_from(&path(from)), expected, "{of:?} from {from:?}");
        }
    }

    #[test]
    fn parent_and_name() {
        let path = RemotePath::root().join("a/b").unwrap();
        assert_eq!(path.parent().as_str(), "/a");
        assert_eq!(path.parent().parent().as_str(), "/");
        assert_eq!(path.file_name(), "b");
        assert_eq!(RemotePath::root().file_name(), "");
    }

    #[test]
    fn words_of_the_servers_own_are_kept() {
        for (login, directory, names, expected) in [
            ("'U01.'", "", &["LIB"][..], "'U01.'/LIB"),
            ("'U01.'", "'U02.DATA.'", &["A"], "'U02.DATA.'/A"),
            ("'U01.'", "'U01.'/LIB", &["A"], "'U01.'/LIB/A"),
            ("QGPL", "QUSRSYS", &["FILE.MBR"], "QUSRSYS/FILE.MBR"),
            ("QGPL", "/QSYS.LIB/QGPL.LIB/", &["A.FILE"], "/QSYS.LIB/QGPL.LIB/A.FILE"),
            ("DISK$USER:[SMITH]", "[.SUB]", &["A.TXT"], "[.SUB]/A.TXT"),
            ("C:\\data", "C:\\data\\in", &["a.txt"], "C:\\data\\in/a.txt"),
            ("C:/", "in", &["a.txt"], "in/a.txt"),
            ("/", "C:\\data\\in", &["a.txt"], "C:\\data\\in/a.txt"),
            ("/home/anna", "in/", &["a.txt"], "/home/anna/in/a.txt"),
            ("/home/anna", "/in/", &["a.txt"], "/in/a.txt"),
        ] {
            let login = RemotePath::login_at(login).unwrap();
            let directory = login.directory(directory).unwrap();
            let path = names.iter().fold(directory.clone(), |path, name| path.entry(name).unwrap());
            assert_eq!(path.as_str(), expected);
            assert_eq!(path.parent(), directory, "{expected}");
            assert_eq!(path.seen_from(&directory), Some(path.file_name()), "{expected}");
            // What an output tells is what an input takes.
            let again = login.directory(directory.as_str()).unwrap();
            assert_eq!(again, directory, "{expected}");
            assert_eq!(login.file(&again, path.file_name()).unwrap(), path, "{expected}");
            if directory.is_rooted(&login) {
                assert_eq!(login.file(&login, path.as_str()).unwrap(), path, "{expected}");
            }
        }
    }

    #[test]
    fn what_is_above_the_servers_own_words_only_the_server_knows() {
        let login = RemotePath::login_at("'U01.'").unwrap();
        assert!(login.is_top() && login.parent() == login && login.file_name().is_empty());
        let error = login.join("../A").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Document);
        assert_eq!(login.join("LIB/../A").unwrap().as_str(), "'U01.'/A");
        let home = RemotePath::login_at("/home/anna/").unwrap();
        assert_eq!((home.as_str(), home.join("../b").unwrap().as_str()), ("/home/anna", "/home/b"));
        assert_eq!(home.file_name(), "anna");
        assert_eq!(home.parent().as_str(), "/home");
    }
}
