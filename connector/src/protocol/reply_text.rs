//! What servers say in prose because there is no code for it. Nothing else may depend on prose.

/// Words of a rejected login.
const REJECTION: [&str; 10] = [
    "incorrect",
    "invalid",
    "fail",
    "attempt",
    "wrong",
    "lock",
    "disabled",
    "expired",
    "suspend",
    "banned",
];

/// Whose number servers limit.
const COUNTED: [&str; 10] = [
    "user",
    "users",
    "connection",
    "connections",
    "client",
    "clients",
    "session",
    "sessions",
    "login",
    "logins",
];

/// What a directory may be refused for that says nothing of its entries.
const OBSTACLES: [&str; 22] = [
    "denied",
    "permission",
    "permissions",
    "allowed",
    "permitted",
    "privilege",
    "privileges",
    "rights",
    "insufficient",
    "forbidden",
    "access",
    "busy",
    "again",
    "later",
    "temporary",
    "temporarily",
    "cannot",
    "unable",
    "failed",
    "failure",
    "error",
    "invalid",
];

/// How servers say that a directory holds nothing.
const NOTHING: [&str; 15] = [
    "no file",
    "no files",
    "no such file",
    "no such files",
    "file not found",
    "files not found",
    "file does not exist",
    "no member",
    "no members",
    "no data sets",
    "no datasets",
    "no entries",
    "no matching",
    "nothing",
    "empty",
];

/// The other words of such a sentence. Any further word may name a reason, in any language.
const AROUND_NOTHING: &str = "a an are at available be been can could current data dataset datasets \
    directory does doesn empty entries entry error exist exists file files folder for found get here in is it \
    library list match matched matches matching member members names no not nothing of on or path pattern \
    requested search set sets sorry specified such system t that the there this to total user was were";

/// How servers say, in a reply that confirms a transfer, that not everything was transferred.
const SHORTFALLS: [&str; 23] = [
    "fail",
    "failed",
    "failure",
    "unable",
    "sorry",
    "denied",
    "error",
    "cannot",
    "can t",
    "could not",
    "couldn t",
    "permission",
    "incomplete",
    "truncated",
    "aborted",
    "partial",
    "partially",
    "skipped",
    "omitted",
    "quota",
    "limit reached",
    "limited to",
    "limit exceeded",
];

/// The same, in parts of words of several languages.
const SHORTFALL_PARTS: [&str; 17] = [
    "incompl",
    "truncat",
    "tronqu",
    "unvollst",
    "abgebrochen",
    "abgeschnitten",
    "konnte nicht",
    "konnten nicht",
    "stopped after",
    "only the first",
    "maximum number",
    "maximale anzahl",
    "only part",
    "nur teil",
    "more files exist",
    "more entries exist",
    "too many",
];

/// What a refused listing says of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Emptiness {
    /// Nothing is there.
    Nothing,
    /// The listing is refused for another reason.
    Obstacle,
    /// The words say neither.
    Unclear,
}

/// Whether a refused login is about the number of users: 530 has no code for that, and taking it
/// for a wrong password would make a busy night look like a locked account. Words of a rejected
/// login win, which may go on about "too many attempts": sending the password again would lock it.
pub(crate) fn says_too_many_sessions(text: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> = words(&text).collect();
    let has = |word: &str| words.contains(&word);
    // "Max" may be somebody's name, and "only" say whom the server is for.
    let is_counted = COUNTED.into_iter().any(has)
        && words.windows(2).any(|pair| {
            matches!(pair, ["max" | "only" | "than", number]
                if number.bytes().all(|byte| byte.is_ascii_digit()))
        });
    let is_many = text.contains("too many")
        || ["maximum", "limit", "overloaded"].into_iter().any(has)
        || is_counted;
    is_many && !REJECTION.iter().any(|word| text.contains(word)) && !has("password")
}

/// Whether a refused login is about who logs in.
pub(crate) fn says_login_rejected(text: &str) -> bool {
    let text = text.to_lowercase();
    REJECTION.iter().any(|word| text.contains(word)) || text.contains("denied")
}

/// Whether a refusal asks for TLS.
pub(crate) fn says_tls_required(text: &str) -> bool {
    let text = text.to_lowercase();
    ["tls", "ssl", "secur", "encrypt", "protect", "auth ", "cleartext", "clear text", "plaintext"]
        .iter()
        .any(|part| text.contains(part))
}

/// Whether a refusal speaks of a full disk or an exhausted quota, which some servers say with the
/// code of a missing right.
pub(crate) fn says_no_room(text: &str) -> bool {
    let text = text.to_lowercase();
    ["no space", "disk full", "disk is full", "quota", "not enough space", "insufficient space"]
        .iter()
        .any(|part| text.contains(part))
}

