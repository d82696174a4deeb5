//! What a server says it can do (FEAT, RFC 2389 §3).

use super::reply::Reply;
use super::verb::Verb;
use crate::file::checksum::Algorithm;
use host_sdk::kit::text::printable;

/// The features that change what this side does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// MLST and MLSD (RFC 3659 §7).
    pub(crate) mlst: bool,
    /// Whether MLSD does not tell the type of an entry unless asked to (OPTS MLST), or never.
    pub(crate) type_is_off: bool,
    /// Whether MLSD is not used because it tells no types.
    pub(crate) lacks_types: bool,
    /// The facts that MLSD tells, and `unique`, which the server offers and does not tell unless
    /// asked to.
    pub(crate) facts_with_unique: Option<String>,
    /// MDTM (RFC 3659 §3).
    pub(crate) mdtm: bool,
    /// MFMT, which sets a file's time.
    pub(crate) mfmt: bool,
    /// SIZE (RFC 3659 §4).
    pub(crate) size: bool,
    /// REST in stream mode (RFC 3659 §5).
    pub(crate) rest_stream: bool,
    /// UTF-8 names (RFC 2640).
    pub(crate) utf8: bool,
    /// PRET, which announces a transfer before its data connection is agreed on (drftpd).
    pub(crate) pret: bool,
    /// What HASH computes (draft-bryan-ftpext-hash).
    pub(crate) hashes: Vec<Algorithm>,
    /// What the commands without a standard compute: XSHA256 and its like.
    pub(crate) checksum_commands: Vec<Algorithm>,
    /// The lines, safe to print, for people.
    pub(crate) lines: Vec<String>,
}

impl Features {
    /// Nothing is known: each common command is simply tried.
    pub(crate) fn unknown() -> Self {
        Self { mdtm: true, size: true, rest_stream: true, ..Self::default() }
    }

    /// Reads the reply to FEAT; a refusal means that nothing is known, so that each command is
    /// simply tried.
    pub(crate) fn parse(reply: &Reply) -> Self {
        let mut features = Self::default();
        if !reply.is_done() {
            return Self::unknown();
        }
        for line in reply.inner_lines() {
            let line = String::from_utf8_lossy(line).trim().to_ascii_uppercase();
            let (name, arguments) = line.split_once(' ').unwrap_or((line.as_str(), ""));
            match name {
                "MLST" | "MLSD" => {
                    features.mlst = true;
                    let mut facts = arguments.split(';').map(str::trim);
                    features.facts_with_unique = facts_with_unique(arguments);
                    features.type_is_off |= !arguments.is_empty() && !facts.any(|it| it == "TYPE*");
                }
                "MDTM" => features.mdtm = true,
                "MFMT" => features.mfmt = true,
                "SIZE" => features.size = true,
                "REST" => features.rest_stream = arguments.contains("STREAM"),
                "UTF8" => features.utf8 = true,
                "PRET" => features.pret = true,
                "HASH" => features.hashes = hashes(arguments),
                _ => {
                    let mut all = Algorithm::ALL.into_iter();
                    features
                        .checksum_commands
                        .extend(all.find(|one| Verb::computing(*one).as_str() == name));
                }
            }
            features.lines.push(printable(&line));
        }
        features
    }
}

/// The facts of `type*;size*;unique;` that are on, and `unique` where it is off.
fn facts_with_unique(facts: &str) -> Option<String> {
    let mut offered = facts.split(';').map(str::trim);
    if !offered.clone().any(|fact| fact == "UNIQUE") {
        return None;
    }
    let is_on = |fact: &str| fact.strip_suffix('*').map(|fact| format!("{fact};"));
    let on: String = offered.by_ref().filter_map(is_on).collect();
    Some(on + "UNIQUE;")
}

/// The algorithms of `SHA-256*;SHA-1;MD5`.
fn hashes(arguments: &str) -> Vec<Algorithm> {
    let offered: Vec<&str> =
        arguments.split(';').map(|name| name.trim().trim_end_matches('*')).collect();
    Algorithm::ALL.into_iter().filter(|one| offered.contains(&one.hash_name())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_read_in_any_case_and_indent() {
        let reply = Reply::parse(
            b"211-Extensions supported:\r\n MLST Type*;Size*;\r\n  mdtm\r\n REST STREAM\r\n211-UTF8\r\n211 End.\r\n",
        )
        .unwrap();
        let features = Features::parse(&reply);
        assert!(features.mlst && features.mdtm && features.rest_stream && features.utf8);
        assert!(!features.size && !features.mfmt);
    }

    #[test]
    fn types_are_off_unless_their_star_is_there() {
        let cases = [
            ("MLST type*;size*;", false),
            ("MLST type;size*;", true),
            ("MLST Size*;Modify*;", true),
            ("MLST size*; TYPE*; modify*", false),
            ("MLST", false),
            ("MLSD", false),
        ];
        for (line, is_off) in cases {
            let reply = format!("211-Extensions:\r\n {line}\r\n211 End\r\n");
            let features = Features::parse(&Reply::parse(reply.as_bytes()).unwrap());
            assert_eq!((features.mlst, features.type_is_off), (true, is_off), "{line}");
        }
    }

    #[test]
    fn unique_is_asked_for_where_it_is_off() {
        let cases = [
            ("TYPE*;SIZE*;UNIX.MODE;UNIQUE;", Some("TYPE;SIZE;UNIQUE;")),
            ("TYPE*;UNIQUE*;", None),
            ("TYPE*;", None),
            ("", None),
        ];
        for (facts, asked) in cases {
            assert_eq!(facts_with_unique(facts).as_deref(), asked, "{facts}");
        }
    }

    #[test]
    fn checksums_are_offered_in_two_ways() {
        let reply =
            Reply::parse(b"211-Extensions:\r\n HASH MD5;SHA-1*;SHA-3\r\n XCRC\r\n211 End\r\n")
                .unwrap();
        let features = Features::parse(&reply);
        assert_eq!(features.hashes, [Algorithm::Sha1, Algorithm::Md5]);
        assert_eq!(features.checksum_commands, [Algorithm::Crc32]);
    }

    #[test]
    fn a_refusal_leaves_the_common_commands_to_be_tried() {
        let features = Features::parse(&Reply::new(502, "no"));
        assert!(features.size && features.mdtm && !features.mlst);
    }
}
