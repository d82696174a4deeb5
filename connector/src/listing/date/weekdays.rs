//! Names of the days of the week, which some servers print before a date.

/// The names, short and long, in lower case and without a final dot or comma.
const NAMES: &[&str] = &[
    // English.
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "tues",
    "thur",
    "thurs",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    // German.
    "mo",
    "di",
    "mi",
    "do",
    "fr",
    "sa",
    "so",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonnabend",
    "sonntag",
    // French.
    "lun",
    "mar",
    "mer",
    "jeu",
    "ven",
    "sam",
    "dim",
    "lundi",
    "mardi",
    "mercredi",
    "jeudi",
    "vendredi",
    "samedi",
    "dimanche",
    // Spanish, Italian and Portuguese.
    "mié",
    "mie",
    "jue",
    "vie",
    "sáb",
    "sab",
    "dom",
    "gio",
    "seg",
    "ter",
    "qua",
    "qui",
    "sex",
    // Dutch, and the Scandinavian languages.
    "ma",
    "wo",
    "vr",
    "za",
    "zo",
    "man",
    "tir",
    "ons",
    "tor",
    "tors",
    "fre",
    "lør",
    "lör",
    "søn",
    "sön",
    "mån",
    "tis",
    // Polish, Czech and Russian.
    "pon",
    "wto",
    "śro",
    "czw",
    "pią",
    "sob",
    "nie",
    "po",
    "út",
    "st",
    "čt",
    "pá",
    "ne",
    "пн",
    "вт",
    "ср",
    "чт",
    "пт",
    "сб",
    "вс",
];

/// Whether a word names a day of the week.
pub(in crate::listing) fn is_weekday(word: &[u8]) -> bool {
    if !(2..=16).contains(&word.len()) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(word) else {
        return false;
    };
    let text = text.to_lowercase();
    NAMES.contains(&text.trim_end_matches(['.', ',']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_of_the_week_are_known() {
        for word in ["Tue", "TUE", "Tue,", "Di.", "mar.", "mardi", "Сб", "lör"] {
            assert!(is_weekday(word.as_bytes()), "{word}");
        }
        for word in ["", "T", "Tuesdays", "Nov", "staff", "1"] {
            assert!(!is_weekday(word.as_bytes()), "{word}");
        }
    }
}