/// What the words of a refused listing say of the directory.
pub(crate) fn emptiness(text: &str) -> Emptiness {
    let said = said(text);
    let is_refused = OBSTACLES.iter().any(|word| contains(&said, word));
    if is_refused || contains(&said, "in use") {
        Emptiness::Obstacle
    } else if NOTHING.iter().any(|words| contains(&said, words))
        && said.split_ascii_whitespace().all(|word| is_among(AROUND_NOTHING, word))
    {
        Emptiness::Nothing
    } else {
        Emptiness::Unclear
    }
}

/// Whether the confirmation of a transfer says that the transfer is not whole.
pub(crate) fn says_incomplete(text: &str) -> bool {
    let lower = text.to_lowercase();
    if SHORTFALL_PARTS.iter().any(|part| lower.contains(part)) {
        return true;
    }
    let said = ["no error", "without error", "0 skipped", "none skipped"]
        .iter()
        .fold(said(text), |said, phrase| said.replace(phrase, ""));
    SHORTFALLS.iter().any(|words| contains(&said, words))
}

/// The words of a text in lower case, a blank around each; without paths, whose names may hold
/// any word.
fn said(text: &str) -> String {
    let text = text.to_lowercase();
    let spoken = text.split_ascii_whitespace().filter(|part| !part.contains('/'));
    let words: Vec<&str> = spoken.flat_map(words).collect();
    format!(" {} ", words.join(" "))
}

