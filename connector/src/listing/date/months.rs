//! Month names as `ls` abbreviates them, in the languages that servers are set to.

use encoding_rs::{
    Encoding, IBM866, ISO_8859_2, ISO_8859_5, KOI8_U, WINDOWS_1250, WINDOWS_1251, WINDOWS_1252,
    WINDOWS_1254,
};

/// What a word means as a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::listing) enum Month {
    /// A month from 1 to 12.
    Known(i8),
    /// A month in several languages, but not the same one.
    Ambiguous,
}

/// Words of which two languages mean different months: Polish and Croatian `lip`, Czech and
/// Croatian `srp`, Czech, Polish and Croatian `lis`, and French `jui` cut to three letters.
const AMBIGUOUS: [&str; 4] = ["lip", "srp", "lis", "jui"];

/// What servers that do not speak UTF-8 print these names in.
static ENCODINGS: [&Encoding; 8] = [
    WINDOWS_1252,
    WINDOWS_1250,
    ISO_8859_2,
    WINDOWS_1254,
    WINDOWS_1251,
    KOI8_U,
    IBM866,
    ISO_8859_5,
];

/// The names of each month in lower case and without a final dot or comma.
const NAMES: [&[&str]; 12] = [
    &[
        "janv", "gen", "ene", "led", "sty", "tammi", "oca", "ocak", "янв", "січ", "jän", "jaan",
        "ian", "яну", "јан", "tam", "januar", "january", "januari", "janvier", "enero", "gennaio",
        "janeiro",
    ],
    &[
        "févr",
        "fév",
        "fev",
        "febr",
        "úno",
        "lut",
        "helmi",
        "şub",
        "фев",
        "лют",
        "veebr",
        "feb",
        "hel",
        "februar",
        "february",
        "februari",
        "février",
        "febrero",
        "febbraio",
        "fevereiro",
    ],
    &[
        "mär", "märz", "mars", "mrz", "mrt", "márc", "már", "bře", "maalis", "мар", "бер", "märts",
        "maa", "march", "maart", "marzo", "março", "marts",
    ],
    &[
        "avr", "avril", "abr", "dub", "kwi", "huhti", "nis", "ápr", "апр", "кві", "huh", "april",
        "abril", "aprile",
    ],
    &[
        "mai", "mei", "maj", "mag", "kvě", "touko", "máj", "мая", "май", "тра", "maí", "tou",
        "мај", "mayo", "maggio", "maio",
    ],
    &[
        "juin", "giu", "čen", "cze", "kesä", "haz", "jún", "июн", "чер", "iun", "juuni", "юни",
        "kes", "јун", "juni", "june", "junio", "giugno", "junho",
    ],
    &[
        "juil", "lug", "čec", "heinä", "tem", "júl", "июл", "лип", "iul", "juuli", "юли", "hei",
        "јул", "juli", "july", "juillet", "julio", "luglio", "julho",
    ],
    &[
        "août", "aou", "aoû", "ago", "sie", "elo", "ağu", "авг", "сер", "avg", "ágú", "august",
        "augustus", "augusti", "agosto",
    ],
    &[
        "sept",
        "set",
        "zář",
        "wrz",
        "syys",
        "eyl",
        "szept",
        "сен",
        "вер",
        "сеп",
        "syy",
        "september",
        "septembre",
        "septiembre",
        "settembre",
        "setembro",
    ],
    &[
        "okt", "ott", "out", "říj", "paź", "loka", "eki", "окт", "жов", "lok", "oktober",
        "october", "octobre", "octubre", "ottobre", "outubro",
    ],
    &[
        "noi",
        "marras",
        "kas",
        "ноя",
        "лис",
        "ное",
        "nóv",
        "нов",
        "november",
        "novembre",
        "noviembre",
        "novembro",
    ],
    &[
        "dez",
        "déc",
        "dic",
        "des",
        "pro",
        "gru",
        "joulu",
        "ara",
        "дек",
        "гру",
        "dets",
        "jou",
        "дец",
        "dezember",
        "december",
        "décembre",
        "diciembre",
        "dicembre",
        "dezembro",
    ],
];

