//! What servers say in prose because there is no code for it. Nothing else may depend on prose.

/// Words of a rejected login.
const REJECTION: [&str; 9] =
    ["incorrect", "invalid", "fail", "attempt", "wrong", "lock", "disabled", "expired", "suspend"];

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

/// What a directory that is not empty may be refused for.
const OBSTACLES: [&str; 11] = [
    "denied",
    "permission",
    "allowed",
    "permitted",
    "privilege",
    "privileges",
    "busy",
    "again",
    "later",
    "temporary",
    "temporarily",
];

/// Whether a refused login is about the number of users: 530 has no code for that, and taking it
/// for a wrong password would make a busy night look like a locked account. Words of a rejected
/// login win, which may go on about "too many attempts": sending the password again would lock it.
pub(super) fn speaks_of_too_many(text: &str) -> bool {
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
pub(super) fn speaks_of_rejection(text: &str) -> bool {
    let text = text.to_lowercase();
    REJECTION.iter().any(|word| text.contains(word)) || text.contains("denied")
}

/// Whether a refused listing names a reason other than that nothing is there.
pub(super) fn speaks_of_an_obstacle(text: &str) -> bool {
    let text = text.to_lowercase();
    // Not what the directory is called.
    let said = text.split_ascii_whitespace().filter(|part| !part.contains('/'));
    let said: Vec<&str> = said.flat_map(words).collect();
    let is_in_use = said.windows(2).any(|pair| pair == ["in", "use"]);
    is_in_use || said.iter().any(|word| OBSTACLES.contains(word))
}

/// Phrases which say that nothing of a name is there.
const ABSENCE: [&str; 13] = [
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
    "introuvable",
];

/// Parts of words that name another reason beside the absence, or in its place.
const DOUBTS: [&str; 14] = [
    "access",
    "denied",
    "permission",
    "permit",
    "privilege",
    "allow",
    "authori",
    "busy",
    "lock",
    "again",
    "later",
    "unavailable",
    "user",
    "e.g.",
];

/// Whether a refusal says that nothing is there, and names no other reason: "File not found or
/// access denied" proves nothing.
pub(super) fn speaks_of_absence(text: &str) -> bool {
    let text = text.to_lowercase().replace('\u{2019}', "'");
    ABSENCE.iter().any(|phrase| text.contains(phrase))
        && !DOUBTS.iter().any(|part| text.contains(part))
}

/// `text` without `name`, where that stands by itself and is no part of a word.
pub(super) fn without_name(text: &str, name: &str) -> String {
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
            assert!(speaks_of_too_many(text), "{text}");
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
            assert!(!speaks_of_too_many(text), "{text}");
        }
    }

    #[test]
    fn an_empty_directory_is_no_obstacle() {
        for text in ["No files found in user directory", "/inbox/later: No such file", "Nothing."] {
            assert!(!speaks_of_an_obstacle(text), "{text}");
        }
        for text in ["Directory in use", "Busy, try again", "Permission denied"] {
            assert!(speaks_of_an_obstacle(text), "{text}");
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
    fn absence_is_said_and_nothing_else() {
        for text in [
            "No such file or directory",
            "x: No such file or directory.",
            "Sorry, but that file doesn't exist",
            "The system cannot find the file specified.",
            "Datei nicht gefunden",
        ] {
            assert!(speaks_of_absence(text), "{text}");
        }
        for text in [
            "Could not get file size.",
            "Can't check for file existence",
            "Not enough privileges.",
            "File not found or access denied",
            "Requested action not taken. File unavailable (e.g., file not found, no access).",
            "No such user",
            "File exists",
            "Permission denied",
            "",
        ] {
            assert!(!speaks_of_absence(text), "{text}");
        }
    }
}
