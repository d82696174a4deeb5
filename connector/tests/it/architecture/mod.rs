//! The house's rules about what may be used where, read from the sources.

mod floors;
mod imports;
mod papers;

use std::fs;
use std::path::{Path, PathBuf};

/// A text that may stand only in some places.
struct Rule {
    text: &'static str,
    allowed: &'static [&'static str],
}

const RULES: &[Rule] = &[
    Rule { text: "suppaftp::", allowed: &["connector/src/protocol/reply.rs"] },
    Rule { text: "abi_stable::", allowed: &["host-sdk/src/abi/", "host-sdk/src/loader/"] },
    Rule { text: "libloading::", allowed: &["host-sdk/src/loader/"] },
    Rule {
        text: "rustls::",
        allowed: &[
            "connector/src/transport/",
            "connector/src/check/",
            "connector/src/session/transfer/tickets.rs",
        ],
    },
    Rule {
        text: "rusqlite::",
        allowed: &[
            "test-host/src/ledger/sqlite/",
            "test-host/src/demo/proof.rs",
            "test-host/src/pipeline/refused_tests.rs",
        ],
    },
    Rule { text: "clap::", allowed: &["test-host/src/cli/"] },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every source file with its path from the top.
fn all_sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in ["connector/src", "host-sdk/src", "test-host/src"] {
        sources(&root().join(folder), &mut paths);
    }
    assert!(paths.len() > 50, "only {} sources were found", paths.len());
    paths
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.strip_prefix(root()).unwrap().display().to_string(), text)
        })
        .collect()
}

/// The lines of code before the tests, without comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .map(|line| line.split("//").next().unwrap_or_default())
}

#[test]
fn crates_are_used_only_where_they_belong() {
    let mut breaches = Vec::new();
    for (path, text) in all_sources() {
        for rule in RULES {
            let allowed = rule.allowed.iter().any(|place| path.starts_with(place));
            if !allowed && code(&text).any(|line| line.contains(rule.text)) {
                breaches.push(format!("{path} uses {}", rule.text));
            }
        }
    }
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn operations_use_no_sockets() {
    let breaches: Vec<String> = all_sources()
        .into_iter()
        .filter(|(path, text)| {
            path.starts_with("connector/src/operation/")
                && code(text).any(|line| line.contains("std::net"))
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn reply_codes_are_known_to_replies_alone() {
    let mut breaches = Vec::new();
    for (path, text) in all_sources() {
        let knows_codes =
            path.ends_with("protocol/reply.rs") || path.ends_with("protocol/refusal.rs");
        if !path.starts_with("connector/src/") || knows_codes {
            continue;
        }
        for line in code(&text) {
            let words = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            for word in words {
                let is_code = word.len() == 3
                    && word.starts_with(|c: char| ('1'..='5').contains(&c))
                    && word.chars().all(|c| c.is_ascii_digit());
                if is_code && line.contains("reply") {
                    breaches.push(format!("{path}: {}", line.trim()));
                }
            }
        }
    }
    assert_eq!(breaches, Vec::<String>::new());
}

#[test]
fn files_stay_small_enough_to_read() {
    let long: Vec<String> = all_sources()
        .into_iter()
        .map(|(path, text)| {
            (path, text.lines().take_while(|line| !line.starts_with("#[cfg(test)]")).count())
        })
        .filter(|(_, lines)| *lines > 400)
        .map(|(path, lines)| format!("{path} has {lines} lines"))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}