/// Whether a word is a number or one of `known`.
fn is_among(known: &str, word: &str) -> bool {
    known.split_ascii_whitespace().any(|it| it == word)
        || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether the words of [`said`] hold `phrase`.
fn contains(said: &str, phrase: &str) -> bool {
    said.contains(&format!(" {phrase} "))
}

/// Phrases which say that nothing of a name is there.
const ABSENCE: [&str; 18] = [
    "no such",
    "not found",
    "not exist",
    "doesn't exist",
    "doesnt exist",
    "nonexistent",
    "non-existent",
    "cannot find",
    "can't find",
    "could not find",
    "nicht gefunden",
    "existiert nicht",
    "nicht vorhanden",
    "nicht finden",
    "introuvable",
    "n'existe pas",
    "no existe",
    "niet gevonden",
];

/// The other words of a sentence that says so. Any further word may name another reason, in any
/// language: "File not found or insufficient rights" proves nothing.
const AROUND_ABSENCE: &str = "a an angegebene archivo bestand but can cannot change check could das \
    data dataset datei de delete der die directory dir does doesn doesnt dossier el enoent errno \
    error exist existe existent existiert exists failed fehler fichier file files find finden folder \
    for found get gefunden gevonden in info introuvable is it kann la le library list member n name \
    named nicht niet no non nonexistent not object of on open or ordner path pas qsys read remove \
    rename requested retrieve set sets size sorry specified stat such system t that the there this to unable \
    verzeichnis vorhanden was";

/// Whether a refusal says that nothing is there, and says nothing else.
pub(crate) fn says_absent(text: &str) -> bool {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    // A path that the reply repeats is no word, in whatever form the server keeps it.
    let spoken = text.split_ascii_whitespace().filter(|part| !part.contains(['/', '\\']));
    let text = spoken.collect::<Vec<_>>().join(" ");
    ABSENCE.iter().any(|phrase| text.contains(phrase))
        && words(&text).all(|word| is_among(AROUND_ABSENCE, word))
}

/// Whether a refused RNFR gives no reason at all: "RNFR command failed."
pub(crate) fn gives_no_reason(text: &str) -> bool {
    const NEUTRAL: [&str; 14] = [
        "rnfr",
        "rename",
        "command",
        "failed",
        "failure",
        "error",
        "could",
        "can",
        "t",
        "not",
        "file",
        "requested",
        "action",
        "taken",
    ];
    words(&text.to_lowercase()).all(|word| NEUTRAL.contains(&word))
}

/// `text` without `name`, where that stands by itself and is no part of a word.
pub(crate) fn without_name(text: &str, name: &str) -> String {
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(name).filter(|_| !name.is_empty()) {
        let (before, found) = rest.split_at(at);
        let after = found.strip_prefix(name).unwrap_or_default();
        let joins = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        kept.push_str(before);
        let is_part = joins(kept.chars().next_back()) || joins(after.chars().next());
        kept.push_str(if is_part { name } else { " " });
        rest = after;
    }
    kept + rest
}

/// The words of a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_users_is_no_rejection() {
        for text in [
            "Sorry, too many users.",
            "Access denied: too many users",
            "No more than 5 users",
            "Max 5 users, sorry",
            "Only 3 simultaneous sessions",
            "The connection limit is reached",
            "Server overloaded",
        ] {
            assert!(says_too_many_sessions(text), "{text}");
        }
        for text in [
            "User max cannot log in",
            "Too many failed logins",
            "Maximum password age",
            "Not used for more than 90 days",
            "Limited to 5 friends",
            "Access only 8-18",
            "Only registered users",
        ] {
            assert!(!says_too_many_sessions(text), "{text}");
        }
    }

    #[test]
    fn a_refusal_means_empty_only_where_it_says_so() {
        let cases = [
            ("No files found in user directory", Emptiness::Nothing),
            ("/inbox/later: No such file", Emptiness::Nothing),
            ("Nothing.", Emptiness::Nothing),
            ("The directory is empty.", Emptiness::Nothing),
            ("No members found.", Emptiness::Nothing),
            ("No data sets found.", Emptiness::Nothing),
            ("Directory in use", Emptiness::Obstacle),
            ("Busy, try again", Emptiness::Obstacle),
            ("Permission denied", Emptiness::Obstacle),
            ("Insufficient permissions", Emptiness::Obstacle),
            ("Could not list: failure", Emptiness::Obstacle),
            ("No file access", Emptiness::Obstacle),
            ("Zugriff verweigert", Emptiness::Unclear),
            ("No files may be listed for guests", Emptiness::Unclear),
            ("No file descriptors available", Emptiness::Unclear),
            ("No file listing for you", Emptiness::Unclear),
            ("No files available", Emptiness::Nothing),
            ("Can't check for file existence", Emptiness::Unclear),
            ("/empty: No.", Emptiness::Unclear),
            ("", Emptiness::Unclear),
        ];
        for (text, expected) in cases {
            assert_eq!(emptiness(text), expected, "{text}");
        }
    }

    #[test]
    fn a_confirmation_may_say_that_the_listing_is_not_whole() {
        for text in [
            "Transfer done (but failed to open directory).",
            "Sorry, we were unable to read [.] / Options: -l / 0 matches total",
            "Output truncated to 2000 matches",
            "Done, can't open some of it",
            "Liste beendet (Verzeichnis konnte nicht gelesen werden)",
            "Listing stopped after 2000 entries",
            "Only the first 1000 files are shown",
            "Liste incomplète",
            "Maximum number of entries reached",
            "Maximale Anzahl erreicht",
            "Transfer aborted: quota exceeded",
            "only part of the file was sent",
            "Transfer complete, 3 files skipped",
            "Transfer complete. Limit reached.",
            "List limited to 1000 entries. More files exist.",
            "Done (partial)",
        ] {
            assert!(says_incomplete(text), "{text}");
        }
        for text in [
            "Transfer complete.",
            "Directory send OK.",
            "Listed /failed/error",
            "Closing data connection, no error.",
            "0 matches total",
        ] {
            assert!(!says_incomplete(text), "{text}");
        }
    }

    #[test]
    fn a_name_is_left_out_where_it_stands_by_itself() {
        let cases = [
            ("/users/no such.txt: Denied", "/users/no such.txt", " : Denied"),
            ("e: No such file", "e", " : No such file"),
            ("'access.log' not found", "access.log", "' ' not found"),
            ("as it is", "", "as it is"),
        ];
        for (text, name, expected) in cases {
            assert_eq!(without_name(text, name), expected);
        }
    }

    #[test]
    fn a_reason_may_be_missing() {
        for text in ["RNFR command failed.", "Requested action not taken", ""] {
            assert!(gives_no_reason(text), "{text}");
        }
        for text in ["File is in use by another process", "not your file", "Zugriff verweigert"] {
            assert!(!gives_no_reason(text), "{text}");
        }
    }

    #[test]
    fn absence_is_said_and_nothing_else() {
        for text in [
            "No such file or directory",
            "/in/x: No such file or directory.",
            "C:\\in\\x.txt: No such file.",
            "Sorry, but that file doesn't exist",
            "The system cannot find the file specified.",
            "Datei nicht gefunden",
            "Can't change directory to : No such file or directory",
            "Failed to retrieve file size: The system cannot find the path specified.",
            "Data set  not found",
            "error 2: file does not exist",
        ] {
            assert!(says_absent(text), "{text}");
        }
        for text in [
            "Could not get file size.",
            "Can't check for file existence",
            "Not enough privileges.",
            "File not found or access denied",
            "Datei nicht gefunden oder keine Berechtigung",
            "Fichier introuvable ou droits insuffisants",
            "File not found or insufficient rights",
            "No such file, or it is not readable",
            "does not exist or is not a plain file",
            "No such file, or it is in quarantine",
            "command not found",
            "Requested action not taken. File unavailable (e.g., file not found, no access).",
            "No such user",
            "File exists",
            "Permission denied",
            "",
        ] {
            assert!(!says_absent(text), "{text}");
        }
    }
}
