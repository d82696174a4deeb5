//! Names that look the same and are written with other characters: `é` is one, or `e` and an accent.

use serde::Deserialize;
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// How names are compared (`fileNameNormalization`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Normalization {
    /// Character by character.
    #[default]
    None,
    /// In Unicode's normal form C, whichever form they are written in.
    Nfc,
}

impl Normalization {
    /// The form in which `name` is compared; none where that is as it is written.
    pub(crate) fn of(self, name: &str) -> Option<String> {
        (self == Self::Nfc && !name.is_ascii()).then(|| nfc(name))
    }
}

/// A text in normal form C.
pub(crate) fn nfc(text: &str) -> String {
    if is_nfc(text) { text.to_owned() } else { text.nfc().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_look_the_same_compare_equal_where_that_is_asked_for() {
        let (composed, decomposed) = ("r\u{e9}sum\u{e9}.txt", "re\u{301}sume\u{301}.txt");
        assert_eq!(Normalization::Nfc.of(composed), Normalization::Nfc.of(decomposed));
        assert_eq!(Normalization::Nfc.of(decomposed).as_deref(), Some(composed));
        assert_eq!(Normalization::Nfc.of("plain.txt"), None);
        assert_eq!(Normalization::None.of(decomposed), None);
        // Bytes that are no text keep their characters.
        let kept = host_sdk::kit::lossless::decode(b"caf\xe9");
        assert_eq!(nfc(&kept), kept);
    }
}