/// The month that a word names in any known language.
pub(in crate::listing) fn month(word: &[u8]) -> Option<Month> {
    match english(word) {
        Some(number) => Some(Month::Known(number)),
        None if (3..=16).contains(&word.len()) => foreign(word),
        None => None,
    }
}

/// The month of an English three-letter abbreviation, which nearly every server prints.
pub(in crate::listing) fn english(word: &[u8]) -> Option<i8> {
    let &[a, b, c] = word else {
        return None;
    };
    match &[a | 0x20, b | 0x20, c | 0x20] {
        b"jan" => Some(1),
        b"feb" => Some(2),
        b"mar" => Some(3),
        b"apr" => Some(4),
        b"may" => Some(5),
        b"jun" => Some(6),
        b"jul" => Some(7),
        b"aug" => Some(8),
        b"sep" => Some(9),
        b"oct" => Some(10),
        b"nov" => Some(11),
        b"dec" => Some(12),
        _ => None,
    }
}

fn foreign(word: &[u8]) -> Option<Month> {
    if let Ok(text) = std::str::from_utf8(word) {
        return named(text);
    }
    // Which encoding it is, the words of the other ones mostly show: they are none.
    let mut found = None;
    for encoding in ENCODINGS {
        let month = encoding.decode_without_bom_handling_and_without_replacement(word);
        match (found, month.and_then(|text| named(&text))) {
            (_, None) => {}
            (None, month) => found = month,
            (Some(one), Some(other)) if one == other => {}
            _ => return Some(Month::Ambiguous),
        }
    }
    found
}

fn named(text: &str) -> Option<Month> {
    let text = text.to_lowercase();
    let text = text.trim_end_matches(['.', ',']);
    if AMBIGUOUS.contains(&text) {
        return Some(Month::Ambiguous);
    }
    let position = NAMES.iter().position(|names| names.contains(&text));
    // The dotted English form, as in `Jan.`, ends here too.
    let number = position.map(|at| at + 1).and_then(|number| i8::try_from(number).ok());
    number.or_else(|| english(text.as_bytes())).map(Month::Known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_known_in_many_languages() {
        for (word, number) in [
            ("Jan", 1),
            ("JAN", 1),
            ("janv.", 1),
            ("févr.", 2),
            ("Mär", 3),
            ("maj", 5),
            ("Dez.", 12),
            ("août", 8),
            ("ağu", 8),
            ("янв", 1),
            ("ДЕК", 12),
            ("Sept", 9),
            ("Oct.", 10),
        ] {
            assert_eq!(month(word.as_bytes()), Some(Month::Known(number)), "{word}");
        }
        for (word, number) in [
            // Latin-1, windows-1251, KOI8-R, IBM 866, ISO 8859-5 and ISO 8859-2.
            (&b"M\xe4r"[..], 3),
            (b"\xe8\xfe\xeb", 7),
            (b"\xe9\xc0\xcc", 7),
            (b"\xa4\xa5\xaa", 12),
            (b"\xdd\xde\xef", 11),
            (b"pa\xbc", 10),
        ] {
            assert_eq!(month(word), Some(Month::Known(number)), "{word:x?}");
        }
    }

    #[test]
    fn other_words_are_no_months() {
        for word in ["", "Ja", "Jam", "Fed", "group", "12", "...", "a-very-long-word-indeed"] {
            assert_eq!(month(word.as_bytes()), None, "{word}");
        }
        assert_eq!(month(b"lip"), Some(Month::Ambiguous));
    }

    #[test]
    fn no_name_stands_for_two_months() {
        let all: Vec<&str> = NAMES.iter().flat_map(|names| names.iter().copied()).collect();
        for (index, names) in NAMES.iter().enumerate() {
            for name in *names {
                let elsewhere = NAMES
                    .iter()
                    .enumerate()
                    .any(|(other, others)| other != index && others.contains(name));
                assert!(!elsewhere && !AMBIGUOUS.contains(name), "{name}");
            }
        }
        assert!(all.len() > 100);
    }
}
